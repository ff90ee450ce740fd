/**
 * What is left of a process that has gone: a shell that keeps nft's standard input open for some seconds, and with it the
 * door's tables. Their rules duplicate into a lane that is no more, which fails, and then drop: so services' packets are
 * lost meanwhile, where the host's own stack would refuse them (a reset ends a connection; what is lost is sent again).
 * Where programs in the kernel outlive the process it keeps the lane, too, at whose entrance they go on.
 * docs/decisions/0008-connections-outlive-the-process.md
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { LANE_DEVICE } from "./door-words.ts";
import type { Keepers } from "./keepers.ts";

export interface Grace {
  /** How long tables stay when the process has gone; 0: not at all. */
  readonly seconds: number;
  /** What goes with them, unless somebody has it locked. */
  readonly file: string;
  readonly keepers: Keepers;
  /** A folder that goes with the file; undefined: none. */
  readonly pins?: string | undefined;
  /** Goes on after an ordinary end of the process until the next one, or until somebody ends it. */
  readonly staysAtEnd?: boolean | undefined;
  /** Descriptors of what the tables lead into, from KEPT_NAMESPACE_FD on; undefined: it ends with the process. */
  readonly held?: (() => readonly (number | undefined)[]) | undefined;
}

/**
 * It waits for the end of its standard input, which comes with ours. Its standard output is nft's input, so nothing else
 * may have or use that.
 *
 * When somebody has the file locked after these seconds, the next process is at its start: it ends us as soon as it takes
 * packets. It has as long again for that; and when it ends instead, the next one has the grace anew.
 *
 * $1: seconds; $2: the lane, where nothing else removes it; $3: the file; $4: pins, which go with it, and their file system
 * with the last of them, if it is not the host's.
 */
const SCRIPT = [
  'leave() { [ "$1" != /sys/fs/bpf ] && rmdir "$1/sluice" && umount "$1" && rmdir "$1"; }',
  'remove() { [ -z "$2" ] || ip link del dev "$2"; rm -rf "$3" "$4"; [ -z "$4" ] || leave "$(dirname "$(dirname "$4")")"; true; }',
  // All of it before the next process can be at its start.
  'go() { (flock -n 9 && remove "$@") 9>>"$3"; }',
  '{ [ "$(cat)" = stay ] && while :; do sleep 86400; done',
  'sleep "$1"',
  'go "$@" || { flock -w "$1" "$3" true && sleep "$1"; go "$@"; }',
  "} >/dev/null 2>&1",
].join("; ");

/** What its standard input says last when it shall stay. */
const STAY = "stay";

/** Before one that somebody ended is started again. */
const AGAIN_MS = 1_000;

export class Keeper {
  readonly #nft: Writable;
  readonly #grace: Grace;
  readonly #number: number;
  #child: ChildProcess | undefined;
  #isWanted = true;

  /** `nft`: its standard input. `number`: of its tables. */
  constructor(nft: Writable, grace: Grace, number: number) {
    this.#nft = nft;
    this.#grace = grace;
    this.#number = number;
    this.#start();
  }

  /** From now on it counts the seconds, or stays. */
  leave(): void {
    this.#isWanted = false;
    const stdin = this.#child?.stdin;
    if (this.#grace.staysAtEnd === true) stdin?.end(STAY);
    else stdin?.destroy();
  }

  end(): void {
    this.#isWanted = false;
    if (this.#child?.pid !== undefined) this.#grace.keepers.end(this.#child.pid);
  }

  #start(): void {
    const { seconds, file, keepers, pins, held } = this.#grace;
    const kept = held?.().map((fd) => fd ?? ("ignore" as const)) ?? [];
    // Its other end lies beside it where the process may not make a network namespace, which would take it along.
    const lane = kept[0] === "ignore" ? LANE_DEVICE : "";
    const words = ["-c", SCRIPT, "sluice-keeper", String(seconds), lane, file, pins ?? ""];
    const child = spawn("sh", words, {
      detached: true,
      stdio: ["pipe", this.#nft, "ignore", ...kept],
    });
    this.#child = child;
    // Without it the tables go with us, as they do without grace.
    child.on("error", () => {});
    child.stdin?.on("error", () => {});
    child.once("exit", () => this.#ended(child));
    child.unref();
    (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    if (child.pid !== undefined) keepers.add(child.pid, this.#number);
  }

  /** Somebody ended it, the host when it lacked memory: who ends next shall not find that out. */
  #ended({ pid }: ChildProcess): void {
    if (!this.#isWanted) return;
    if (pid !== undefined) this.#grace.keepers.end(pid);
    const again = setTimeout(() => {
      if (this.#isWanted && !this.#nft.destroyed) this.#start();
    }, AGAIN_MS);
    again.unref();
  }
}
