/**
 * What is left of a process that has gone: a shell that keeps nft's standard input open for some seconds, and with it the
 * door's tables. Their rules duplicate into a lane that is no more, which fails, and then drop: so services' packets are
 * lost meanwhile, where the host's own stack would refuse them (a reset ends a connection; what is lost is sent again).
 * docs/decisions/0008-connections-outlive-the-process.md
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import type { Keepers } from "./keepers.ts";

export interface Grace {
  /** How long tables stay when the process has gone; 0: not at all. */
  readonly seconds: number;
  /** What goes with them, unless somebody has it locked. */
  readonly file: string;
  readonly keepers: Keepers;
}

/**
 * It waits for the end of its standard input, which comes with ours. Its standard output is nft's input, so nothing else
 * may have or use that.
 */
const SCRIPT = [
  "cat >/dev/null",
  'sleep "$1" >/dev/null',
  'flock -n "$2" rm -f "$2" >/dev/null 2>&1',
].join("; ");

export class Keeper {
  readonly #child: ChildProcess;
  readonly #keepers: Keepers;

  /** `nft`: its standard input. `number`: of its tables. */
  constructor(nft: Writable, { seconds, file, keepers }: Grace, number: number) {
    this.#keepers = keepers;
    this.#child = spawn("sh", ["-c", SCRIPT, "sluice-keeper", String(seconds), file], {
      detached: true,
      stdio: ["pipe", nft, "ignore"],
    });
    // Without it the tables go with us, as they do without grace.
    this.#child.on("error", () => {});
    this.#child.stdin?.on("error", () => {});
    this.#child.unref();
    (this.#child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    if (this.#child.pid !== undefined) keepers.add(this.#child.pid, number);
  }

  /** From now on it counts the seconds. */
  leave(): void {
    this.#child.stdin?.destroy();
  }

  end(): void {
    if (this.#child.pid !== undefined) this.#keepers.end(this.#child.pid);
  }
}
