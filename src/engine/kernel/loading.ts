/**
 * The programs in bpf/ with their maps: loaded; or found at work, where an earlier process left them, and gone on with, exchanged for
 * those of this version, or replaced by others to which is carried over what they know.
 */
import { createHash, randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { Memory } from "../host/system/libc.ts";
import * as abi from "./abi.ts";
import { carryOver } from "./carry-over.ts";
import { BpfObject, type BpfParts } from "./libbpf.ts";
import type { Identity, PinnedParts, Pins } from "./pins.ts";
import { SHAPES, unreadable } from "./shapes.ts";

const { settings } = abi;

const OBJECT = new URL("../../../bpf/director.bpf.o", import.meta.url);

export const PROGRAMS = [
  "at_card",
  "at_lane",
  "edit_schedule",
  "play_matches",
  "pick_destination",
  "look_at_connection",
  "read_record",
  "take_connection",
  "give_connection",
  "forget_connection",
  "begin_expiry",
] as const;

/** For how many connections a bucket of the index is: it has room for seven. */
const CONNECTIONS_PER_BUCKET = 4;
/** At least: each of the eight buckets of a flow is another one. */
const INDEX_BITS_MIN = 3;

function indexBits(connectionsMax: number): number {
  return Math.max(INDEX_BITS_MIN, Math.ceil(Math.log2(connectionsMax / CONNECTIONS_PER_BUCKET)));
}

export const MAPS = [
  "connections",
  "free_records",
  "buckets",
  "replies",
  "templates",
  "client_ways",
  "services",
  "verdicts",
  "watches",
  "told_packets",
  "news",
  "destinations",
  "tunnels",
  "members",
  "nodes",
  "seats",
  "schedules",
  "settings",
  "tally",
  "expiries",
] as const;

/** Where programs and maps outlive the process. */
export interface PinnedMapsOptions {
  readonly pins: Pins;
  /** Whether what an earlier process left there is gone on with. */
  readonly adopts: boolean;
  readonly inform: (message: string) => void;
  readonly warn: (message: string, error?: unknown) => void;
}

/** Said where what is wanted to outlive the process cannot. */
export const END_WITH_PROCESS = "the kernel's programs end with this process";

interface Opened {
  readonly parts: BpfParts;
  readonly isInherited: boolean;
  /** Where they are kept; undefined: they end with the process. */
  readonly pins: Pins | undefined;
}

/** Throws a BpfError when the kernel or libbpf refuses. `passing`: parts that end with the process, if not to be loaded here. */
export function open(
  connectionsMax: number,
  outliving: PinnedMapsOptions | undefined,
  passing?: () => BpfParts,
): Opened {
  const bytes = readFileSync(OBJECT);
  const load = (): BpfObject => loadFor(bytes, connectionsMax);
  if (outliving === undefined) {
    return { parts: passing?.() ?? load(), isInherited: false, pins: undefined };
  }
  const { pins, adopts, inform, warn } = outliving;
  const identity: Identity = {
    object: hash(bytes),
    layout: hash(Buffer.from(JSON.stringify(abi))),
    connectionsMax,
    shapes: SHAPES,
  };
  try {
    const found =
      adopts && pins.exist ? find({ pins, wanted: identity, inform, load }) : "it was asked for";
    if (typeof found !== "string") return { parts: found, isInherited: true, pins };
    if (pins.exist) {
      inform(`the kernel's programs begin anew: ${found} (${pins.folder})`);
      pins.remove();
    }
  } catch (error) {
    // What the file system refuses is no reason not to run.
    warn(END_WITH_PROCESS, error);
    return { parts: load(), isInherited: false, pins: undefined };
  }
  const parts = load();
  try {
    pins.keep(parts, identity);
    return { parts, isInherited: false, pins };
  } catch (error) {
    warn(END_WITH_PROCESS, error);
    removeParts(pins);
    return { parts, isInherited: false, pins: undefined };
  }
}

/** Whoever refused to keep them may refuse that, too. */
export function removeParts(pins: Pins): void {
  try {
    pins.remove();
  } catch {
    // It has been said that they are not kept.
  }
}

interface Search {
  readonly pins: Pins;
  readonly wanted: Identity;
  readonly inform: (message: string) => void;
  readonly load: () => BpfObject;
}

/** What is pinned, with programs of our own where they are another version's; or why it cannot be gone on with. */
function find({ pins, wanted, inform, load }: Search): BpfParts | string {
  const identity = pins.identity();
  if (identity === undefined) return "what was found is not whole, or nobody's that is known";
  const isLikeOurs =
    identity.layout === wanted.layout && identity.connectionsMax === wanted.connectionsMax;
  const hindrance = isLikeOurs ? undefined : unreadable(identity.shapes);
  if (hindrance !== undefined) {
    return `another version of Sluice left them, and ${hindrance}: connections come from its file`;
  }
  const parts = pins.open();
  try {
    if (isLikeOurs) for (const name of MAPS) parts.map(name);
    if (isLikeOurs && identity.object === wanted.object) {
      for (const name of PROGRAMS) parts.program(name);
      return parts;
    }
    using _ = parts;
    return isLikeOurs
      ? exchange(pins, parts, wanted, inform)
      : replace(pins, parts, { identity, wanted, inform, load });
  } catch (error) {
    parts[Symbol.dispose]();
    return (error as Error).message;
  }
}

/** Programs of this version, with the maps that are there: packets meet them from then on where links are told. */
function exchange(
  pins: Pins,
  kept: PinnedParts,
  wanted: Identity,
  inform: (message: string) => void,
): BpfParts {
  const used = Object.fromEntries(MAPS.map((name) => [name, kept.map(name)]));
  const parts = new BpfObject(readFileSync(OBJECT), {}, used);
  try {
    pins.exchangePrograms(parts, wanted);
  } catch (error) {
    parts[Symbol.dispose]();
    throw error;
  }
  inform(
    `the kernel's programs are exchanged for those of this version, and go on (${pins.folder})`,
  );
  return parts;
}

/** Programs and maps of this version, to which is carried over what those know that are there. */
function replace(
  pins: Pins,
  kept: PinnedParts,
  { identity, wanted, inform, load }: Omit<Search, "pins"> & { readonly identity: Identity },
): BpfParts {
  const why =
    identity.connectionsMax === wanted.connectionsMax
      ? "another version of Sluice left them"
      : `they were for ${identity.connectionsMax} connections, and are now for ${wanted.connectionsMax}`;
  inform(
    `the kernel's programs are replaced: ${why}; servers' counts and connections are carried over, whose turn it is begins anew (${pins.folder})`,
  );
  const parts = load();
  try {
    const { connections, lost } = carryOver(kept, identity.shapes!, parts);
    pins.replace(parts, wanted);
    const without = lost === 0 ? "" : `, and for ${lost} there was no room`;
    inform(`the kernel's programs go on with ${connections} connections${without}`);
    return parts;
  } catch (error) {
    parts[Symbol.dispose]();
    throw error;
  }
}

/** This version's, as nobody has used them. Throws a BpfError when the kernel or libbpf refuses. */
export function loadAnew(connectionsMax: number): BpfObject {
  return loadFor(readFileSync(OBJECT), connectionsMax);
}

function loadFor(bytes: Uint8Array, connectionsMax: number): BpfObject {
  const parts = new BpfObject(bytes, {
    connections: connectionsMax,
    free_records: connectionsMax,
    buckets: 2 ** indexBits(connectionsMax),
    replies: connectionsMax,
    templates: connectionsMax,
  });
  try {
    layOut(parts, connectionsMax, randomFillSync);
    return parts;
  } catch (error) {
    parts[Symbol.dispose]();
    throw error;
  }
}

/** How many buckets there are, and what flows are hashed by from now on, which `draw` fills in. */
export function layOut(
  parts: BpfParts,
  connectionsMax: number,
  draw: (bytes: Uint8Array) => void,
): void {
  using memory = Memory.shared(
    parts.map("settings"),
    settings.size,
    "map the kernel engine's settings",
  );
  const { view, bytes } = memory;
  const bits = indexBits(connectionsMax);
  view.setUint32(settings.indexShift, 64 - bits, true);
  view.setUint32(settings.indexMask, 2 ** bits - 1, true);
  draw(bytes.subarray(settings.secret, settings.states));
  draw(bytes.subarray(settings.multiplier, settings.multiplier + 8));
  bytes[settings.multiplier]! |= 1;
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
