/**
 * The door: where the director's packets are taken from the host's stack, and given back to it.
 *
 * netfilter's hooks have them duplicated into the lane and dropped (door-table.ts); at its other end the packet ring
 * hears them. Each frame tells by its Ethernet destination at which hook it was taken, and with which mark.
 */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isRepeatingPort, type Link } from "../../host/links.ts";
import { Netlink } from "../../host/netlink/netlink.ts";
import { SystemCallError } from "../../host/system/libc.ts";
import { HeadStart } from "../head-start.ts";
import { Lane } from "../lane/lane.ts";
import { LaneKeeper } from "../lane/lane-keeper.ts";
import { PacketRing, type PacketRingOptions } from "../ring/packet-ring.ts";
import type { RingSocket } from "../ring/ring-socket.ts";
import type { DoorRules } from "./door-rules.ts";
import { LANE_DEVICE, OWN_DEVICE, type Place, type Stand } from "./door-words.ts";
import type { Grace } from "./keeper.ts";
import { makeLaneRoutes } from "./lane-routes.ts";
import { LaneSender } from "./lane-sender.ts";
import { MarkCarrier } from "./mark-carrier.ts";
import { NetfilterTables } from "./netfilter-tables.ts";
import { OutputRule } from "./output-rule.ts";

/** Routing tables of our own, far from the numbers that people choose: "sl" and 16 bits. */
const OUTPUT_TABLE = 0x736c_0000;
const OUTPUT_TABLES = 0x1_0000;

const WITHOUT_MARKS =
  "this kernel cannot write to frames that leave (CONFIG_NETFILTER_EGRESS): firewall marks are not seen, and services of marks get nothing";

const ON_THE_WIRE =
  "this kernel's nftables cannot duplicate packets (nft_dup_ipv4, nft_dup_ipv6): they are taken where they arrive, before the host's firewall and its other checks, which then do not apply to them; firewall marks, clients and masqueraded servers on this host, and interfaces without Ethernet are not balanced";

export interface DoorEvents {
  /** Goes on, but not as it should: says what and what follows. */
  warn(message: string, error: unknown): void;
  /** What was warned of is over. */
  inform(message: string): void;
}

export interface DoorOptions {
  /** Where packets are taken; undefined: at the hooks if the kernel can, else on the wire. */
  readonly stand?: Stand | undefined;
  readonly grace?: Grace | undefined;
  /** What was begun of it already: taken. */
  readonly headStart?: HeadStart | undefined;
  /** Goes on with the lane of a process before, if it is whole. */
  readonly adoptsLane?: boolean | undefined;
}

interface DoorParts {
  readonly lane: Lane;
  readonly tables: NetfilterTables;
  readonly netlink: Netlink;
  readonly outputRule: OutputRule;
  readonly keeper: LaneKeeper;
  readonly back: LaneSender;
  readonly socket: RingSocket;
  readonly prepared: Promise<void>;
  readonly made: Promise<void>;
}

export class Door implements AsyncDisposable {
  readonly #parts: DoorParts;
  #localRules = 0;
  #ring: PacketRing | undefined;

  private constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /** Makes it in the current network namespace; it takes nothing yet. Rejects with the reason when the host refuses. */
  static async open(events: DoorEvents): Promise<Door> {
    await using stack = new AsyncDisposableStack();
    const door = stack.use(await Door.begin(events));
    await Promise.all([door.isPrepared(), door.stands()]);
    stack.move();
    return door;
  }

  /**
   * As open(), but when this resolves the kernel still has to clear the ring's memory, which isPrepared() waits for, and nft
   * to make the tables, which stands() waits for: each takes its time.
   */
  static async begin(events: DoorEvents, options: DoorOptions = {}): Promise<Door> {
    const { stand, grace, headStart, adoptsLane } = options;
    const { nft, namespace, socket, prepared } = (headStart ?? new HeadStart()).take();
    await using stack = new AsyncDisposableStack();
    stack.use(socket);
    const held = (): (number | undefined)[] => [namespace?.fd, marks.fd];
    const tables = stack.use(
      new NetfilterTables({
        nft,
        stand,
        grace: grace?.pins === undefined ? grace : { ...grace, held },
        onLost: (error) =>
          events.warn("the host's own stack sees the services' packets for a moment", error),
        onRestored: () =>
          events.inform("the services' packets are taken from the host's own stack again"),
        onStand: (error) => events.warn(ON_THE_WIRE, error),
      }),
    );
    const hasOthers = (grace?.keepers.pids().length ?? 0) > 0;
    const lane = stack.use(new Lane({ host: LANE_DEVICE, own: OWN_DEVICE }, namespace, adoptsLane));
    const netlink = stack.use(new Netlink());
    const outputTable = OUTPUT_TABLE + randomInt(OUTPUT_TABLES);
    const outputRule = stack.use(new OutputRule(netlink, outputTable));
    const marks = stack.use(new Marks(await carryMarks(events, hasOthers)));
    const back = stack.use(new LaneSender(lane));
    const makeWays = (): number =>
      tables.place.stand === "hooks" ? makeLaneRoutes(netlink, lane.hostIndex, outputTable) : 0;
    const made = tables.open().then(() => void makeWays());
    // stands() tells.
    made.catch(() => {});
    let door: Door | undefined;
    const keeper = stack.use(
      new LaneKeeper({
        lane,
        onRemade: (isSame) => {
          if (door !== undefined) door.#ring?.hear(lane.ownIndex);
          if (!isSame) tables.remake();
          marks.renew();
        },
        *mendMore() {
          if (makeWays() > 0) {
            yield ["mended-ways", `routes or neighbours of ${LANE_DEVICE} were removed`];
          }
          if (outputRule.mend()) {
            yield ["mended-rule", `the routing rule into ${LANE_DEVICE} was removed`];
          }
        },
        warn: (message, error) => events.warn(message, error),
      }),
    );
    door = new Door({ lane, tables, netlink, outputRule, keeper, back, socket, prepared, made });
    stack.move();
    return door;
  }

