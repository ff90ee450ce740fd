/** The programs in bpf/ with their maps, loaded or found at work, and what of those is mapped into the process. */
import { createHash, randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { Memory, SystemCallError } from "../host/system/libc.ts";
import { ToldOnce, troubleName } from "../host/told-once.ts";
import * as abi from "./abi.ts";
import { BpfObject, type BpfParts, type Question } from "./libbpf.ts";
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
  "play_matches",
  "pick_destination",
  "look_at_connection",
  "read_record",
  "take_connection",
  "give_connection",
  "forget_connection",
] as const;

/** For how many connections a bucket of the index is: it has room for seven. */
const CONNECTIONS_PER_BUCKET = 4;
/** At least: each of the eight buckets of a flow is another one. */
const INDEX_BITS_MIN = 3;

function indexBits(connectionsMax: number): number {
  return Math.max(INDEX_BITS_MIN, Math.ceil(Math.log2(connectionsMax / CONNECTIONS_PER_BUCKET)));
}

const MAPS = [
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
  /** All that the programs share, by name. */
  readonly shared: Readonly<Record<string, number>>;
  /** What connections take of the kernel's memory. */
  readonly tables: readonly number[];
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
  /** Where each destination has its matches: two words, by slot. */
  readonly seats: Memory;
  readonly schedules: Memory;
  readonly settings: Memory;
  readonly tally: Memory;
  readonly #stack: DisposableStack;

  /** Programs and maps were at work already. */
  readonly isInherited: boolean;
  readonly pins: Pins | undefined;
  readonly #refusals: ToldOnce;

  /** `warn`: of what goes on, but not as it should. Throws a BpfError when the kernel or libbpf refuses. */
  constructor(
    connectionsMax: number,
    outliving?: PinnedMapsOptions,
    warn?: (message: string, error?: unknown) => void,
  ) {
    this.#refusals = new ToldOnce((name, error) =>
      warn?.(`the kernel does not run a program of the daemon's own (counted as ${name})`, error),
    );
    using stack = new DisposableStack();
    const { parts: object, isInherited, pins } = open(connectionsMax, outliving);
    stack.use(object);
    using unless = new DisposableStack();
    if (!isInherited && pins !== undefined) unless.defer(() => removeParts(pins));
    this.isInherited = isInherited;
    this.pins = pins;
    const map = (name: string, length: number): Memory =>
      stack.use(Memory.shared(object.map(name), length, `map the kernel engine's ${name}`));
    const names = object.mapNames().filter((name) => !name.includes("."));
    this.shared = Object.fromEntries(names.map((name) => [name, object.map(name)]));
    this.tables = ["connections", "free_records", "buckets"].map((name) => object.map(name));
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
    this.seats = map("seats", DESTINATIONS_MAX * 8);
    this.schedules = map("schedules", SERVICES_MAX * schedule.size);
    this.settings = map("settings", settings.size);
    this.tally = map("tally", tally.size);
    if (!isInherited) this.#layOut(indexBits(connectionsMax));
    const programs = PROGRAMS.map((name) => [name, object.program(name)]);
    this.programs = Object.fromEntries(programs) as typeof this.programs;
    unless.move();
    this.#stack = stack.move();
  }

  /** Has a program of the daemon's own answer: whether it could. "refused", and counted, where the kernel did not run it. */
  ask(question: Question, program: (typeof PROGRAMS)[number]): boolean | "refused" {
    try {
      return question.ask(this.programs[program]);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      this.#refusals.count(troubleName("kernel-refused", error), error);
      return "refused";
    }
  }

  /** What the kernel refused, by reason. */
  reasons(): Readonly<Record<string, number>> {
    return this.#refusals.counts();
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }

  /** How many buckets there are, and what flows are hashed by from now on. */
  #layOut(bits: number): void {
    const { view, bytes } = this.settings;
    view.setUint32(settings.indexBits, bits, true);
    randomFillSync(bytes, settings.secret, settings.states - settings.secret);
    randomFillSync(bytes, settings.multiplier, 8);
    bytes[settings.multiplier]! |= 1;
  }
}

/** Said where what is wanted to outlive the process cannot. */
export const END_WITH_PROCESS = "the kernel's programs end with this process";

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
    free_records: connectionsMax,
    buckets: 2 ** indexBits(connectionsMax),
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
  try {
    const found = adopts && pins.exist ? find(pins, identity, inform) : "it was asked for";
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
function removeParts(pins: Pins): void {
  try {
    pins.remove();
  } catch {
    // It has been said that they are not kept.
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
