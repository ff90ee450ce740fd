/** The programs in bpf/ with their maps, loaded or found at work, and what of those is mapped into the process. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Memory } from "../host/system/libc.ts";
import * as abi from "./abi.ts";
import { BpfObject, type BpfParts } from "./libbpf.ts";
import { NewsRing } from "./news-ring.ts";
import type { Identity, PinnedParts, Pins } from "./pins.ts";

const { destination, schedule, settings, tally, tunnel } = abi;

const OBJECT = new URL("../../../bpf/director.bpf.o", import.meta.url);

/** As bpf/abi.h has them. */
export const DESTINATIONS_MAX = 65_536;
export const SERVICES_MAX = 4_096;
export const MEMBERS_MAX = 1_048_576;
const NEWS_BYTES = 4_194_304;

const PROGRAMS = [
  "at_card",
  "at_lane",
  "edit_schedule",
  "pick_destination",
  "take_connection",
  "give_connection",
  "forget_connection",
] as const;

const MAPS = [
  "connections",
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
  "schedules",
  "settings",
  "tally",
] as const;

/** Where programs and maps outlive the process. */
export interface PinnedMapsOptions {
  readonly pins: Pins;
  /** Whether what an earlier process left there is gone on with. */
  readonly adopts: boolean;
  readonly inform: (message: string) => void;
  readonly warn: (message: string, error?: unknown) => void;
}

export class KernelMaps implements Disposable {
  readonly programs: Readonly<Record<(typeof PROGRAMS)[number], number>>;
  readonly connections: number;
  readonly replies: number;
  readonly templates: number;
  readonly clientWays: number;
  readonly services: number;
  readonly verdicts: number;
  readonly watches: number;
  readonly toldPackets: number;
  readonly newsFd: number;
  readonly news: NewsRing;
  /** struct destination, by slot. */
  readonly destinations: Memory;
  /** struct tunnel, by slot. */
  readonly tunnels: Memory;
  /** 32-bit words: lists of slots. */
  readonly members: Memory;
  readonly schedules: Memory;
  readonly settings: Memory;
  readonly tally: Memory;
  readonly #stack: DisposableStack;

  /** Programs and maps were at work already. */
  readonly isInherited: boolean;
  readonly pins: Pins | undefined;

  /** Throws a BpfError when the kernel or libbpf refuses. */
  constructor(connectionsMax: number, outliving?: PinnedMapsOptions) {
    using stack = new DisposableStack();
    const { parts: object, isInherited, pins } = open(connectionsMax, outliving);
    stack.use(object);
    this.isInherited = isInherited;
    this.pins = pins;
    const map = (name: string, length: number): Memory =>
      stack.use(Memory.shared(object.map(name), length, `map the kernel engine's ${name}`));
    this.connections = object.map("connections");
    this.replies = object.map("replies");
    this.templates = object.map("templates");
    this.clientWays = object.map("client_ways");
    this.services = object.map("services");
    this.verdicts = object.map("verdicts");
    this.watches = object.map("watches");
    this.toldPackets = object.map("told_packets");
    this.newsFd = object.map("news");
    this.news = stack.use(new NewsRing(this.newsFd, NEWS_BYTES));
    this.destinations = map("destinations", DESTINATIONS_MAX * destination.size);
    this.tunnels = map("tunnels", DESTINATIONS_MAX * tunnel.size);
    this.members = map("members", MEMBERS_MAX * 4);
    this.schedules = map("schedules", SERVICES_MAX * schedule.size);
    this.settings = map("settings", settings.size);
    this.tally = map("tally", tally.size);
    const programs = PROGRAMS.map((name) => [name, object.program(name)]);
    this.programs = Object.fromEntries(programs) as typeof this.programs;
    this.#stack = stack.move();
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }
}

interface Opened {
  readonly parts: BpfParts;
  readonly isInherited: boolean;
  /** Where they are kept; undefined: they end with the process. */
  readonly pins: Pins | undefined;
}

function open(connectionsMax: number, outliving: PinnedMapsOptions | undefined): Opened {
  const bytes = readFileSync(OBJECT);
  const entries = {
    connections: connectionsMax,
    replies: connectionsMax,
    templates: connectionsMax,
  };
  const load = (): BpfObject => new BpfObject(bytes, entries);
  if (outliving === undefined) return { parts: load(), isInherited: false, pins: undefined };
  const { pins, adopts, inform, warn } = outliving;
  const identity: Identity = {
    object: hash(bytes),
    layout: hash(Buffer.from(JSON.stringify(abi))),
    connectionsMax,
  };
  if (pins.exist) {
    const found = adopts ? find(pins, identity, inform) : "it was asked for";
    if (typeof found !== "string") return { parts: found, isInherited: true, pins };
    inform(`the kernel's programs begin anew: ${found} (${pins.folder})`);
    pins.remove();
  }
  const parts = load();
  try {
    pins.keep(parts, identity);
    return { parts, isInherited: false, pins };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    warn("the kernel's programs end with this process", error);
    pins.remove();
    return { parts, isInherited: false, pins: undefined };
  }
}

/** What is pinned, with programs of our own where they are another version's; or why it cannot be gone on with. */
function find(pins: Pins, wanted: Identity, inform: (message: string) => void): BpfParts | string {
  const identity = pins.identity();
  const why = whyNot(identity, wanted);
  if (why !== undefined) return why;
  const parts = pins.open();
  try {
    for (const name of MAPS) parts.map(name);
    if (identity?.object === wanted.object) {
      for (const name of PROGRAMS) parts.program(name);
      return parts;
    }
    using _ = parts;
    const exchanged = exchange(pins, parts, wanted);
    inform(
      `the kernel's programs are exchanged for those of this version, and go on (${pins.folder})`,
    );
    return exchanged;
  } catch (error) {
    parts[Symbol.dispose]();
    return (error as Error).message;
  }
}

/** Programs of this version, with the maps that are there: packets meet them from then on where links are told. */
function exchange(pins: Pins, kept: PinnedParts, wanted: Identity): BpfParts {
  const used = Object.fromEntries(MAPS.map((name) => [name, kept.map(name)]));
  const parts = new BpfObject(readFileSync(OBJECT), {}, used);
  try {
    pins.exchangePrograms(parts, wanted);
    return parts;
  } catch (error) {
    parts[Symbol.dispose]();
    throw error;
  }
}

/** Why what is pinned cannot be gone on with; undefined when it can. */
function whyNot(found: Identity | undefined, wanted: Identity): string | undefined {
  if (found === undefined) return "what was found is not whole, or nobody's that is known";
  if (found.layout !== wanted.layout) {
    return "another version of Sluice left them, which lays out otherwise what they know: connections come from its file";
  }
  if (found.connectionsMax !== wanted.connectionsMax) {
    return `they were for ${found.connectionsMax} connections, and are now for ${wanted.connectionsMax}`;
  }
  return undefined;
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
