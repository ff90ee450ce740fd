/** Where the programs run: one at each interface that frames come in by, one where frames enter the lane. */

import { isRepeatingPort, type Link } from "../host/links.ts";
import { SystemCallError } from "../host/system/libc.ts";
import { LANE_DEVICE } from "../userspace/door/door-words.ts";
import { ATTACH } from "./bpf-call.ts";
import { Clsact, DIRECTIONS } from "./clsact.ts";
import { KeptLink, linkName } from "./kept-link.ts";
import { ProgramLink } from "./libbpf.ts";
import type { Pins } from "./pins.ts";

export interface Programs {
  readonly atCard: number;
  readonly atLane: number;
}

/** tcx: links that end with the process (Linux 6.6). clsact: tc filters, which any kernel has. */
export type Hook = "tcx" | "clsact";

export class Attachments implements Disposable {
  readonly #programs: Programs;
  readonly #links = new Map<number, Attached>();
  #clsact: Clsact | undefined;
  #pins: Pins | undefined;
  /** Whether what a daemon before this one was killed at is gone. */
  #isClean = false;

  /** `hook`: tcx where the kernel has it, unless clsact is wanted. `pins`: where it outlives the process. */
  constructor(programs: Programs, hook: Hook = "tcx", pins?: Pins) {
    this.#programs = programs;
    this.#pins = pins;
    if (hook === "clsact") this.#clsact = new Clsact(programs, pins);
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

  /** Nothing is to outlive the process: what is attached is its own from now on. */
  forgetPins(): void {
    this.#pins = undefined;
  }

  /** Programs go on running when this is disposed of, where they are kept. */
  leave(): void {
    for (const attached of this.#links.values()) attached.stays = true;
    if (this.#clsact !== undefined) this.#clsact.stays = true;
  }

  [Symbol.dispose](): void {
    for (const attached of this.#links.values()) attached[Symbol.dispose]();
    this.#links.clear();
    this.#clsact?.[Symbol.dispose]();
  }

  #clean(links: Iterable<number>): void {
    this.#isClean = true;
    for (const index of links) if (!this.#links.has(index)) this.#clsact?.remove(index);
    const names = new Set<string>();
    if (this.#clsact === undefined) {
      for (const index of this.#links.keys()) {
        for (const direction of DIRECTIONS) names.add(linkName(index, direction));
      }
    }
    for (const name of this.#pins?.linkNames() ?? []) {
      if (!names.has(name)) this.#pins?.removeLink(name);
    }
  }

  #attach({ index, name }: Link): Attached {
    const attempt = `run a program at ${name}`;
    const isLane = name === LANE_DEVICE;
    const { atCard, atLane } = this.#programs;
    if (this.#clsact === undefined) {
      try {
        const [program, direction] = isLane
          ? ([atLane, "egress"] as const)
          : ([atCard, "ingress"] as const);
        const pins = this.#pins;
        if (pins !== undefined) return new KeptLink(pins, program, index, direction, attempt);
        return new ProgramLink(program, index, ATTACH[direction], attempt);
      } catch (error) {
        // What was attached before shows that it can be done.
        const isUnknown = error instanceof SystemCallError && error.code === "EINVAL";
        if (!isUnknown || this.#links.size > 0) throw error;
        this.#clsact = new Clsact(this.#programs, this.#pins);
      }
    }
    return this.#clsact.attach(index, isLane ? "egress" : "ingress", attempt);
  }
}

interface Attached extends Disposable {
  /** Goes on running when this is disposed of. */
  stays?: boolean;
}

/** Frames of a bridge's or bond's ports are seen again at what they are ports of, behind the bridge's own rules. */
function isWanted(link: Link | undefined): boolean {
  return link?.header === "ethernet" && !link.isLoopback && !isRepeatingPort(link);
}
