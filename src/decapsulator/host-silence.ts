/**
 * Keeps the host's own stack from answering tunnel packets: without a module for them it would say "protocol
 * unreachable" or "port unreachable" to each, with one it would take them apart a second time.
 *
 * In the input hook: there only packets for this host come by, fragments are put together, and the packet socket has had
 * its copy. The table is owned by an nft process that ends with this one, whatever ends it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Nft, NftError } from "../engine/userspace/door/nft.ts";

const TABLE = "inet sluice_decapsulator";

/** Before connection tracking hears of them, and before all filters. */
const PRIORITY = -300;

const RETRY_MS = 1_000;

export interface HostSilenceOptions {
  readonly interfaces: readonly string[];
  readonly guePort: number | undefined;
  /** nft ended by itself: until onRestored the host answers, too. It is started again. */
  readonly onLost: (error: Error) => void;
  readonly onRestored: () => void;
}

export class HostSilence implements AsyncDisposable {
  readonly #options: HostSilenceOptions;
  #nft: Nft | undefined;
  #isOpen = true;

  private constructor(options: HostSilenceOptions) {
    this.#options = options;
  }

  /** Rejects with nft's words when that cannot be. */
  static async open(options: HostSilenceOptions): Promise<HostSilence> {
    const silence = new HostSilence(options);
    await silence.#start();
    return silence;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    await this.#nft?.end();
  }

  async #start(): Promise<void> {
    const nft = new Nft((error) => {
      // Of one that did not get as far as making its table, the starter tells.
      if (nft === this.#nft) void this.#restart(error);
    });
    try {
      await nft.make(TABLE, tableCommand(this.#options));
    } catch (error) {
      await nft.end();
      const said = (error as Error).message;
      const hint = said.includes("not permitted") ? " (it needs CAP_NET_ADMIN)" : "";
      throw new NftError(`Cannot silence the host's own stack: ${said}${hint}`, { cause: error });
    }
    this.#nft = nft;
    if (!this.#isOpen) await nft.end();
  }

  async #restart(error: Error): Promise<void> {
    this.#nft = undefined;
    this.#options.onLost(error);
    while (this.#isOpen) {
      await sleep(RETRY_MS, undefined, { ref: false });
      if (!this.#isOpen) return;
      try {
        await this.#start();
        this.#options.onRestored();
        return;
      } catch (again) {
        this.#options.onLost(again as Error);
      }
    }
  }
}

/** IP in IP with either family in it, GRE; and GUE. */
function tableCommand({ interfaces, guePort }: HostSilenceOptions): string {
  const arrived = `iifname { ${interfaces.map((name) => `"${name}"`).join(", ")} }`;
  const rules = [
    `type filter hook input priority ${PRIORITY}; policy accept`,
    `${arrived} meta l4proto { 4, 41, 47 } drop`,
    ...(guePort === undefined ? [] : [`${arrived} udp dport ${guePort} drop`]),
  ];
  return `add table ${TABLE} { flags owner; chain input { ${rules.join("; ")}; }; }`;
}
