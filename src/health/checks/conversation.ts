/** A stream of bytes from a server that nobody trusts: read piece by piece, never more than what was asked for. */
import type { Socket } from "node:net";
import { lastWord, owned, shared } from "./connection.ts";
import { ProbeFailure, waitFor } from "./probe.ts";

/** What a greeting may take. */
const READ_MAX_BYTES = 4_096;

export class Conversation implements Disposable {
  #stream: Socket;
  #isShared = false;
  readonly #signal: AbortSignal;
  #received: Buffer = Buffer.alloc(0);
  #fault: Error | undefined;
  #ended = false;
  #wake: () => void = () => {};
  /** Of our end. */
  readonly localAddress: string | undefined;

  /** Takes the stream over, and destroys it in the end. */
  constructor(stream: Socket, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    this.localAddress = stream.localAddress;
    this.#listen(stream);
  }

  /** Goes on over what `make` makes of the stream, with nothing left of what was said before: RFC 3207 section 4.2. */
  async continueOver(make: (stream: Socket) => Promise<Socket>): Promise<void> {
    this.#stream.removeAllListeners("readable");
    this.#isShared = true;
    this.#stream = await make(this.#stream);
    this.#received = Buffer.alloc(0);
    this.#ended = false;
    this.#listen(this.#stream);
  }

  #listen(stream: Socket): void {
    const turn = () => {
      if (stream === this.#stream) this.#wake();
    };
    const end = () => {
      if (stream === this.#stream) this.#ended = true;
      turn();
    };
    stream.on("readable", turn);
    stream.on("error", (error) => {
      this.#fault ??= error;
      end();
    });
    for (const event of ["end", "close"]) stream.on(event, end);
  }

  /** Says the last thing, after which the server closes the connection. */
  async sendLast(bytes: string | Uint8Array): Promise<void> {
    this.#stream.removeAllListeners("readable");
    this.send(bytes);
    await lastWord(this.#stream, "end");
  }

  send(bytes: string | Uint8Array): void {
    this.#stream.write(bytes);
  }

  /**
   * What `parse` makes of the bytes that came since the last read, all of which are then gone; it says undefined as long
   * as there are too few.
   */
  async read<Value>(
    what: string,
    parse: (received: Buffer) => Value | undefined,
    maxBytes = READ_MAX_BYTES,
  ): Promise<Value> {
    for (;;) {
      this.#take(maxBytes);
      const value = this.#received.length > 0 ? parse(this.#received) : undefined;
      if (value !== undefined) {
        this.#received = Buffer.alloc(0);
        return value;
      }
      if (this.#received.length >= maxBytes) {
        throw new ProbeFailure(`${what} is longer than ${maxBytes} bytes`);
      }
      if (this.#ended && this.#stream.readableLength === 0) {
        throw (
          this.#fault ?? new ProbeFailure(`the server closed the connection instead of ${what}`)
        );
      }
      await waitFor<void>(this.#signal, what, (resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(maxBytes: number): void {
    while (this.#received.length < maxBytes) {
      const chunk: Buffer | null = this.#stream.read();
      if (chunk === null) return;
      this.#received = Buffer.concat([this.#received, chunk]);
    }
  }

  [Symbol.dispose](): void {
    (this.#isShared ? shared : owned)(this.#stream)[Symbol.dispose]();
  }
}

/** For `read`: one line, without its end. */
export function line(received: Buffer): string | undefined {
  const end = received.indexOf("\n");
  return end < 0 ? undefined : received.toString("latin1", 0, end).replace(/\r$/, "");
}
