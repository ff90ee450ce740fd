/** The programs in bpf/ with their maps, loaded, and what of those is mapped into the process. */
import { randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { Memory } from "../host/system/libc.ts";
import { destination, schedule, settings, tally } from "./abi.ts";
import { BpfObject } from "./libbpf.ts";
import { NewsRing } from "./news-ring.ts";

const OBJECT = new URL("../../../bpf/director.bpf.o", import.meta.url);

/** As bpf/abi.h has them. */
export const DESTINATIONS_MAX = 65_536;
export const SERVICES_MAX = 4_096;
export const MEMBERS_MAX = 131_072;
const NEWS_BYTES = 4_194_304;

const PROGRAMS = [
  "at_card",
  "at_lane",
  "edit_schedule",
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

export class KernelMaps implements Disposable {
  readonly programs: Readonly<Record<(typeof PROGRAMS)[number], number>>;
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
  /** 32-bit words: lists of slots. */
  readonly members: Memory;
  readonly schedules: Memory;
  readonly settings: Memory;
  readonly tally: Memory;
  readonly #stack: DisposableStack;

  /** Throws a BpfError when the kernel or libbpf refuses. */
  constructor(connectionsMax: number) {
    using stack = new DisposableStack();
    const bits = indexBits(connectionsMax);
    const entries = {
      connections: connectionsMax,
      free_records: connectionsMax,
      buckets: 2 ** bits,
      replies: connectionsMax,
      templates: connectionsMax,
    };
    const object = stack.use(new BpfObject(readFileSync(OBJECT), entries));
    const map = (name: string, length: number): Memory =>
      stack.use(Memory.shared(object.map(name), length, `map the kernel engine's ${name}`));
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
    this.members = map("members", MEMBERS_MAX * 4);
    this.schedules = map("schedules", SERVICES_MAX * schedule.size);
    this.settings = map("settings", settings.size);
    this.tally = map("tally", tally.size);
    this.settings.view.setUint32(settings.indexBits, bits, true);
    randomFillSync(this.settings.bytes, settings.secret, settings.states - settings.secret);
    randomFillSync(this.settings.bytes, settings.multiplier, 8);
    this.settings.bytes[settings.multiplier]! |= 1;
    const programs = PROGRAMS.map((name) => [name, object.program(name)]);
    this.programs = Object.fromEntries(programs) as typeof this.programs;
    this.#stack = stack.move();
  }

  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }
}
