/** A service's scheduler in the kernel: the programs pick by it themselves, and here the director does. */
import { prng } from "../../base/prng.ts";
import { DH_SLOTS, dhSlots } from "../../ipvs/schedulers/dh.ts";
import type { SchedulerName } from "../../ipvs/schedulers/index.ts";
import { MH_SLOTS, mhSlots } from "../../ipvs/schedulers/mh.ts";
import { rrAfter } from "../../ipvs/schedulers/rr.ts";
import type {
  Candidate,
  Request,
  Scheduler,
  SchedulerEvent,
  Turn,
} from "../../ipvs/schedulers/scheduler.ts";
import { SH_SLOTS, shSlots } from "../../ipvs/schedulers/sh.ts";
import { twosBy } from "../../ipvs/schedulers/twos.ts";
import { levelsOf, wrrAt } from "../../ipvs/schedulers/wrr.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import { edit, editSchedule, pickDestination, plan, schedule, turn } from "./abi.ts";
import type { InheritedPlan } from "./inherited-services.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import { BpfError, Question } from "./libbpf.ts";
import type { MemberList, MemberLists } from "./member-lists.ts";
import { hashOf, RULES } from "./rules.ts";

/** SERVICE_MEMBERS_MAX in bpf/abi/: a position has 15 bits. */
export const MEMBERS_PER_SERVICE = 4_096;

const NOBODY = 0xffff_ffff;

/** Words of a service's list that has slots for members; undefined where it has as many as members. */
export const SLOTS: Partial<Record<SchedulerName, number>> = {
  mh: MH_SLOTS,
  sh: SH_SLOTS,
  dh: DH_SLOTS,
};

/** A frame that is asked about must have an Ethernet header's length at least. */
const PICK_LENGTH = Math.max(pickDestination.size, 14);

/** What the programs are asked by, for one service after the other. */
export class SchedulerQuestions implements Disposable {
  readonly pick = new Question(PICK_LENGTH);
  readonly edit = new Question(editSchedule.size);

  [Symbol.dispose](): void {
    this.pick[Symbol.dispose]();
    this.edit[Symbol.dispose]();
  }
}

export interface KernelSchedulerParts {
  readonly maps: KernelMaps;
  readonly lists: MemberLists;
  readonly questions: SchedulerQuestions;
  /** The service's number. */
  readonly index: number;
  readonly name: SchedulerName;
  /** A sum of SCHEDULER_FLAG's bits. */
  readonly flags: number;
  /** Where the service's own chance begins. */
  readonly seed: number;
  readonly destinationAt: (slot: number) => Destination | undefined;
  /** What an earlier process left is as it was: nothing is changed before adopt(). */
  readonly isHeld: () => boolean;
}

export class KernelScheduler implements Scheduler<Destination>, Disposable {
  readonly name: SchedulerName;
  readonly flags: number;
  readonly index: number;
  readonly #parts: KernelSchedulerParts;
  /** How many members are to be expected: the list gets room for all of them at once. */
  room = 0;
  #list: MemberList | undefined;
  #levels = { step: 0, top: 0 };
  /** Of mh, whose slots take a while to fill: those of many changes are filled once, and until then nobody is picked here. */
  #unfilled: readonly Destination[] | undefined;

  constructor(parts: KernelSchedulerParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.flags = parts.flags;
    this.index = parts.index;
  }

