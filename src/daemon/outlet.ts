/**
 * Text out of the process by a descriptor whose reader may stand still: never waits, and counts what did not fit.
 *
 * A write to a full pipe, terminal or socket stops the whole thread, and with it every connection that is balanced. To
 * make the descriptor itself non-blocking (O_NONBLOCK) would do so for every process that shares it, a shell's other
 * commands included. So a pipe or terminal is opened once more by its name in /proc (proc_pid_fd(5)), which gives an open
 * file description of our own; a socket, which cannot be opened so, is sent to with MSG_DONTWAIT.
 */
import { constants, fstatSync, openSync, write, writeSync } from "node:fs";
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
    this.#way = wayTo(fd);
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

function wayTo(fd: number): Way {
  const status = fstatSync(fd);
  if (status.isSocket()) return socketWay(fd);
  // Files do not make a writer wait for a reader; opened once more, one would be written from its beginning.
  return status.isFIFO() || status.isCharacterDevice() ? reopenedWay(fd) : fileWay(fd);
}

function reopenedWay(fd: number): Way {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return fileWay(openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY));
  } catch {
    // Somebody else's.
    return (bytes) =>
      new Promise((resolve) => {
        write(fd, bytes, (error, written) => resolve(error === null ? written : codeOf(error)));
      });
  }
}

function fileWay(fd: number): Way {
  return (bytes) => {
    try {
      return writeSync(fd, bytes);
    } catch (error) {
      return codeOf(error as NodeJS.ErrnoException);
    }
  };
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
