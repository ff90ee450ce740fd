/**
 * A conversation with nft(8): one `nft -i` process that lives as long as its tables shall.
 *
 * Its tables have `flags owner`: the kernel removes them with the netlink socket that made them, that is, with nft, and
 * nft ends with our end of its standard input. So nothing is left behind even when this process is killed; with grace not
 * for ever (keeper.ts).
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Grace, Keeper } from "./keeper.ts";

/** What nft said when it refused. */
export class NftError extends Error {
  override readonly name = "NftError";
}

/** nft is often installed where the PATH of ordinary users does not lead. */
export const NFT_PATH = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;

/**
 * nft takes us for somebody who types: it would read all that it was ever told from a file in the home folder, add to it
 * at its end (init_histfile(), src/cli.c), and ask what the terminal can do.
 */
const ENVIRONMENT = { ...process.env, PATH: NFT_PATH, HOME: "/dev/null", TERM: "dumb" };

/** For how long another's table is waited for. */
const REMAINS_MS = 5_000;
const RETRY_MS = 10;

const END_MAX_MS = 5_000;

interface Pending {
  readonly mark: string;
  readonly resolve: () => void;
  readonly reject: (error: NftError) => void;
}

export class Nft {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<void>;
  readonly #pending: Pending[] = [];
  #said = "";
  #count = 0;
  #failure: NftError | undefined;
  #keeper: Keeper | undefined;
  #onEnd: (error: NftError) => void;

  /** `onEnd` is called when nft ends without having been told to. */
  constructor(onEnd: (error: NftError) => void = () => {}) {
    this.#onEnd = onEnd;
    // Detached: a Ctrl-C at our terminal is not meant for nft.
    this.#child = spawn("nft", ["-i"], { detached: true, env: ENVIRONMENT });
    // Without a free descriptor there is neither a process nor its streams: "error" below tells.
    const { stdin, stdout, stderr } = this.#child as Partial<ChildProcessWithoutNullStreams>;
    stdout?.resume();
    stderr?.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    // The same trouble ends the process, which is told of below.
    for (const stream of [stdin, stdout, stderr]) stream?.on("error", () => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    const end = (why: string): void => {
      resolve();
      if (this.#failure !== undefined) return;
      this.#keeper?.end();
      this.#failure = new NftError(why);
      for (const { reject } of this.#pending.splice(0)) reject(this.#failure);
      this.#onEnd(this.#failure);
    };
    this.#child.once("error", (error) => {
      const isMissing = "code" in error && error.code === "ENOENT";
      end(isMissing ? "nft was not found: install nftables" : `nft: ${error.message}`);
    });
    this.#child.once("close", (code, signal) => {
      end(`nft ended by ${signal ?? `itself with status ${code}`}: ${errorsIn(this.#said)}`);
    });
  }

  /** From now on `onEnd` is called. When nft has ended already, whatever it is told to do is refused. */
  set onEnd(onEnd: (error: NftError) => void) {
    this.#onEnd = onEnd;
  }

  /** Has its tables, which have this number, outlive this process for a while. */
  keep(grace: Grace, number: number): void {
    const stdin = this.#stdin;
    if (this.#keeper !== undefined) return;
    const outlives = grace.seconds > 0 || grace.staysAtEnd === true;
    if (outlives && stdin !== undefined) this.#keeper = new Keeper(stdin, grace, number);
  }

  /** Leaves its tables to the keeper, if there is one; ends it otherwise. */
  async leave(): Promise<void> {
    if (this.#keeper === undefined) return await this.end();
    this.#failure ??= new NftError("nft was left alone");
    const { stdin, stdout, stderr } = this.#child;
    // Not end(): that would tell nft of the end of its input, which the keeper shares.
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    this.#child.unref();
    this.#keeper.leave();
  }

  /** Runs commands, separated by ";", as one transaction. Rejects with nft's words when it refuses them. */
  run(commands: string): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // nft does not say when it is done. A word that it does not know comes back on standard error, after whatever it
    // had to say about the commands.
    const mark = `done_${++this.#count}`;
    this.#pending.push({ mark, resolve, reject });
    this.#stdin?.write(`${commands}\n${mark}\n`);
    return promise;
  }

  /**
   * Makes a table, whose name `table` is, by `commands`. When its last owner was killed, the kernel removes what that one
   * left in its own time, and until then refuses to let others have it: that is waited for, some seconds at most.
   */
  async make(table: string, commands: string): Promise<void> {
    const until = performance.now() + REMAINS_MS;
    for (;;) {
      try {
        await this.run(commands);
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
      }
      // Without the table the reason was another, or it is gone just now: the next attempt tells.
      if (!(await this.has(table))) return this.run(commands);
      await sleep(RETRY_MS);
    }
  }

  /** Whether a table of this name is there. False when nft has ended. */
  has(table: string): Promise<boolean> {
    return this.run(`list table ${table}`).then(
      () => true,
      () => false,
    );
  }

  /** Ends nft, and with it its tables. Resolves when they are gone. */
  async end(): Promise<void> {
    this.#failure ??= new NftError("nft was ended");
    for (const { reject } of this.#pending.splice(0)) reject(this.#failure);
    this.#keeper?.end();
    this.#stdin?.end();
    // One that does not listen (it was stopped, or waits for the kernel) shall not keep us.
    const impatience = setTimeout(() => this.#child.kill("SIGKILL"), END_MAX_MS);
    await this.#ended;
    clearTimeout(impatience);
  }

  get #stdin(): Writable | undefined {
    return this.#child.stdin ?? undefined;
  }

  #hear(text: string): void {
    this.#said += text;
    for (;;) {
      const first = this.#pending[0];
      if (first === undefined) return;
      const end = this.#said.indexOf(`${first.mark}\n`);
      if (end < 0) return;
      this.#pending.shift();
      // The last error is about the mark.
      const errors = errorLines(this.#said.slice(0, end)).slice(0, -1);
      this.#said = this.#said.slice(end + first.mark.length + 1);
      if (errors.length === 0) first.resolve();
      else first.reject(new NftError(inWords(errors)));
    }
  }
}

/** Without the quoted commands, which can be long. */
function errorLines(said: string): string[] {
  return said.split("\n").flatMap((line) => /Error: (.*)/.exec(line)?.[1] ?? []);
}

/** Each once: nft says the same of every rule of a transaction that may not be. */
function inWords(errors: readonly string[]): string {
  return [...new Set(errors)].join("; ");
}

function errorsIn(said: string): string {
  return inWords(errorLines(said)) || "it said nothing";
}
