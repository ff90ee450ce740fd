/** A program at an interface that goes on running there when the process has ended. */
import { close } from "../host/system/libc.ts";
import {
  createLink,
  detachLink,
  type HookPoint,
  linkInformation,
  programId,
  updateLink,
} from "./bpf-call.ts";
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
    point: HookPoint,
    attempt: string,
  ) {
    this.#pins = pins;
    this.#name = linkName(interfaceIndex, point);
    const found = this.#find(program, interfaceIndex, point);
    if (found !== undefined) {
      this.#fd = found;
      return;
    }
    this.#fd = createLink(program, interfaceIndex, point, attempt);
    try {
      pins.keepLink(this.#name, this.#fd);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (!this.stays) end(this.#pins, this.#name, this.#fd);
    close(this.#fd);
  }

  #find(program: number, interfaceIndex: number, point: HookPoint): number | undefined {
    const fd = this.#pins.link(this.#name);
    if (fd === undefined) return undefined;
    using unless = new DisposableStack();
    unless.defer(() => close(fd));
    const found = linkInformation(fd);
    const isThere =
      found.interfaceIndex === interfaceIndex &&
      found.type === point.type &&
      found.direction === point.direction;
    if (!isThere) {
      this.#pins.removeLink(this.#name);
      return undefined;
    }
    if (found.program !== programId(program)) updateLink(fd, program);
    unless.move();
    return fd;
  }
}

/** What is kept under a name, if anything is, ends. */
export function endKept(pins: Pins, name: string): void {
  const fd = pins.link(name);
  if (fd === undefined) return;
  end(pins, name, fd);
  close(fd);
}

/** At once, and not when the kernel gets to it: another may be waiting for its place. */
function end(pins: Pins, name: string, fd: number): void {
  pins.removeLink(name);
  try {
    detachLink(fd);
  } catch {
    // Its interface has gone, or the kernel ends it when nobody has it any more.
  }
}

export function linkName(interfaceIndex: number, { name }: HookPoint): string {
  return `${interfaceIndex}-${name}`;
}
