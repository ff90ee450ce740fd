/**
 * A network namespace that nobody but this process has, or gives away: what is in it ends with the process, whatever ends that.
 * network_namespaces(7).
 */
import { closeSync, openSync } from "node:fs";
import { enterNetwork, SystemCallError, unshareNetwork } from "./libc.ts";

/** The calling thread's, not the process's: they may differ for a moment. */
const OWN = "/proc/thread-self/ns/net";
const ATTEMPT = "have a network namespace for itself (it needs CAP_SYS_ADMIN)";

/** This thread could not return to the network namespace where it belongs: nothing that it does now is right. */
export class StrandedError extends Error {
  override readonly name = "StrandedError";
}

/** The kernel has no memory just now (ENOMEM of copy_namespaces()). */
const RETURNS_MAX = 1_000;

export class NetworkNamespace implements Disposable {
  readonly fd: number;
  readonly #home: number;

  /** `path`: of one that there is; undefined: a new one. Throws a SystemCallError when the kernel refuses. */
  constructor(path?: string) {
    this.#home = openSync(OWN, "r");
    if (path !== undefined) {
      try {
        this.fd = openSync(path, "r");
      } catch (error) {
        closeSync(this.#home);
        throw error;
      }
      return;
    }
    let fd: number | undefined;
    try {
      unshareNetwork(ATTEMPT);
      fd = openSync(OWN, "r");
    } finally {
      if (fd === undefined) closeSync(this.#home);
      else this.#return();
    }
    this.fd = fd;
  }

  /** One that somebody else has, too. Throws when it cannot be opened. */
  static at(path: string): NetworkNamespace {
    return new NetworkNamespace(path);
  }

  /** Undefined where the kernel refuses. */
  static ifGranted(): NetworkNamespace | undefined {
    try {
      return new NetworkNamespace();
    } catch (error) {
      if (error instanceof SystemCallError && error.call === "unshare") return undefined;
      throw error;
    }
  }

  /** Does `work`, which must not wait for anything, inside: sockets that it opens stay there. */
  inside<Result>(work: () => Result): Result {
    enterNetwork(this.fd, "enter a network namespace");
    try {
      return work();
    } finally {
      this.#return();
    }
  }

  #return(): void {
    for (let tries = 1; ; tries++) {
      try {
        enterNetwork(this.#home, "return to the host's network namespace");
        return;
      } catch (cause) {
        if (tries < RETURNS_MAX) continue;
        throw new StrandedError((cause as Error).message, { cause });
      }
    }
  }

  /** The namespace ends when the last of its sockets is closed, too. */
  [Symbol.dispose](): void {
    closeSync(this.fd);
    closeSync(this.#home);
  }
}
