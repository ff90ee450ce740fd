/**
 * The engine without BPF: packet sockets around the director (ipvs/director.ts).
 *
 * A frame's way: packet ring → director → neighbour's address → transmitter, all in one turn of the event loop; the
 * guard keeps the host's own stack out of it, the lane gives back what the director passes.
 */
import { randomBytes } from "node:crypto";
import type { Instant } from "../../base/clock.ts";
import type { DesiredState } from "../../ipvs/desired-state.ts";
import type { Destination } from "../../ipvs/destination.ts";
import { Director } from "../../ipvs/director.ts";
import { type Hook, Packet } from "../../ipvs/packet.ts";
import { familyOf, type ServiceKey } from "../../ipvs/service.ts";
import type { Counters, Rates } from "../../ipvs/statistics.ts";
import {
  type ConnectionStatus,
  connectionStatuses,
  type ServiceStatus,
  serviceStatus,
} from "../../ipvs/status.ts";
import type { Sysctls } from "../../ipvs/sysctls.ts";
import { ETHERNET_HEADER_LENGTH, ETHERTYPE } from "../../net/ethernet.ts";
import { readUint16 } from "../../net/words.ts";
import type { Engine } from "../engine.ts";
import { Dispatch } from "./dispatch.ts";
import { FrameSender } from "./frame-sender.ts";
import { addressesIn, type GuardRules, NO_RULES } from "./guard-rules.ts";
import { HostGuard } from "./host-guard.ts";
import { HostLane } from "./host-lane.ts";
import { HostSender } from "./host-sender.ts";
import { hostUnreachable } from "./host-unreachable.ts";
import { inlineThePacketPath } from "./inlining.ts";
import { claimNamespace } from "./namespace-claim.ts";
import { HostNetwork } from "./network/host-network.ts";
import { isRepeatingPort } from "./network/links.ts";
import type { NeighbourNews } from "./network/neighbour-table.ts";
import type { FrameFilter } from "./packet-filter.ts";
import { PacketRing, type RingFrame } from "./packet-ring.ts";
import { HEADROOM } from "./ring-layout.ts";
import { TakenPackets } from "./taken-packets.ts";
import { Transmitter } from "./transmitter.ts";
import { VIRTIO_NET_HEADER_LENGTH } from "./virtio-net-header.ts";

/** if_packet.h: the frame was addressed to this host. */
const PACKET_HOST = 0;
/** Connections looked at in one go of expiry: well below a millisecond. */
export const EXPIRE_BUDGET = 2_000;
/** Entries that a listing reads before packets get their turn. */
const LISTING_BUDGET = 1_000;
/** The kernel's own number of rows, which listings show as `size`. */
const CONNECTION_TABLE_SIZE = 4096;
const CONNECTIONS_MAX = 1 << 20;

/** What the engine cannot tell its caller otherwise, because no call is under way. */
export interface EngineEvents {
  /** Goes on, but not as it should: says what and what follows. */
  warn(message: string, error: unknown): void;
  /** What was warned of is over. */
  inform(message: string): void;
}

export interface UserspaceEngineOptions {
  readonly events: EngineEvents;
  readonly connectionsMax?: number;
}

/** What is opened before the engine, and closed by it. */
interface Parts {
  readonly network: HostNetwork;
  readonly lane: HostLane;
  readonly guard: HostGuard;
  readonly claim: AsyncDisposable;
}

