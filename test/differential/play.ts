/** Plays a world, and finds the shortest part of it that shows a difference. */
import { Names } from "../packets/names.ts";
import { parsePacket } from "../packets/packet-text.ts";
import { writeTrueChecksums } from "../packets/true-checksums.ts";
import type { Programs } from "./programs.ts";
import { type Coming, Twins } from "./twins.ts";
import type { Step, World } from "./world.ts";

export interface Found {
  readonly world: World;
  readonly difference: string;
}

/** The first difference in a world, and how many packets the program sent on by itself. */
export function play(
  { family, secret, steps }: World,
  programs: Programs,
): {
  readonly difference: string | undefined;
  readonly forwarded: number;
} {
  using twins = new Twins(family, secret, programs);
  const names = new Names(family);
  for (const [index, each] of steps.entries()) {
    const difference = perform(twins, names, each);
    if (twins.isOver) return { difference: undefined, forwarded: twins.forwarded };
    if (difference === undefined) continue;
    return { difference: `step ${index}: ${JSON.stringify(each)}\n${difference}`, forwarded: 0 };
  }
  return { difference: twins.end(), forwarded: twins.forwarded };
}

function perform(twins: Twins, names: Names, each: Step): string | undefined {
  const [, verb, rest = ""] = /^(-|sysctl |host )?(.*)$/.exec(each.row)!;
  if (verb === undefined) return twins.send(packetOf(each, names), comingOf(each.row));
  if (verb === "host ") twins.changeHost(rest);
  else if (verb === "sysctl ") twins.setSysctl(rest);
  else twins.change(each.row);
  return undefined;
}

/** Marks are the host's, which the card knows nothing of. */
function comingOf(row: string): Coming {
  const mark = Number(/ mark (\d+)/.exec(row)?.[1] ?? 0);
  if (row.endsWith(" at forward")) return { hook: "forward", mark };
  return { hook: mark !== 0 || row.endsWith(" at local-in") ? "local-in" : "wire", mark };
}

/** Whole packets by their rows, which come again and again. */
const KNOWN = { inet: new Map<string, Uint8Array>(), inet6: new Map<string, Uint8Array>() };
const KNOWN_MAX = 20_000;

function wholePacket(row: string, names: Names): Uint8Array {
  const known = KNOWN[names.family];
  let packet = known.get(row);
  if (packet === undefined) {
    packet = parsePacket(row, names);
    if (!isWrong(row)) writeTrueChecksums(packet);
    if (known.size === KNOWN_MAX) known.clear();
    known.set(row, packet);
  }
  return packet.slice();
}

/** Its checksums stay as they are. */
function isWrong(row: string): boolean {
  return row.includes(" badcsum");
}

function packetOf({ row, changes = [], isMended = true, length }: Step, names: Names): Uint8Array {
  const packet = wholePacket(row, names);
  for (const [at, value] of changes) if (at < packet.length) packet[at] = value;
  if (changes.length > 0 && isMended && !isWrong(row)) mend(packet);
  return packet.subarray(0, length ?? packet.length);
}

/** What is no packet any more has no checksums. */
function mend(packet: Uint8Array): void {
  try {
    writeTrueChecksums(packet);
  } catch {
    // It stays as it is.
  }
}

/** The same difference, or another one, with as few steps as can be found by leaving out. */
export function shrink(world: World, programs: Programs): Found {
  let { steps } = world;
  let difference = play(world, programs).difference ?? "";
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < steps.length; ) {
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)];
      const found = play({ ...world, steps: fewer }, programs).difference;
      if (found === undefined) {
        at += size;
      } else {
        steps = fewer;
        difference = found;
      }
    }
  }
  return { world: { ...world, steps }, difference };
}
