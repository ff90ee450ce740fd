/** systemd's side of sd_notify(3): a datagram socket, by a path or an abstract name, and what came to it. */
import { rmSync } from "node:fs";
import { bind, close, ReadableWatch, receive, socket } from "../src/engine/host/system/libc.ts";
import { unixAddress } from "../src/engine/host/system/unix-datagrams.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const DATAGRAM_MAX = 65_536;

export class ManagerSocket implements Disposable {
  readonly name: string;
  readonly #fd: number;
  readonly #watch: ReadableWatch;
  readonly #lines: string[] = [];

  constructor(name: string) {
    this.name = name;
    this.#fd = socket(AF_UNIX, SOCK_DGRAM, 0, "be told");
    bind(this.#fd, unixAddress(name)!, `have ${name}`);
    this.#watch = new ReadableWatch(this.#fd, () => this.#drain());
  }

  /** What came since it was asked last, a line each. */
  take(): string[] {
    this.#drain();
    return this.#lines.splice(0);
  }

  /** What came so far, and stays. */
  get lines(): readonly string[] {
    this.#drain();
    return this.#lines;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    close(this.#fd);
    if (this.name.startsWith("/")) rmSync(this.name, { force: true });
  }

  #drain(): void {
    const into = new Uint8Array(DATAGRAM_MAX);
    for (;;) {
      const length = receive(this.#fd, into);
      if (length < 0) return;
      this.#lines.push(...Buffer.from(into.subarray(0, length)).toString().split("\n"));
    }
  }
}