export class UserspaceEngine implements Engine {
  readonly name = "userspace";
  readonly connectionTableSize = CONNECTION_TABLE_SIZE;
  readonly #director: Director;
  readonly #network: HostNetwork;
  readonly #lane: HostLane;
  readonly #guard: HostGuard;
  readonly #taken: TakenPackets;
  readonly #claim: AsyncDisposable;
  readonly #ring: PacketRing;
  readonly #transmitter: Transmitter;
  readonly #sender: FrameSender;
  readonly #hostSender: HostSender;
  readonly #dispatch: Dispatch;
  readonly #packet = new Packet();
  readonly #arrival = {
    hook: "wire" as Hook,
    interfaceIndex: 0,
    isUnicast: true,
    mark: 0,
    segmentSize: 0,
    isChecksumPartial: false,
    headroom: 0,
  };
  /** Whose packets the ring receives: the services', the masqueraded servers', and what is marked. */
  #heard = NO_RULES;
  /** When the batch of frames that is being handled began: its packets' time. */
  #batchTime: Instant | undefined;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #isOpen = true;

  private constructor(
    { network, lane, guard, claim }: Parts,
    { connectionsMax = CONNECTIONS_MAX, events }: UserspaceEngineOptions,
  ) {
    this.#network = network;
    this.#lane = lane;
    this.#guard = guard;
    this.#claim = claim;
    this.#taken = new TakenPackets({
      guard,
      isForHost: (packet) => network.isLocal(packet.destination),
      destinationsInUse: () => this.#destinationsInUse(),
      onRules: (rules) => this.#listenTo(rules),
      onError: (error) =>
        events.warn("some of the host's own packets take a detour, trying again", error),
    });
    const key = randomBytes(8);
    this.#director = new Director({
      host: network,
      limit: connectionsMax,
      hashKey: [key.readInt32LE(0), key.readInt32LE(4)],
    });
    this.#transmitter = new Transmitter();
    this.#hostSender = new HostSender();
    this.#sender = new FrameSender(this.#transmitter, network, {
      clock: { now },
      undeliverable: (bytes) => this.#refuse(bytes),
    });
    this.#dispatch = new Dispatch({
      sender: this.#sender,
      hostSender: this.#hostSender,
      taken: this.#taken,
      lane,
    });
    this.#ring = new PacketRing({
      filter: this.#filter(),
      onFrame: (frame) => this.#receive(frame),
      onBatchEnd: () => this.#endBatch(),
    });
    this.#scheduleTimer();
  }

  /** Opens the engine in the current network namespace. Throws when the host refuses, with the reason. */
  static async open(options: UserspaceEngineOptions): Promise<UserspaceEngine> {
    const { events } = options;
    inlineThePacketPath();
    await using stack = new AsyncDisposableStack();
    // First of all, so that a second engine does not take the first one's lane.
    const claim = stack.use(await claimNamespace());
    const guard = stack.use(
      await HostGuard.open({
        onLost: (error) =>
          events.warn("the host's own stack sees the services' packets, too, for a moment", error),
        onRestored: () =>
          events.inform("the services' packets are taken from the host's own stack again"),
      }),
    );
    const lane = stack.use(new HostLane());
    let engine: UserspaceEngine | undefined;
    const network = stack.use(
      await HostNetwork.open({
        onChange: () => {
          if (engine !== undefined) engine.#networkChanged();
        },
        onNeighbour: (news) => {
          if (engine !== undefined) engine.#neighbourChanged(news);
        },
        onNeighbours: () => {
          if (engine !== undefined) engine.#neighboursChanged();
        },
        onError: (error) => events.warn("cannot follow the host's network, trying again", error),
      }),
    );
    engine = new UserspaceEngine({ network, lane, guard, claim }, options);
    stack.move();
    return engine;
  }

  async apply(desired: DesiredState): Promise<void> {
    await this.#taken.during(desired, () => this.#director.apply(desired));
  }

  async services(): Promise<readonly ServiceStatus[]> {
    return [...this.#director.services.services()].map(serviceStatus);
  }

  async *connections(): AsyncGenerator<ConnectionStatus> {
    let after = -1;
    do {
      const { statuses, last } = connectionStatuses(
        this.#director.connections,
        now(),
        after,
        LISTING_BUDGET,
      );
      yield* statuses;
      after = last;
      await new Promise((resolve) => setImmediate(resolve));
    } while (after >= 0 && this.#isOpen);
  }

  async totals(): Promise<{ counters: Counters; rates: Rates }> {
    const { counters, rates } = this.#director.services.total;
    return { counters, rates };
  }

  async zero(key: ServiceKey | undefined): Promise<void> {
    this.#director.zero(key);
  }

  async sysctls(): Promise<Sysctls> {
    return this.#director.sysctls;
  }

  async reasons(): Promise<Readonly<Record<string, number>>> {
    const ring = this.#ring.statistics();
    const transmitted = this.#transmitter.statistics();
    const own = this.#hostSender.statistics();
    return {
      ...this.#director.reasons(),
      "ring-full": ring.dropped,
      "ring-truncated": ring.truncated,
      "transmit-congested": transmitted.congested,
      "transmit-failed": Object.values(transmitted.failed).reduce((sum, each) => sum + each, 0),
      ...this.#sender.reasons(),
      "notice-congested": own.congested,
      "notice-failed": Object.values(own.failed).reduce((sum, each) => sum + each, 0),
      ...this.#network.troubles(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#ring[Symbol.dispose]();
    this.#sender[Symbol.dispose]();
    this.#transmitter[Symbol.dispose]();
    this.#hostSender[Symbol.dispose]();
    this.#network[Symbol.dispose]();
    this.#taken[Symbol.dispose]();
    await this.#guard[Symbol.asyncDispose]();
    this.#lane[Symbol.dispose]();
    await this.#claim[Symbol.asyncDispose]();
  }

  #networkChanged(): void {
    if (!this.#isOpen) return;
    this.#sender.forget();
    this.#listenTo(this.#heard);
  }

  #listenTo(rules: GuardRules): void {
    this.#heard = rules;
    if (this.#isOpen) this.#ring.filter(this.#filter());
  }

  #filter(): FrameFilter {
    const ignoredInterfaces = ignored(this.#network, this.#lane);
    return { ignoredInterfaces, addresses: addressesIn(this.#heard), marks: this.#heard.marks };
  }

  #neighbourChanged(news: NeighbourNews): void {
    if (!this.#isOpen) return;
    this.#sender.neighbourChanged(news);
    this.#flush();
  }

  #neighboursChanged(): void {
    if (!this.#isOpen) return;
    this.#sender.neighboursChanged();
    this.#flush();
  }

  /** Nobody answered for the next hop of a packet: its sender is told, as the host's stack would. */
  #refuse(bytes: Uint8Array): void {
    const message = hostUnreachable(bytes, this.#network);
    if (message !== undefined) this.#hostSender.enqueue(message);
  }

  #flush(): void {
    this.#sender.flush();
    this.#hostSender.flush();
  }

  #receive(frame: RingFrame): void {
    const { memory, start, end, offload } = frame;
    const { bytes } = memory;
    if (end - start < ETHERNET_HEADER_LENGTH || frame.truncated) return;
    const etherType = readUint16(bytes, start + 12);
    if (etherType === ETHERTYPE.arp) return;
    const arrival = this.#arrival;
    arrival.interfaceIndex = frame.interfaceIndex;
    arrival.isUnicast = frame.packetType === PACKET_HOST;
    arrival.segmentSize = offload.segmentation === 0 ? 0 : offload.segmentSize;
    arrival.isChecksumPartial = offload.needsChecksum;
    // An Ethernet header and the transmitter's own must still fit before a tunnel's.
    arrival.headroom = HEADROOM - VIRTIO_NET_HEADER_LENGTH;
    const packet = this.#packet;
    const fault = packet.moveTo(bytes, start + ETHERNET_HEADER_LENGTH, end, arrival);
    if (fault !== undefined) {
      this.#director.malformed();
      return;
    }
    this.#batchTime ??= now();
    this.#dispatch.perform(this.#director.receive(packet, this.#batchTime), packet, frame);
  }

  #endBatch(): void {
    this.#flush();
    this.#batchTime = undefined;
  }

  /** Those whose connections the director still deals with: without a service of a family, with none of it. */
  *#destinationsInUse(): Generator<Destination> {
    const { services } = this.#director;
    for (const destination of services.inUse()) {
      if (services.has(familyOf(destination.service.key) === "inet" ? 4 : 6)) yield destination;
    }
  }

  #expire(): void {
    if (!this.#isOpen) return;
    const at = now();
    this.#sender.expire();
    const more = this.#director.expire(at, EXPIRE_BUDGET);
    this.#flush();
    if (more) this.#immediate = setImmediate(() => this.#expire());
    else this.#scheduleTimer();
  }

  #scheduleTimer(): void {
    // What packets bring about meanwhile is due in a second at the earliest, and the director's own housekeeping in a
    // second at the latest: so no deadline needs the timer moved.
    const deadline = Math.min(this.#director.nextDeadline(), this.#sender.nextDeadline());
    const wait = Math.max(deadline - now(), 1);
    this.#timer = setTimeout(() => this.#expire(), wait);
  }
}

function now(): Instant {
  return performance.now() as Instant;
}

/** Interfaces whose frames are not the director's: the lane itself, and ports whose frames come again from their bridge. */
function ignored(network: HostNetwork, lane: HostLane): number[] {
  const ports = [...network.links.values()].filter(isRepeatingPort).map((link) => link.index);
  return [lane.entryIndex, lane.exitIndex, ...ports];
}
