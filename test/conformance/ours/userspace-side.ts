/** The userspace engine as a side: real frames on network devices of a namespace that goes with its only process. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Case, Report, Side } from "../case.ts";
import { decodeReports, type PlacedCase } from "./worker-words.ts";

const WORKER = join(import.meta.dirname, "userspace-worker.ts");

export interface UserspaceSideOptions {
  /** The worker is ended when it takes longer. */
  readonly timeoutMs: number;
  readonly onCaseDone?: () => void;
}

export class UserspaceSide implements Side {
  readonly #options: UserspaceSideOptions;

  constructor(options: UserspaceSideOptions) {
    this.#options = options;
  }

  async perform(cases: readonly Case[]): Promise<Report[][]> {
    const placed = cases.map((each, index): PlacedCase => ({ index, each }));
    const groups = [...Map.groupBy(placed, ({ each }) => each.group).values()];
    const reports = cases.map((): Report[] => []);
    const { timeoutMs, onCaseDone } = this.#options;
    // The namespace has no name: it is gone when the worker is, which ends with its standard input at the latest.
    const worker = spawn(
      "unshare",
      ["--net", "--", process.execPath, "--disable-warning=ExperimentalWarning", WORKER],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    const timer = setTimeout(() => worker.kill("SIGKILL"), timeoutMs);
    try {
      const ended = untilEnd(worker);
      worker.stdin.on("error", () => {});
      worker.stdin.write(`${JSON.stringify(groups)}\n`);
      const lines = createInterface({ input: worker.stdout });
      lines.on("line", (line) => {
        const [index, of] = decodeReports(line);
        reports[index] = of;
        onCaseDone?.();
      });
      await ended;
    } finally {
      clearTimeout(timer);
      worker.kill("SIGKILL");
    }
    return reports;
  }
}

/** Rejects when it fails, with what it complained of. */
async function untilEnd(worker: ChildProcess): Promise<void> {
  let complaints = "";
  worker.stderr?.on("data", (chunk) => {
    complaints += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    worker.once("error", reject);
    worker.once("close", (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `The userspace engine's worker ended (${signal ?? `exit code ${code}`}): ${complaints}`,
          ),
        );
    });
  });
  if (complaints !== "") process.stderr.write(complaints);
}
