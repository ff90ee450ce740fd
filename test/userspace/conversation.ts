/** Questions to a program that answers each line of its standard input by one line, in JSON. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { decode, encode } from "./engine-json.ts";

export class Conversation {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: ((line: string | Error) => void)[] = [];
  #complaints = "";
  #isOver = false;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stderr.on("data", (chunk: Buffer) => {
      this.#complaints += chunk.toString();
    });
    child.stdin.on("error", () => {});
    createInterface({ input: child.stdout })
      .on("line", (line) => this.#waiting.shift()?.(line))
      .once("close", () => {
        this.#isOver = true;
        for (const answer of this.#waiting) answer(new Error(`ended: ${this.#complaints}`));
      });
  }

  /** Resolves when the program has said that it is ready. Rejects with its complaints when it ends instead. */
  static async with(child: ChildProcessWithoutNullStreams): Promise<Conversation> {
    const conversation = new Conversation(child);
    await conversation.#answer();
    return conversation;
  }

  /** Rejects when the program has ended. */
  async ask<Answer>(question: unknown): Promise<Answer> {
    const answer = this.#answer();
    this.#child.stdin.write(`${encode(question)}\n`);
    return decode(await answer) as Answer;
  }

  /** Ends the program's standard input, and waits for its end. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.stdin.end();
    await ended;
    this.#isOver = true;
  }

  #answer(): Promise<string> {
    if (this.#isOver) return Promise.reject(new Error(`ended: ${this.#complaints}`));
    return new Promise((resolve, reject) => {
      this.#waiting.push((line) => (line instanceof Error ? reject(line) : resolve(line)));
    });
  }
}