  [Symbol.dispose](): void {
    if (this.#list !== undefined) this.#parts.lists.free(this.#list);
  }

  pick(request: Request, _candidates: readonly Destination[]): Destination | undefined {
    const { maps, questions } = this.#parts;
    // Nobody is picked by what is not in force yet, and the next packet tries again.
    if (!this.#isSettled()) return undefined;
    const { view } = questions.pick;
    view.setUint32(pickDestination.clientFold, request.clientFold, true);
    view.setUint32(pickDestination.clientPort, request.clientPort, true);
    view.setUint32(pickDestination.destinationFold, request.destinationFold, true);
    view.setUint32(pickDestination.service, this.index, true);
    if (maps.ask(questions.pick, "pick_destination") !== true) return undefined;
    const slot = view.getInt32(pickDestination.picked, true);
    return slot < 0 ? undefined : this.#parts.destinationAt(slot);
  }

  changed(
    event: SchedulerEvent,
    candidates: readonly Destination[],
    which: Destination | undefined,
  ): void {
    if (this.#parts.isHeld()) return;
    if (this.name !== "mh") {
      this.#change(edit[event], candidates, which);
      return;
    }
    if (this.#unfilled === undefined) this.#change(edit[event], [], which);
    this.#unfilled = candidates;
  }

  /** All that has changed is in force from now on. */
  settle(): void {
    const candidates = this.#unfilled;
    if (candidates === undefined) return;
    this.#change(edit.edited, candidates, undefined);
    this.#unfilled = undefined;
  }

  #isSettled(): boolean {
    try {
      this.settle();
      return true;
    } catch (error) {
      if (error instanceof BpfError) return false;
      throw error;
    }
  }

  /** Begins with what is wanted; where an earlier process had the service, from what is in force, and as little as differs. */
  adopt(candidates: readonly Destination[], inherited: InheritedPlan | undefined): void {
    if (inherited === undefined) {
      this.#change(edit.bound, candidates, undefined);
      return;
    }
    this.#list = inherited;
    const { view } = this.#parts.maps.schedules;
    const standing = (offset: number): number => view.getUint32(inherited.at + offset, true);
    const isSameScheduler =
      standing(plan.hash) === hashOf(this.name, this.flags) &&
      standing(plan.rules) === RULES[this.name] &&
      standing(plan.step) > 0 === (this.name === "wrr");
    if (!isSameScheduler) {
      this.#change(edit.bound, candidates, undefined);
      return;
    }
    const { step, top } = this.#levelsOf(candidates);
    const isSamePlan = standing(plan.step) === step && standing(plan.top) === top;
    const isSame = isSamePlan && this.#parts.lists.isOf(inherited, this.#slotsOf(candidates));
    this.#change(isSame ? edit.weighed : edit.edited, candidates, undefined);
  }

  get turn(): Turn {
    const { view } = this.#parts.maps.schedules;
    const at = this.index * schedule.size + schedule.turn;
    return {
      position: view.getInt16(at + turn.position, true),
      level: view.getUint32(at + turn.level, true),
    };
  }

  resume({ position, level }: Turn, candidates: readonly Destination[]): void {
    const { view } = this.#parts.questions.edit;
    view.setInt32(editSchedule.position, position, true);
    view.setUint32(editSchedule.level, level, true);
    this.#change(edit.resumed, candidates, undefined);
  }

  #change(event: number, candidates: readonly Destination[], which: Destination | undefined): void {
    const { lists, maps, questions } = this.#parts;
    const before = this.#list;
    const list = this.#listOf(candidates);
    if (list === undefined) throw new BpfError("Cannot list a service's destinations: no room");
    this.#levels = this.#levelsOf(candidates);
    const { view } = questions.edit;
    view.setUint32(editSchedule.service, this.index, true);
    view.setUint32(editSchedule.edit, event, true);
    view.setUint32(editSchedule.which, which?.load.slot ?? NOBODY, true);
    this.#writePlan(editSchedule.plan, list);
    if (event === edit.bound) view.setInt32(editSchedule.level, this.#parts.seed, true);
    if (maps.ask(questions.edit, "edit_schedule") !== true) {
      if (list.first !== before?.first) lists.free(list);
      throw new BpfError("Cannot change a service's destinations in the kernel");
    }
    // Who still looks through the list before sees that it is no longer in force: pick_of() in bpf/schedule.h.
    if (before !== undefined && before.first !== list.first) lists.free(before);
    this.#list = list;
  }

  /** The list in force, where that says the same: an edit changes no more than weights. Or a new one; undefined: no room. */
  #listOf(candidates: readonly Destination[]): MemberList | undefined {
    const { lists } = this.#parts;
    const members = this.#slotsOf(candidates);
    if (this.#list !== undefined && lists.isOf(this.#list, members)) return this.#list;
    return lists.write(members, this.room, this.#list);
  }

  #slotsOf(candidates: readonly Destination[]): readonly number[] {
    return this.#membersOf(candidates).map(({ load }) => load.slot);
  }

  #levelsOf(candidates: readonly Destination[]): { readonly step: number; readonly top: number } {
    return this.name === "wrr" ? levelsOf(candidates) : { step: 0, top: 0 };
  }

  /** Its slots, where the packet decides by one. */
  #membersOf(candidates: readonly Destination[]): readonly Destination[] {
    if (this.name === "sh") return shSlots(candidates);
    if (this.name === "mh") return mhSlots(candidates);
    return this.name === "dh" ? dhSlots(candidates) : candidates;
  }

  copy<Other extends Candidate>(
    counterpart: (of: Destination) => Other,
  ): Scheduler<Other> | undefined {
    const { position, level } = this.turn;
    const slot = position < 0 ? undefined : this.#memberAt(position);
    const last = slot === undefined ? undefined : this.#parts.destinationAt(slot);
    if (this.name === "twos") return twosBy(prng(level));
    if (this.name === "wrr") return wrrAt({ position, level, ...this.#levels });
    if (this.name === "rr") {
      return rrAfter(last === undefined ? undefined : counterpart(last), position);
    }
    return undefined;
  }

  #memberAt(position: number): number {
    return this.#parts.lists.at(this.#list!, position);
  }

  #writePlan(at: number, { first, count, size, tag }: MemberList): void {
    const { view } = this.#parts.questions.edit;
    view.setUint32(at + plan.first, first, true);
    view.setUint32(at + plan.count, count, true);
    view.setUint32(at + plan.top, this.#levels.top, true);
    view.setUint32(at + plan.step, this.#levels.step, true);
    view.setUint32(at + plan.hash, hashOf(this.name, this.flags), true);
    view.setUint32(at + plan.rules, RULES[this.name]!, true);
    view.setUint32(at + plan.levels, Math.log2(size), true);
    view.setUint32(at + plan.tag, tag, true);
  }
}
