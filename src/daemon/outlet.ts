/**
 * Text out of the process by a descriptor whose reader may stand still: never waits, and counts what did not fit.
 *
 * A write to a full pipe, terminal or socket stops the whole thread, and with it every connection that is balanced. To
 * make the descriptor itself non-blocking (O_NONBLOCK) would do so for every process that shares it, a shell's other
 * commands included. So a pipe or terminal is opened once more by its name in /proc (proc_pid_fd(5)), which gives an open
 * file description of our own; a socket, which cannot be opened so, is sent to with MSG_DONTWAIT. A file knows no
 * O_NONBLOCK: a disk that is slow, or a file server that is away, makes a thread of Node's pool wait, and not ours.
 */
import { constants, fstatSync, openSync, type Stats, write, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoName, send } from "../engine/host/system/libc.ts";

export interface OutletOptions {
  /** Bytes that wait for the reader at most. */
  readonly bytesMax?: number;
  /** There is room again after `count` writes had none: what is written now comes where they are missing. */
  readonly onLost: (count: number) => void;
}

const BYTES_MAX = 1 << 20;
/** How often a full descriptor is tried again. */
const RETRY_MS = 50;

/** How many bytes were taken, or an error's code: "EAGAIN" when none can be now. */
type Answer = number | string;

/** A promise when a thread of Node's pool waits in our place. */
type Way = (bytes: Uint8Array) => Answer | Promise<Answer>;

export class Outlet {
  readonly #fd: number;
  readonly #isFile: boolean;
  readonly #way: Way;
  readonly #bytesMax: number;
  readonly #onLost: (count: number) => void;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #isWriting = false;
  #retry: NodeJS.Timeout | undefined;
  #lost = 0;
  #lostInAll = 0;
  #isClosed = false;

  constructor(fd: number, { bytesMax = BYTES_MAX, onLost }: OutletOptions) {
    const status = fstatSync(fd);
    this.#fd = fd;
    this.#isFile = status.isFile();
    this.#way = wayTo(fd, status);
    this.#bytesMax = bytesMax;
    this.#onLost = onLost;
  }

  /** Writes that were lost so far. */
  get lost(): number {
    return this.#lostInAll;
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    // Once something is lost so is what follows, until that can be said in its place.
    if (this.#isClosed || this.#lost > 0 || this.#bytes + bytes.length > this.#bytesMax) {
      this.#lost++;
      this.#lostInAll++;
      return;
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    this.#write();
  }

  /** Resolves when all is written, or after so long. Nothing is written any more then. */
  async end(patienceMs: number): Promise<void> {
    const until = performance.now() + patienceMs;
    while (this.#bytes > 0 && performance.now() < until) {
      this.#write();
      await sleep(1);
    }
    this.#isClosed = true;
    clearTimeout(this.#retry);
  }

  /** Before the process ends at once: a file gets what waits for the write that is under way. May wait for its disk. */
  flush(): void {
    if (!this.#isFile) return;
    const rest = this.#waiting.splice(this.#isWriting ? 1 : 0);
    for (const bytes of rest) {
      this.#bytes -= bytes.length;
      if (typeof writeNow(this.#fd, bytes) === "string") this.#lostInAll++;
    }
  }

  #write(): void {
    if (this.#isWriting) return;
    clearTimeout(this.#retry);
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const answer = this.#way(this.#waiting[0]!);
      if (answer instanceof Promise) {
        void answer.then((late) => {
          this.#isWriting = false;
          if (this.#hear(late)) this.#write();
        });
        return;
      }
      if (!this.#hear(answer)) break;
    }
    this.#isWriting = false;
  }

  /** False when nothing more is taken for now. */
  #hear(answer: Answer): boolean {
    if (answer === "EAGAIN") {
      this.#retry = setTimeout(() => this.#write(), RETRY_MS);
      this.#retry.unref();
      return false;
    }
    if (typeof answer === "number") {
      this.#taken(answer);
    } else {
      // The reader is gone (EPIPE), a disk is full (ENOSPC), ...: the next write may fare better.
      this.#taken(this.#waiting[0]!.length);
      this.#lostInAll++;
    }
    if (this.#lost > 0 && this.#bytes <= this.#bytesMax / 2 && !this.#isClosed) {
      const lost = this.#lost;
      this.#lost = 0;
      this.#onLost(lost);
    }
    return true;
  }

  #taken(length: number): void {
    const first = this.#waiting[0]!;
    this.#bytes -= length;
    if (length < first.length) this.#waiting[0] = first.subarray(length);
    else this.#waiting.shift();
  }
}

function wayTo(fd: number, status: Stats): Way {
  if (status.isSocket()) return socketWay(fd);
  // Opened once more, a file would be written from its beginning.
  return status.isFIFO() || status.isCharacterDevice() ? reopenedWay(fd) : pooledWay(fd);
}

function reopenedWay(fd: number): Way {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    const own = openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    return (bytes) => writeNow(own, bytes);
  } catch {
    // Somebody else's.
    return pooledWay(fd);
  }
}

/** Written where the descriptor stands: at the end, as others that share it do. */
function pooledWay(fd: number): Way {
  return (bytes) =>
    new Promise((resolve) => {
      write(fd, bytes, (error, written) => resolve(error === null ? written : codeOf(error)));
    });
}

function writeNow(fd: number, bytes: Uint8Array): Answer {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    return codeOf(error as NodeJS.ErrnoException);
  }
}

function socketWay(fd: number): Way {
  return (bytes) => {
    const sent = send(fd, bytes);
    return sent < 0 ? errnoName(-sent) : sent;
  };
}

function codeOf({ code, message }: NodeJS.ErrnoException): string {
  return code ?? message;
}