  /** Resolves when listen() need not wait for the kernel's memory. */
  isPrepared(): Promise<void> {
    return this.#parts.prepared;
  }

  /** Resolves when it can take packets, and be told of interfaces; rejects with the reason when the host refuses. */
  stands(): Promise<void> {
    return this.#parts.made;
  }

  /** The lane is a process's before, and what its tables take comes by it. */
  get isInherited(): boolean {
    return this.#parts.lane.isInherited;
  }

  /** What a process before left ends with this. */
  own(): void {
    this.#parts.lane.stays = false;
  }

  /** All stays as it is when this is disposed of, for programs in the kernel. */
  leave(): void {
    this.#parts.lane.stays = true;
  }

  get place(): Place {
    return this.#parts.tables.place;
  }

  /** Where packets go that are the host's after all. */
  get back(): LaneSender {
    return this.#parts.back;
  }

  /** The ring that hears what the door takes; once. The caller's to dispose of, before the door. */
  listen(options: Omit<PacketRingOptions, "interfaceIndex" | "filter" | "blocks">): PacketRing {
    const { lane, socket } = this.#parts;
    this.#ring = new PacketRing({ ...options, interfaceIndex: lane.ownIndex }, socket);
    return this.#ring;
  }

  /** What had to be mended of what the door set up, by name. */
  reasons(): Readonly<Record<string, number>> {
    return this.#parts.keeper.reasons();
  }

  /** To be told of the host's interfaces whenever they or its ways may have changed. */
  watch(links: ReadonlyMap<number, Link>): Promise<void> {
    this.#parts.keeper.keep(links);
    const devices = [...links.values()].filter(
      (link) => link.header === "ethernet" && !link.isLoopback && !isRepeatingPort(link),
    );
    return this.#parts.tables.watch(devices.filter(({ name }) => name !== LANE_DEVICE));
  }

  /** Takes what `added` say, too, and `removed` no more. When it rejects, what was taken before still is. */
  async take(added: DoorRules, removed: DoorRules): Promise<void> {
    const { outputRule, tables } = this.#parts;
    const localRules = this.#localRules + localRulesIn(added) - localRulesIn(removed);
    const hasLocal = tables.place.stand === "hooks" && localRules > 0;
    if (hasLocal) outputRule.set(true);
    await tables.update(added, removed);
    this.#localRules = localRules;
    if (!hasLocal) outputRule.set(false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { lane, tables, netlink, outputRule, keeper, back, socket } = this.#parts;
    await using stack = new AsyncDisposableStack();
    for (const part of [lane, socket, back, netlink, outputRule, keeper]) stack.use(part);
    stack.use(tables);
  }
}

function localRulesIn({ localReplies, localDirect }: DoorRules): number {
  return localReplies.length + localDirect.length;
}

/** What a killed process had: its table is taken down in the kernel's own time, and until then is somebody else's. */
const REMAINS = new Set(["EPERM", "EEXIST", "EBUSY"]);
const REMAINS_MS = 5_000;
const RETRY_MS = 10;

/** What carries marks across the lane, if the kernel can; it goes with the lane's interface. */
class Marks implements Disposable {
  #carrier: MarkCarrier | undefined;

  constructor(carrier: MarkCarrier | undefined) {
    this.#carrier = carrier;
  }

  renew(): void {
    if (this.#carrier === undefined) return;
    this.#carrier[Symbol.dispose]();
    // A keeper may have the other's.
    this.#carrier = carrierBeside();
  }

  get fd(): number | undefined {
    return this.#carrier?.fd;
  }

  [Symbol.dispose](): void {
    this.#carrier?.[Symbol.dispose]();
  }
}

/** Of so many processes before it may be kept. */
const CARRIERS_MAX = 16;

/** Beside those of processes before, which keepers have. Throws a SystemCallError. */
function carrierBeside(): MarkCarrier {
  for (let number = 0; ; number++) {
    try {
      return new MarkCarrier(LANE_DEVICE, number);
    } catch (error) {
      const isThere = error instanceof SystemCallError && REMAINS.has(error.code);
      if (!isThere || number === CARRIERS_MAX) throw error;
    }
  }
}

/** Undefined where the kernel cannot. */
async function carryMarks(
  events: DoorEvents,
  hasOthers: boolean,
): Promise<MarkCarrier | undefined> {
  const until = performance.now() + REMAINS_MS;
  for (;;) {
    try {
      return hasOthers ? carrierBeside() : new MarkCarrier(LANE_DEVICE);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      if (!REMAINS.has(error.code) || performance.now() > until) {
        events.warn(WITHOUT_MARKS, error);
        return undefined;
      }
    }
    await sleep(RETRY_MS);
  }
}
