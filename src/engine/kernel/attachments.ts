/** Where the programs run: one at each interface that frames come in by, one where frames enter the lane. */

import type { CardHook } from "../card-hook.ts";
import { isRepeatingPort, type Link } from "../host/links.ts";
import { SystemCallError } from "../host/system/libc.ts";
import { LANE_DEVICE } from "../userspace/door/door-words.ts";
import { HOOK_POINTS, type HookPoint } from "./bpf-call.ts";
import { Clsact, type Direction } from "./clsact.ts";
import { endKept, KeptLink, linkName } from "./kept-link.ts";
import { ProgramLink } from "./libbpf.ts";
import type { Pins } from "./pins.ts";
import type { XdpMode } from "./xdp-choice.ts";
import { XdpProgram } from "./xdp-program.ts";

export interface Programs {
  readonly atCard: number;
  readonly atLane: number;
}

/** tcx: links that end with the process (Linux 6.6). clsact: tc filters, which any kernel has. */
export type Hook = "tcx" | "clsact";

export interface AttachmentsOptions {
  /** tcx where the kernel has it, unless clsact is wanted. */
  readonly hook?: Hook | undefined;
  /** Where it outlives the process. */
  readonly pins?: Pins | undefined;
  /** Where frames come in a program runs at XDP instead, if the interface takes it: with these maps, by name. */
  readonly xdpMaps?: Readonly<Record<string, number>> | undefined;
}

/** At one interface. */
interface Attachment {
  readonly card: CardHook;
  readonly running: Attached;
  /** Undefined: a tc filter. */
  readonly point: HookPoint | undefined;
}

const NO_ETHERNET = "its frames have no Ethernet header: its packets come by the host's stack";

export class Attachments implements Disposable {
  readonly #programs: Programs;
  readonly #attached = new Map<number, Attachment>();
  /** Why an interface has no program. */
  readonly #without = new Map<number, CardHook>();
  /** What the kernel refused at an interface, and how. */
  readonly #refused = new Map<number, Map<XdpMode, string>>();
  readonly #xdp: XdpProgram | undefined;
  #clsact: Clsact | undefined;
  #pins: Pins | undefined;
  /** Whether what a daemon before this one was killed at is gone. */
  #isClean = false;
  /** At an interface, by the last follow(). */
  #isRefused = false;

  /** Throws a BpfError or SystemCallError. */
  constructor(programs: Programs, { hook = "tcx", pins, xdpMaps }: AttachmentsOptions = {}) {
    this.#programs = programs;
    this.#pins = pins;
    using unless = new DisposableStack();
    this.#xdp = xdpMaps && unless.use(new XdpProgram(xdpMaps));
    if (hook === "clsact") this.#clsact = new Clsact(programs, pins);
    unless.move();
  }

