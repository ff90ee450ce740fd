/**
 * Programs as tc filters, for kernels without tcx (before 6.6): tc-bpf(8), net/sched/cls_bpf.c. A filter outlives the daemon;
 * so what is attached is a gate (bpf/gate.bpf.c), which leads nowhere once the daemon is dead and its table of programs is not
 * pinned. The next one that runs here takes its place, and removes what it does not need.
 */
import { readFileSync } from "node:fs";
import { Netlink } from "../host/netlink/netlink.ts";
import { FLAG } from "../host/netlink/netlink-message.ts";
import { close, SystemCallError } from "../host/system/libc.ts";
import type { Programs } from "./attachments.ts";
import { BpfObject, updateElement } from "./libbpf.ts";
import type { Pins } from "./pins.ts";

const OBJECT = new URL("../../../bpf/gate.bpf.o", import.meta.url);

const RTM = {
  newQueue: 36,
  deleteQueue: 37,
  newFilter: 44,
  deleteFilter: 45,
  getFilter: 46,
} as const;
/** struct tcmsg of linux/rtnetlink.h. */
const messageAt = { interface: 4, handle: 8, parent: 12, information: 16 } as const;
const MESSAGE_LENGTH = 20;
/** TCA_*, and TCA_BPF_* within the options. */
const ATTRIBUTE = { kind: 1, options: 2 } as const;
const FILTER = { program: 6, name: 7, flags: 8 } as const;
/** TCA_BPF_FLAG_ACT_DIRECT: what the program returns is what becomes of the packet. */
const ACT_DIRECT = 1;
/** TC_H_CLSACT, with the minor number of itself and of its two hooks. */
const CLSACT = {
  queue: 0xffff_fff1,
  handle: 0xffff_0000,
  ingress: 0xffff_fff2,
  egress: 0xffff_fff3,
} as const;
/** htons(ETH_P_ALL). */
const ANY_PROTOCOL = 0x0300;
/** Ours among the filters of a hook: behind what others have there, whose word counts. */
const PRIORITY = 0xe51c;
const HANDLE = 1;
const NAME = "sluice";
/** What the gate's table is kept as. */
const KEPT_GATE = "gate";

export type Direction = "ingress" | "egress";

export const DIRECTIONS = ["ingress", "egress"] as const satisfies readonly Direction[];

/** What runs at hooks, as long as this process lives, or as the gate's table of programs is kept. */
export class Clsact implements Disposable {
  readonly #gate: BpfObject;
  readonly #netlink = new Netlink();
  /** Filters stay when this is disposed of. */
  stays = false;

  constructor({ atCard, atLane }: Programs, pins?: Pins) {
    const kept = pins?.map(KEPT_GATE);
    this.#gate = new BpfObject(
      readFileSync(OBJECT),
      {},
      kept === undefined ? {} : { programs: kept },
    );
    const programs = this.#gate.map("programs");
    if (kept === undefined) pins?.keepMap(KEPT_GATE, programs);
    else close(kept);
    for (const [index, program] of [atCard, atLane].entries()) {
      const result = updateElement(programs, word(index), word(program));
      if (result < 0) throw new SystemCallError("bpf", -result, "put a program behind its gate");
    }
  }

  /** Has the program of this hook run at an interface until what this returns is disposed of. Throws a SystemCallError. */
  attach(interfaceIndex: number, direction: Direction, attempt: string): Disposable {
    try {
      const queue = message(interfaceIndex, CLSACT.handle, CLSACT.queue, 0);
      const kind = [[ATTRIBUTE.kind, "clsact"]] as const;
      this.#netlink.change(RTM.newQueue, FLAG.create | FLAG.exclusive, queue, kind, attempt);
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
    // Without `exclusive` it replaces the one that a daemon left here.
    this.#netlink.change(
      RTM.newFilter,
      FLAG.create,
      filterMessage(interfaceIndex, direction),
      [
        [ATTRIBUTE.kind, "bpf"],
        [
          ATTRIBUTE.options,
          [
            [FILTER.program, this.#gate.program(`${direction}_gate`)],
            [FILTER.name, NAME],
            [FILTER.flags, ACT_DIRECT],
          ],
        ],
      ],
      attempt,
    );
    return {
      [Symbol.dispose]: () => {
        if (!this.stays) this.remove(interfaceIndex, direction);
      },
    };
  }

  /** Removes our filter, if there is one, and then the queueing discipline, if nobody has another. */
  remove(interfaceIndex: number, ...directions: readonly Direction[]): void {
    const attempt = "remove a program from an interface";
    try {
      let has = false;
      for (const direction of directions.length > 0 ? directions : DIRECTIONS) {
        has = this.#removeFilter(interfaceIndex, direction, attempt) || has;
      }
      if (!has) return;
      const isFree = DIRECTIONS.every(
        (each) =>
          this.#netlink.listFew(RTM.getFilter, message(interfaceIndex, 0, CLSACT[each], 0), attempt)
            .length === 0,
      );
      if (!isFree) return;
      const queue = message(interfaceIndex, CLSACT.handle, CLSACT.queue, 0);
      this.#netlink.change(RTM.deleteQueue, 0, queue, [], attempt);
    } catch (error) {
      // The interface has gone, and all that was there with it, or another was faster.
      if (!(error instanceof SystemCallError)) throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
    this.#gate[Symbol.dispose]();
  }

  #removeFilter(interfaceIndex: number, direction: Direction, attempt: string): boolean {
    try {
      const filter = filterMessage(interfaceIndex, direction);
      this.#netlink.change(RTM.deleteFilter, 0, filter, [[ATTRIBUTE.kind, "bpf"]], attempt);
      return true;
    } catch (error) {
      // ENOENT, or EINVAL where there is no such hook.
      if (hasCode(error, "ENOENT", "EINVAL", "ENODEV")) return false;
      throw error;
    }
  }
}

function filterMessage(interfaceIndex: number, direction: Direction): Uint8Array {
  const information = ((PRIORITY << 16) | ANY_PROTOCOL) >>> 0;
  return message(interfaceIndex, HANDLE, CLSACT[direction], information);
}

function message(index: number, handle: number, parent: number, information: number): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_LENGTH);
  const view = new DataView(bytes.buffer);
  view.setInt32(messageAt.interface, index, true);
  view.setUint32(messageAt.handle, handle, true);
  view.setUint32(messageAt.parent, parent, true);
  view.setUint32(messageAt.information, information, true);
  return bytes;
}

function word(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof SystemCallError && codes.includes(error.code);
}
