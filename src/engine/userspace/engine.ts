/**
 * The engine without BPF: packet sockets around the director (ipvs/director.ts).
 *
 * A packet's way: door → packet ring → director → neighbour's address → transmitter, from the ring on in one turn of the
 * event loop; what the director passes goes back by the door.
 */
import { randomBytes } from "node:crypto";
import type { Instant } from "../../base/clock.ts";
import type { DesiredState } from "../../ipvs/desired-state.ts";
import type { Destination } from "../../ipvs/destination.ts";
import { Director } from "../../ipvs/director.ts";
import { type Hook, NO_ARRIVAL, Packet } from "../../ipvs/packet.ts";
import { familyOf, type ServiceKey } from "../../ipvs/service.ts";
import type { Counters, Rates } from "../../ipvs/statistics.ts";
import {
  type ConnectionStatus,
  connectionStatuses,
  type ServiceStatus,
  serviceStatus,
} from "../../ipvs/status.ts";
import type { Sysctls } from "../../ipvs/sysctls.ts";
import { ETHERNET_HEADER_LENGTH } from "../../net/ethernet.ts";
import type { Engine } from "../engine.ts";
import { Dispatch } from "./dispatch.ts";
import { Door, type DoorEvents } from "./door/door.ts";
import { OUTPUT_MARK, type Stand } from "./door/door-words.ts";
import { markOf, restore, wayOf } from "./door/lane-frame.ts";
import { TakenPackets } from "./door/taken-packets.ts";
import { FrameSender } from "./frame-sender.ts";
import { HostSender } from "./host-sender.ts";
import { hostUnreachable } from "./host-unreachable.ts";
import { inlineThePacketPath } from "./inlining.ts";
import { claimNamespace } from "./namespace-claim.ts";
import { HostNetwork } from "./network/host-network.ts";
import type { NeighbourNews } from "./network/neighbour-table.ts";
import type { PacketRing, RingFrame } from "./packet-ring.ts";
import { PathMtuLearner, tunnelsIn } from "./path-mtu-learner.ts";
import { HEADROOM } from "./ring-layout.ts";
import { Transmitter } from "./transmitter.ts";
import { VIRTIO_NET_HEADER_LENGTH } from "./virtio-net-header.ts";

/** No IP packet is shorter. */
const PACKET_LENGTH_MIN = 20;
/** Connections looked at in one go of expiry: well below a millisecond. */
export const EXPIRE_BUDGET = 2_000;
/** Entries that a listing reads before packets get their turn. */
const LISTING_BUDGET = 1_000;
/** The kernel's own number of rows, which listings show as `size`. */
const CONNECTION_TABLE_SIZE = 4096;
const CONNECTIONS_MAX = 1 << 20;

/** How a message of the host's own comes to the director. */
const LOCAL_OUT = { ...NO_ARRIVAL, hook: "local-out" } as const;

export interface UserspaceEngineOptions {
  /** What the engine cannot tell its caller otherwise, because no call is under way. */
  readonly events: DoorEvents;
  /** Where packets are taken; undefined: where the kernel's IPVS takes them if this kernel can. */
  readonly stand?: Stand;
  readonly connectionsMax?: number;
}

/** What is opened before the engine, and closed by it. */
interface Parts {
  readonly network: HostNetwork;
  readonly door: Door;
  readonly claim: AsyncDisposable;
}

