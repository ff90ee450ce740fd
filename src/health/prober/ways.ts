/** Which way probes go: as the host's own connections do, or through VIPs (path/), loaded with the first that does. */
import { Address } from "../../net/address.ts";
import type { Outcome, ProbeTarget } from "../checker.ts";
import type { ProbePath } from "../path/probe-path.ts";
import type { VipPath } from "../path/vip-path.ts";
import type { WatchTarget } from "../target.ts";

/** Where a probe goes now. "later": that cannot be said just now. `warning`: not where it should. */
export type Way = { readonly target: ProbeTarget; readonly warning?: string } | "later";

export interface WaysOptions {
  readonly warn: (message: string) => void;
  readonly inform: (message: string) => void;
}

/** Targets that come together are made ways for together. */
const SETTLE_MS = 10;

export class Ways {
  readonly #options: WaysOptions;
  readonly #users = new Map<string, { readonly path: VipPath; count: number }>();
  #path: ProbePath | undefined;
  /** Why there is no path. */
  #refusal: string | undefined;
  #isOpening = false;
  /** What is wanted will be told soon. */
  #isDue = false;

  constructor(options: WaysOptions) {
    this.#options = options;
  }

  add(target: WatchTarget): void {
    const key = keyOf(target);
    if (key === undefined) return;
    const known = this.#users.get(key);
    if (known !== undefined) known.count++;
    else {
      this.#users.set(key, { path: pathOf(target), count: 1 });
      this.#wantSoon();
    }
  }

  remove(target: WatchTarget): void {
    const key = keyOf(target);
    const known = key && this.#users.get(key);
    if (!known || --known.count > 0) return;
    this.#users.delete(key);
    this.#wantSoon();
  }

  /** Of the next probe. */
  of(target: WatchTarget): Way {
    const { address, port } = target;
    const key = keyOf(target);
    if (key === undefined) return { target };
    const straight = { address, port };
    if (this.#refusal !== undefined) return { target: straight, warning: this.#refusal };
    const path = this.#users.get(key)?.path;
    if (this.#path === undefined || path === undefined) return "later";
    const way = this.#path.wayOf(path);
    if (way.kind === "later") return "later";
    if (way.kind === "vip") return { target: { ...straight, source: way.source } };
    return way.isUsual
      ? { target: straight }
      : { target: straight, warning: `${STRAIGHT}: ${way.why}` };
  }

  /** Whether what came of a probe tells of its local port alone, which somebody else has: it is not given again. */
  isPortsFault({ source }: ProbeTarget, { up, why }: Outcome): boolean {
    if (up || source?.port === undefined || !why.includes("EADDRINUSE")) return false;
    this.#path?.avoid(source.port);
    return true;
  }

  #wantSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      void this.#want();
    }, SETTLE_MS);
  }

  async #want(): Promise<void> {
    if (this.#isOpening || this.#refusal !== undefined) return;
    if (this.#path === undefined) await this.#open();
    // Who refuses has said so, and tries again.
    await this.#path?.want([...this.#users.values()].map(({ path }) => path)).catch(() => {});
  }

  async #open(): Promise<void> {
    this.#isOpening = true;
    const { warn, inform } = this.#options;
    try {
      const module = await import("../path/probe-path.ts");
      this.#path = await module.ProbePath.open({
        warn: (message, error) =>
          warn(error === undefined ? message : `${message}: ${said(error)}`),
        inform,
      });
    } catch (error) {
      this.#refusal = `${STRAIGHT}: ${said(error)}`;
      warn(`all servers are ${this.#refusal}`);
    }
    this.#isOpening = false;
  }
}

const STRAIGHT = "asked at their own addresses, not through the VIP";

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function keyOf({ address, through }: WatchTarget): string | undefined {
  return through && `${address} ${JSON.stringify(through)}`;
}

function pathOf({ address, through }: WatchTarget): VipPath {
  const { vip, tunnel, isPing } = through!;
  return { vip: Address.parse(vip)!, server: Address.parse(address)!, tunnel, isPing };
}
