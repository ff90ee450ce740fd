/** The programs in bpf/ with their maps, loaded or found at work, and what of those is mapped into the process. */
import { Memory, SystemCallError } from "../host/system/libc.ts";
import { ToldOnce, troubleName } from "../host/told-once.ts";
import { destination, schedule, settings, tally, tunnel } from "./abi.ts";
import type { BpfParts, Question } from "./libbpf.ts";
import { open, type PinnedMapsOptions, PROGRAMS, removeParts } from "./loading.ts";
import { NewsRing } from "./news-ring.ts";
import type { Pins } from "./pins.ts";

/** As bpf/abi/ has them. */
export const DESTINATIONS_MAX = 65_536;
export const SERVICES_MAX = 4_096;
export const MEMBERS_MAX = 1_048_576;
const NEWS_BYTES = 4_194_304;

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
    passing?: () => BpfParts,
  ) {
    this.#refusals = new ToldOnce((name, error) =>
      warn?.(`the kernel does not run a program of the daemon's own (counted as ${name})`, error),
    );
    using stack = new DisposableStack();
    const { parts: object, isInherited, pins } = open(connectionsMax, outliving, passing);
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
}