export class UserspaceEngine implements Engine {
  readonly name = "userspace";
  readonly connectionTableSize = CONNECTION_TABLE_SIZE;
  readonly #director: Director;
  readonly #network: HostNetwork;
  readonly #door: Door;
  readonly #taken: TakenPackets;
  readonly #claim: AsyncDisposable;
  readonly #ring: PacketRing;
  readonly #transmitter: Transmitter;
  readonly #sender: FrameSender;
  readonly #hostSender: HostSender;
  readonly #dispatch: Dispatch;
  readonly #pathMtuLearner: PathMtuLearner;
  readonly #packet = new Packet();
  readonly #notice = new Packet();
  readonly #arrival = {
    hook: "wire" as Hook,
    interfaceIndex: 0,
    isUnicast: true,
    mark: 0,
    segmentSize: 0,
    isChecksumPartial: false,
    headroom: 0,
  };
  /** When the batch of frames that is being handled began: its packets' time. */
  #batchTime: Instant | undefined;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #isOpen = true;

  private constructor(
    { network, door, claim }: Parts,
    { connectionsMax = CONNECTIONS_MAX, events }: UserspaceEngineOptions,
  ) {
    this.#network = network;
    this.#door = door;
    this.#claim = claim;
    this.#taken = new TakenPackets({
      take: (rules) => door.take(rules),
      isLocal: (address) => network.isLocal(address),
      destinationsInUse: () => this.#destinationsInUse(),
      onError: (error) =>
        events.warn("not all is taken from the host as it should be, trying again", error),
    });
    const key = randomBytes(8);
    this.#director = new Director({
      host: network,
      limit: connectionsMax,
      hashKey: [key.readInt32LE(0), key.readInt32LE(4)],
    });
    using stack = new DisposableStack();
    this.#transmitter = stack.use(new Transmitter());
    this.#hostSender = stack.use(new HostSender());
    this.#sender = stack.use(
      new FrameSender(this.#transmitter, network, {
        clock: { now },
        undeliverable: (bytes) => this.#refuse(bytes),
      }),
    );
    this.#pathMtuLearner = stack.use(
      new PathMtuLearner((error) =>
        events.warn("the host does not learn the MTU of tunnels' paths", error),
      ),
    );
    this.#dispatch = new Dispatch({
      sender: this.#sender,
      hostSender: this.#hostSender,
      back: door.back,
      host: network,
      passesFilters: () => this.#director.sysctls.conntrack !== 0,
    });
    this.#ring = door.listen({
      onFrame: (frame) => this.#receive(frame),
      onBatchEnd: () => this.#endBatch(),
    });
    stack.move();
    this.#scheduleTimer();
  }

  /** Opens the engine in the current network namespace. Throws when the host refuses, with the reason. */
  static async open(options: UserspaceEngineOptions): Promise<UserspaceEngine> {
    const { events } = options;
    inlineThePacketPath();
    await using stack = new AsyncDisposableStack();
    // First of all, so that a second engine does not take the first one's lane.
    const claim = stack.use(await claimNamespace());
    const door = stack.use(await Door.open(events, options.stand));
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
    await door.watch(network.links.values());
    engine = new UserspaceEngine({ network, door, claim }, options);
    stack.move();
    return engine;
  }

  async apply(desired: DesiredState): Promise<void> {
    await this.#taken.during(desired, () => this.#director.apply(desired));
    this.#pathMtuLearner.learnOf(tunnelsIn(desired));
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
    const back = this.#door.back.statistics();
    return {
      ...this.#director.reasons(),
      "ring-full": ring.dropped,
      "ring-truncated": ring.truncated,
      "transmit-congested": transmitted.congested,
      "transmit-failed": Object.values(transmitted.failed).reduce((sum, each) => sum + each, 0),
      ...this.#sender.reasons(),
      "notice-congested": own.congested,
      "notice-failed": Object.values(own.failed).reduce((sum, each) => sum + each, 0),
      "lane-congested": back.congested,
      "lane-failed": Object.values(back.failed).reduce((sum, each) => sum + each, 0),
      "host-too-big": this.#dispatch.tooBig,
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
    this.#pathMtuLearner[Symbol.dispose]();
    this.#network[Symbol.dispose]();
    this.#taken[Symbol.dispose]();
    await this.#door[Symbol.asyncDispose]();
    await this.#claim[Symbol.asyncDispose]();
  }

  #networkChanged(): void {
    if (!this.#isOpen) return;
    this.#sender.forget();
    this.#taken.addressesChanged();
    void this.#door.watch(this.#network.links.values());
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

  /**
   * Nobody answered for the next hop of a packet: its sender is told, as the host's stack would. The director sees the
   * message where the kernel's LOCAL_OUT hook would, and words it in terms of the service.
   */
  #refuse(bytes: Uint8Array): void {
    const message = hostUnreachable(bytes, this.#network);
    if (message === undefined) return;
    const notice = this.#notice;
    if (notice.moveTo(message, 0, message.length, LOCAL_OUT) !== undefined) return;
    const { verdict, packet, notices } = this.#director.receive(notice, now());
    for (const each of notices) this.#hostSender.enqueue(each);
    if (verdict === "drop") return;
    this.#hostSender.enqueue(packet.bytes.subarray(packet.start, packet.end));
  }

  #flush(): void {
    this.#sender.flush();
    this.#hostSender.flush();
  }

  #receive(frame: RingFrame): void {
    const { memory, start, end, offload } = frame;
    const { bytes, view } = memory;
    const packetStart = start + ETHERNET_HEADER_LENGTH;
    const way = wayOf(bytes, start);
    if (way === undefined || end - packetStart < PACKET_LENGTH_MIN || frame.truncated) return;
    restore(bytes, packetStart, way);
    const arrival = this.#arrival;
    arrival.hook = way.hook;
    const mark = markOf(view, start);
    arrival.mark = mark === OUTPUT_MARK ? 0 : mark;
    arrival.segmentSize = offload.segmentation === 0 ? 0 : offload.segmentSize;
    arrival.isChecksumPartial = offload.needsChecksum;
    // An Ethernet header and the transmitter's own must still fit before a tunnel's.
    arrival.headroom = HEADROOM - VIRTIO_NET_HEADER_LENGTH;
    const packet = this.#packet;
    const fault = packet.moveTo(bytes, packetStart, end, arrival);
    if (fault !== undefined) {
      this.#director.malformed();
      // A process of the host's own may send what it likes; nobody but the director would take it.
      if (way.hook !== "local-out") this.#door.back.send(memory, packetStart, end, mark, offload);
      return;
    }
    this.#batchTime ??= now();
    this.#dispatch.perform(this.#director.receive(packet, this.#batchTime), packet, frame);
  }

  #endBatch(): void {
    this.#flush();
    this.#door.back.flush();
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
