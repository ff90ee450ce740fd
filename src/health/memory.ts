/**
 * Which servers were down a moment ago, for the daemon that comes after this one: a file beside the socket, which a reboot
 * empties. No part of the state: whoever finds none, or an old one, begins from the start (docs/decisions/0014).
 */
import { createHash } from "node:crypto";
import { readFile, rename, stat, utimes, writeFile } from "node:fs/promises";

/** Older ones tell nothing: a server that was down then may long be up. */
const FRESH_MS = 60_000;

const LOOK_MS = 1_000;
const STAMP_MS = 15_000;

interface Content {
  readonly down: readonly string[];
}

/** Marks of those that were known to be down; empty when nobody can tell. */
export async function remembered(path: string): Promise<Set<string>> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > FRESH_MS) return new Set();
    const { down } = JSON.parse(await readFile(path, "utf8")) as Content;
    return new Set(down.map(String));
  } catch {
    return new Set();
  }
}

export function markOf(watchKey: string): string {
  return createHash("sha1").update(watchKey).digest("base64url");
}

export class HealthMemory implements Disposable {
  readonly #path: string;
  readonly #knownDown: () => Iterable<string>;
  readonly #timer: NodeJS.Timeout;
  #written: string | undefined;
  #stampedAt = 0;
  #isWriting = false;

  constructor(path: string, knownDown: () => Iterable<string>) {
    this.#path = path;
    this.#knownDown = knownDown;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      const text = JSON.stringify({ down: [...this.#knownDown()].sort() } satisfies Content);
      const now = Date.now();
      if (text !== this.#written) {
        const path = `${this.#path}.new`;
        await writeFile(path, text, { mode: 0o600 });
        await rename(path, this.#path);
      } else if (now - this.#stampedAt >= STAMP_MS) {
        await utimes(this.#path, new Date(now), new Date(now));
      } else return;
      this.#written = text;
      this.#stampedAt = now;
    } catch {
      // Without it the next daemon begins from the start; this one loses nothing. It is tried again.
      this.#written = undefined;
    } finally {
      this.#isWriting = false;
    }
  }
}
