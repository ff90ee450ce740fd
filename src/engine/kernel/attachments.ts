/** Where the programs run: one at each interface that frames come in by, one where frames enter the lane. */

import { isRepeatingPort, type Link } from "../host/links.ts";
import { LANE_DEVICE } from "../userspace/door/door-words.ts";
import { ATTACH, ProgramLink } from "./libbpf.ts";

export interface Programs {
  readonly atCard: number;
  readonly atLane: number;
}

export class Attachments implements Disposable {
  readonly #programs: Programs;
  readonly #links = new Map<number, ProgramLink>();

  constructor(programs: Programs) {
    this.#programs = programs;
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
  }

  [Symbol.dispose](): void {
    for (const attached of this.#links.values()) attached[Symbol.dispose]();
    this.#links.clear();
  }

  #attach({ index, name }: Link): ProgramLink {
    const attempt = `run a program at ${name} (it needs Linux 6.6)`;
    return name === LANE_DEVICE
      ? new ProgramLink(this.#programs.atLane, index, ATTACH.egress, attempt)
      : new ProgramLink(this.#programs.atCard, index, ATTACH.ingress, attempt);
  }
}

/** Frames of a bridge's or bond's ports are seen again at what they are ports of, behind the bridge's own rules. */
function isWanted(link: Link | undefined): boolean {
  return link?.header === "ethernet" && !link.isLoopback && !isRepeatingPort(link);
}
