/** The userspace or kernel engine as a side: real frames on network devices of a namespace that goes with its only process. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Admission } from "../../../src/daemon/options.ts";
import type { OnReports, PlacedCase, Side } from "../case.ts";
import { shares, turns } from "../shares.ts";
import { decodeReports } from "./worker-words.ts";

const WORKER = join(import.meta.dirname, "userspace-worker.ts");
/** In a namespace of its own. */
const WORDS = ["--net", "--", process.execPath, "--disable-warning=ExperimentalWarning", WORKER];

export interface UserspaceSideOptions {
  readonly engine: "userspace" | "kernel";
  readonly admission: Admission;
  /** What a side has started is ended when it takes longer. */
  readonly timeoutMs: number;
}

export class UserspaceSide implements Side {
  readonly #engine: string;
  readonly #admission: Admission;
  readonly #timeoutMs: number;

  constructor({ engine, admission, timeoutMs }: UserspaceSideOptions) {
    this.#engine = engine;
    this.#admission = admission;
    this.#timeoutMs = timeoutMs;
  }

  /** In several namespaces at once: what is short of something is time, in which cases wait, not a processor. */
  async perform(cases: readonly PlacedCase[], onReports: OnReports): Promise<void> {
    const parts = { packets: 3, commands: 1 };
    const byCounts = this.#engine === "kernel" ? cases.filter(isByCounts) : [];
    const others = cases.filter((each) => !byCounts.includes(each));
    await Promise.all([
      // As soon as they may go by, so that most packets do.
      ...shares(others, parts).map((share) => this.#performIn(share, onReports, "0")),
      ...shares(byCounts, parts).map((share) => this.#performIn(share, onReports)),
    ]);
  }

  async #performIn(
    share: readonly PlacedCase[],
    onReports: OnReports,
    ...packetsSeen: readonly string[]
  ): Promise<void> {
    // The namespace has no name: it is gone when the worker is, which ends with its standard input at the latest.
    const worker = spawn("unshare", [...WORDS, this.#engine, this.#admission, ...packetsSeen], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const timer = setTimeout(() => worker.kill("SIGKILL"), this.#timeoutMs);
    try {
      const ended = untilEnd(worker);
      createInterface({ input: worker.stdout }).on("line", (line) =>
        onReports(...decodeReports(line)),
      );
      // When it ends too early, its end tells why.
      worker.stdin.on("error", () => {});
      worker.stdin.write(`${JSON.stringify(turns(share))}\n`);
      await ended;
    } finally {
      clearTimeout(timer);
      worker.kill("SIGKILL");
    }
  }
}

/** What drop_entry spares depends on a connection's packets, of which the director is to see nine (kernel-flows.ts). */
function isByCounts({ each }: PlacedCase): boolean {
  return each.group === "drop_entry";
}

/** Rejects when it fails, with what it complained of. */
async function untilEnd(worker: ChildProcessByStdio<Writable, Readable, Readable>): Promise<void> {
  let complaints = "";
  worker.stderr.on("data", (chunk) => {
    complaints += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`The engine's worker ended (${signal ?? code}): ${complaints}`));
    });
  });
  // What the engine warned of.
  process.stderr.write(complaints);
}
