/**
 * A long-lived nft(8): takes commands as transactions, and owns the tables that it makes with `flags owner`.
 *
 * However this process ends, the child's standard input closes, the child ends, and the kernel removes its tables.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

const ANSWER_TIMEOUT_MS = 10_000;

/** nft(8) could not do what it was asked, in its own words. */
export class NftError extends Error {
  override readonly name = "NftError";
}

export class NftSession implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #onEnd: (error: NftError) => void;
  #output = "";
  #waiting:
    | { readonly settle: (output: string | NftError) => void; readonly marker: string }
    | undefined;
  #ended: NftError | undefined;
  #closing = false;
  #counter = 0;

  /** `onEnd` is called when nft ends by itself: its tables are gone. */
  constructor(onEnd: (error: NftError) => void) {
    this.#onEnd = onEnd;
    const child = spawn("nft", ["-i"], {
      stdio: "pipe",
      // Its own process group: a Ctrl-C in the terminal is ours to handle, nft goes last.
      detached: true,
      env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
    });
    this.#child = child;
    const collect = (chunk: string): void => {
      this.#output += chunk;
      this.#read();
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.stdin.on("error", () => undefined);
    child.on("error", (error) => this.#end(`cannot run nft: ${error.message}`));
    child.on("exit", (code, signal) => this.#end(`nft ended (${signal ?? code})`));
  }

  /**
   * Sends commands that nft takes as one transaction, and waits until they are done: all or, when it throws, none of
   * them. One call at a time.
   */
  async run(commands: string): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    const marker = `sluice-${++this.#counter}`;
    const answer = new Promise<string | NftError>((resolve) => {
      // Whether it has done them is not known then; after its end it is, because its tables are gone.
      const timer = setTimeout(() => this.#child.kill("SIGKILL"), ANSWER_TIMEOUT_MS);
      const settle = (output: string | NftError): void => {
        clearTimeout(timer);
        resolve(output);
      };
      this.#waiting = { settle, marker };
    });
    this.#output = "";
    // Interactive nft runs a line at a time, so commands are joined by ";" and make one transaction. A table named as
    // the marker does not exist: the complaint about it says that everything before has been done.
    this.#child.stdin.write(`${commands}\nlist table inet ${marker}\n`);
    const output = await answer;
    if (output instanceof NftError) throw output;
    const failure = /Error: .*/.exec(output)?.[0];
    if (failure !== undefined) throw new NftError(`nft refused the rules: ${failure}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    if (this.#ended !== undefined) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stdin.end();
    await ended;
  }

  #read(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const end = this.#output.indexOf(`list table inet ${waiting.marker}`);
    if (end < 0) return;
    this.#waiting = undefined;
    // The complaint's own "Error:" stands in the line before the quoted command.
    const before = this.#output.slice(0, end);
    waiting.settle(before.slice(0, before.lastIndexOf("Error: ")));
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    const error = new NftError(why);
    this.#ended = error;
    this.#waiting?.settle(error);
    this.#waiting = undefined;
    if (!this.#closing) this.#onEnd(error);
  }
}
