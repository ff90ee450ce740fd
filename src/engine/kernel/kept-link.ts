/** A program at an interface that goes on running there when the process has ended. */
import { close } from "../host/system/libc.ts";
import { ATTACH, createLink, linkInformation, programId, updateLink } from "./bpf-call.ts";
import type { Direction } from "./clsact.ts";
import type { Pins } from "./pins.ts";

export class KeptLink implements Disposable {
  readonly #pins: Pins;
  readonly #name: string;
  readonly #fd: number;
  /** Goes on running when this is disposed of. */
  stays = false;

  /**
   * Goes on with what an earlier process has run there, from the next packet on as `program`. Throws a SystemCallError: EINVAL
   * where the kernel has no tcx (before 6.6).
   */
  constructor(
    pins: Pins,
    program: number,
    interfaceIndex: number,
    direction: Direction,
    attempt: string,
  ) {
    this.#pins = pins;
    this.#name = linkName(interfaceIndex, direction);
    const found = this.#find(program, interfaceIndex, ATTACH[direction]);
    if (found !== undefined) {
      this.#fd = found;
      return;
    }
    this.#fd = createLink(program, interfaceIndex, ATTACH[direction], attempt);
    try {
      pins.keepLink(this.#name, this.#fd);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (!this.stays) this.#pins.removeLink(this.#name);
    close(this.#fd);
  }

  #find(program: number, interfaceIndex: number, direction: number): number | undefined {
    const fd = this.#pins.link(this.#name);
    if (fd === undefined) return undefined;
    const found = linkInformation(fd);
    if (found.interfaceIndex === interfaceIndex && found.direction === direction) {
      if (found.program !== programId(program)) updateLink(fd, program);
      return fd;
    }
    this.#pins.removeLink(this.#name);
    close(fd);
    return undefined;
  }
}

export function linkName(interfaceIndex: number, direction: Direction): string {
  return `${interfaceIndex}-${direction}`;
}