  /** Undefined until something is attached. */
  get hook(): Hook | undefined {
    if (this.#clsact !== undefined) return "clsact";
    return this.#attached.size === 0 ? undefined : "tcx";
  }

  /** Where frames come in, but not the lane. */
  get cards(): readonly CardHook[] {
    const cards = [...this.#attached.values()].map(({ card }) => card);
    return [...cards, ...this.#without.values()].filter((each) => each.interface !== LANE_DEVICE);
  }

  /**
   * Makes the programs run at these interfaces and no others. Throws a SystemCallError when the kernel refuses one; an
   * interface that has gone meanwhile is left out.
   */
  follow(links: ReadonlyMap<number, Link>): void {
    this.#xdp?.look();
    this.#leaveOut(links);
    let refusal: unknown;
    for (const link of links.values()) {
      if (!isWanted(link)) continue;
      try {
        this.#settle(link, links);
      } catch (error) {
        // It has gone, and netlink is about to say so; what another one refuses is no reason to leave the others out.
        if (!(error instanceof SystemCallError && error.code === "ENODEV")) refusal ??= error;
      }
    }
    if (!this.#isClean) this.#clean(links.keys());
    this.#isRefused = refusal !== undefined;
    if (refusal !== undefined) throw refusal;
  }

  /** Whether interfaces can do at XDP what they could not, or the other way round, or one was refused: follow() is due. */
  haveChanged(): boolean {
    return this.#xdp?.look() === true || this.#isRefused;
  }

  /** Nothing is to outlive the process: what is attached is its own from now on. */
  forgetPins(): void {
    this.#pins = undefined;
  }

  /** Programs go on running when this is disposed of, where they are kept. */
  leave(): void {
    for (const { running } of this.#attached.values()) running.stays = true;
    if (this.#clsact !== undefined) this.#clsact.stays = true;
  }

  [Symbol.dispose](): void {
    for (const { running } of this.#attached.values()) running[Symbol.dispose]();
    this.#attached.clear();
    this.#clsact?.[Symbol.dispose]();
    this.#xdp?.[Symbol.dispose]();
  }

  #leaveOut(links: ReadonlyMap<number, Link>): void {
    for (const [index, { running }] of this.#attached) {
      if (isWanted(links.get(index))) continue;
      running[Symbol.dispose]();
      this.#attached.delete(index);
      this.#xdp?.forget(index);
    }
    for (const index of this.#refused.keys()) {
      if (!links.has(index)) this.#refused.delete(index);
    }
    this.#without.clear();
    for (const { index, name, header, isUp, isLoopback } of links.values()) {
      if (header === "ethernet" || !isUp || isLoopback) continue;
      this.#without.set(index, { interface: name, hook: "none", why: NO_ETHERNET });
    }
  }

  /** Has the program run as well as the interface takes it. */
  #settle(link: Link, links: ReadonlyMap<number, Link>): void {
    const { index } = link;
    const choice = link.name === LANE_DEVICE ? undefined : this.#xdp?.choose(link, links);
    const refused = this.#refused.get(index) ?? new Map<XdpMode, string>();
    for (const mode of choice?.modes ?? []) {
      if (refused.has(mode)) continue;
      const point = HOOK_POINTS[mode];
      // What is said of it is meant for the form that runs.
      if (this.#attached.get(index)?.point !== point) this.#endOther(index, mode);
      this.#xdp?.describe(link, mode);
      if (this.#attached.get(index)?.point === point) return;
      try {
        const running = this.#atXdp(link, point);
        const why = whyNotBetter(choice?.why, refused);
        this.#enter(index, {
          card: { interface: link.name, hook: `xdp ${mode}`, why },
          running,
          point,
        });
        return;
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        refused.set(mode, error.code);
        this.#refused.set(index, refused);
      }
    }
    this.#xdp?.forget(index);
    const now = this.#attached.get(index);
    if (now !== undefined && !isAtXdp(now.point)) return;
    this.#enter(index, this.#atTc(link, whyNotBetter(choice?.why, refused)));
  }

  /** What ran there until now ends when the other runs already. */
  #enter(index: number, attachment: Attachment): void {
    const before = this.#attached.get(index);
    this.#attached.set(index, attachment);
    before?.running[Symbol.dispose]();
  }

  /** An interface has one program at XDP. */
  #endOther(index: number, mode: XdpMode): void {
    const other = HOOK_POINTS[mode === "native" ? "generic" : "native"];
    const before = this.#attached.get(index);
    if (before?.point === other) {
      before.running[Symbol.dispose]();
      this.#attached.delete(index);
    } else if (this.#pins !== undefined) {
      endKept(this.#pins, linkName(index, other));
    }
  }

  #clean(links: Iterable<number>): void {
    this.#isClean = true;
    for (const index of links) {
      const attached = this.#attached.get(index);
      if (attached === undefined || isAtXdp(attached.point)) this.#clsact?.remove(index);
    }
    const names = new Set<string>();
    for (const [index, { point }] of this.#attached) {
      if (point !== undefined) names.add(linkName(index, point));
    }
    for (const name of this.#pins?.linkNames() ?? []) {
      if (!names.has(name) && this.#pins !== undefined) endKept(this.#pins, name);
    }
  }

  #atXdp({ index, name }: Link, point: HookPoint): Attached {
    const { fd } = this.#xdp!;
    return this.#link(fd, index, point, `run a program at ${name}`);
  }

  #atTc({ index, name }: Link, why: string | null): Attachment {
    const attempt = `run a program at ${name}`;
    const isLane = name === LANE_DEVICE;
    const direction: Direction = isLane ? "egress" : "ingress";
    if (this.#clsact === undefined) {
      try {
        const { atCard, atLane } = this.#programs;
        const point = HOOK_POINTS[direction];
        const running = this.#link(isLane ? atLane : atCard, index, point, attempt);
        return { card: { interface: name, hook: "tcx", why }, running, point };
      } catch (error) {
        // What was attached before shows that it can be done.
        const isUnknown = error instanceof SystemCallError && error.code === "EINVAL";
        if (!isUnknown || this.#isTcxKnown()) throw error;
        this.#clsact = new Clsact(this.#programs, this.#pins);
      }
    }
    const running = this.#clsact.attach(index, direction, attempt);
    return { card: { interface: name, hook: "clsact", why }, running, point: undefined };
  }

  #link(program: number, index: number, point: HookPoint, attempt: string): Attached {
    if (this.#pins !== undefined) return new KeptLink(this.#pins, program, index, point, attempt);
    return new ProgramLink(program, index, point, attempt);
  }

  #isTcxKnown(): boolean {
    return [...this.#attached.values()].some(({ point }) => point !== undefined && !isAtXdp(point));
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

function isAtXdp(point: HookPoint | undefined): boolean {
  return point === HOOK_POINTS.native || point === HOOK_POINTS.generic;
}

/** In words; null where nothing is in the way. */
function whyNotBetter(
  why: string | undefined,
  refused: ReadonlyMap<XdpMode, string>,
): string | null {
  const refusals = [...refused].map(([mode, code]) => `${mode} XDP was refused (${code})`);
  return [...(why === undefined ? [] : [why]), ...refusals].join("; ") || null;
}
