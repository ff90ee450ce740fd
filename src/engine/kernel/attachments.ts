/** Where the programs run: one at each interface that frames come in by, one where frames enter the lane. */

import { isRepeatingPort, type Link } from "../host/links.ts";
import { SystemCallError } from "../host/system/libc.ts";
import { LANE_DEVICE } from "../userspace/door/door-words.ts";
import { Clsact } from "./clsact.ts";
import { ATTACH, ProgramLink } from "./libbpf.ts";

export interface Programs {
  readonly atCard: number;
  readonly atLane: number;
}

/** tcx: links that end with the process (Linux 6.6). clsact: tc filters, which any kernel has. */
export type Hook = "tcx" | "clsact";

export class Attachments implements Disposable {
  readonly #programs: Programs;
  readonly #links = new Map<number, Disposable>();
  #clsact: Clsact | undefined;
  /** Whether what a daemon before this one was killed at is gone. */
  #isClean = false;

  /** `hook`: tcx where the kernel has it, unless clsact is wanted. */
  constructor(programs: Programs, hook: Hook = "tcx") {
    this.#programs = programs;
    if (hook === "clsact") this.#clsact = new Clsact(programs);
  }

  /** Undefined until something is attached. */
  get hook(): Hook | undefined {
    if (this.#clsact !== undefined) return "clsact";
    return this.#links.size === 0 ? undefined : "tcx";
  }

  /**
   * Makes the programs run at these interfaces and no others. Throws a SystemCallError when the kernel refuses one; an
   * interface that has gone meanwhile is left out.
   */
  follow(links: ReadonlyMap<number, Link>): void {
    for (const [index, attached] of this.#links) {
      if (isWanted(links.get(index))) continue;
      attached[Symbol.dispose]();
      this.#links.delete(index);
    }
    for (const [index, link] of links) {
      if (!isWanted(link) || this.#links.has(index)) continue;
      this.#links.set(index, this.#attach(link));
    }
    if (!this.#isClean) this.#clean(links.keys());
  }

  [Symbol.dispose](): void {
    for (const attached of this.#links.values()) attached[Symbol.dispose]();
    this.#links.clear();
    this.#clsact?.[Symbol.dispose]();
  }

  #clean(links: Iterable<number>): void {
    this.#isClean = true;
    for (const index of links) if (!this.#links.has(index)) this.#clsact?.remove(index);
  }

  #attach({ index, name }: Link): Disposable {
    const attempt = `run a program at ${name}`;
    const isLane = name === LANE_DEVICE;
    const { atCard, atLane } = this.#programs;
    if (this.#clsact === undefined) {
      try {
        const [program, type] = isLane ? [atLane, ATTACH.egress] : [atCard, ATTACH.ingress];
        return new ProgramLink(program, index, type, attempt);
      } catch (error) {
        // What was attached before shows that it can be done.
        const isUnknown = error instanceof SystemCallError && error.code === "EINVAL";
        if (!isUnknown || this.#links.size > 0) throw error;
        this.#clsact = new Clsact(this.#programs);
      }
    }
    return this.#clsact.attach(index, isLane ? "egress" : "ingress", attempt);
  }
}

/** Frames of a bridge's or bond's ports are seen again at what they are ports of, behind the bridge's own rules. */
function isWanted(link: Link | undefined): boolean {
  return link?.header === "ethernet" && !link.isLoopback && !isRepeatingPort(link);
}
