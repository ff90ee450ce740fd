/**
 * A frame's way through the engine: packet ring → director → neighbour's address → transmitter, in one turn of the event
 * loop; what the director passes goes back by the door.
 */
import type { Clock, Instant } from "../../base/clock.ts";
import type { Director } from "../../ipvs/director.ts";
import type { Outcome } from "../../ipvs/packets/outcome.ts";
import { type Hook, NO_ARRIVAL, Packet } from "../../ipvs/packets/packet.ts";
import { ETHERNET_HEADER_LENGTH } from "../../net/ethernet.ts";
import type { FlowOffload } from "../flow-offload.ts";
import type { HostNetwork } from "../host/host-network.ts";
import type { NeighbourNews } from "../host/neighbour-table.ts";
import { Dispatch } from "./dispatch.ts";
import type { Door } from "./door/door.ts";
import { OUTPUT_MARK } from "./door/door-words.ts";
import { arrivalOf, markOf, restore, wayOf } from "./door/lane-frame.ts";
import { hostUnreachable } from "./host-unreachable.ts";
import type { PacketRing, RingFrame } from "./ring/packet-ring.ts";
import { HEADROOM } from "./ring/ring-layout.ts";
import { VIRTIO_NET_HEADER_LENGTH } from "./ring/virtio-net-header.ts";
import { FrameSender } from "./sending/frame-sender.ts";
import { HostSender } from "./sending/host-sender.ts";
import type { Loss } from "./sending/losses.ts";
import { Transmitter } from "./sending/transmitter.ts";

/** No IP packet is shorter. */
const PACKET_LENGTH_MIN = 20;

/**
 * More segments of one frame are nobody's: 1024 fill 64 KiB with 64 bytes each, and the smallest segments that a program
 * can ask TCP for have 76 (TCP_MIN_MSS, 88, less timestamps). Whoever segments them, the host or its network card, would do
 * so for each of a thousand frames that one system call sends.
 */
const SEGMENTS_MAX = 1024;

/** How a message of the host's own comes to the director. */
const LOCAL_OUT = { ...NO_ARRIVAL, hook: "local-out" } as const;

export interface PacketPathParts {
  readonly director: Director;
  readonly network: HostNetwork;
  readonly door: Door;
  readonly clock: Clock;
  readonly offload: FlowOffload | undefined;
  /** Dealing with a frame failed in a way that it should not: the frame is gone. */
  readonly onBug: (error: unknown) => void;
}

/** Sees each packet, before the director and after it. */
export interface PacketTap {
  /** `arrival`: the interface that it came by, or 0 when nobody knows. */
  arrived(packet: Packet, arrival: number): void;
  /** What is to become of it; it is not sent yet. */
  decided(outcome: Outcome): void;
}

export class PacketPath implements Disposable {
  readonly #director: Director;
  readonly #network: HostNetwork;
  readonly #door: Door;
  readonly #clock: Clock;
  readonly #offload: FlowOffload | undefined;
  readonly #ring: PacketRing;
  readonly #transmitter: Transmitter;
  readonly #sender: FrameSender;
  readonly #hostSender: HostSender;
  readonly #dispatch: Dispatch;
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
  /** Whoever watches packets; undefined: nobody does. */
  tap: PacketTap | undefined;
  #absurd = 0;
  /** When the batch of frames that is being handled began: its packets' time. */
  #batchTime: Instant | undefined;

  /** Frames come from now on. Throws a SystemCallError when the kernel refuses. */
  constructor({ director, network, door, clock, offload, onBug }: PacketPathParts) {
    this.#offload = offload;
    this.#director = director;
    this.#network = network;
    this.#door = door;
    this.#clock = clock;
    using stack = new DisposableStack();
    this.#transmitter = stack.use(new Transmitter());
    this.#hostSender = stack.use(new HostSender());
    this.#sender = stack.use(
      new FrameSender(this.#transmitter, network, {
        clock,
        undeliverable: (bytes) => this.#refuse(bytes),
      }),
    );
    this.#dispatch = new Dispatch({
      sender: this.#sender,
      hostSender: this.#hostSender,
      back: door.back,
      host: network,
      passesFilters: () => director.sysctls.conntrack !== 0,
    });
    this.#ring = door.listen({
      onBatchBegin: (isPressed) => director.beginBatch(isPressed),
      onFrame: (frame) => this.#receive(frame),
      onBatchEnd: () => this.#endBatch(),
      onBug,
    });
    stack.move();
  }

  /** Routes, interfaces or addresses may have changed. */
  networkChanged(): void {
    this.#sender.forget();
  }

  neighbourChanged(news: NeighbourNews): void {
    this.#sender.neighbourChanged(news);
    this.flush();
  }

  /** News of neighbours were lost. */
  neighboursChanged(): void {
    this.#sender.neighboursChanged();
    this.flush();
  }

  /** Gives up what waited too long for a neighbour. To be called at nextDeadline(). */
  expire(): void {
    this.#sender.expire();
  }

  nextDeadline(): Instant {
    return this.#sender.nextDeadline();
  }

  /** Sends what waits. */
  flush(): void {
    this.#sender.flush();
    this.#hostSender.flush();
  }

  /** Sends whole IP packets as the host's own. */
  sendOwn(packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#hostSender.enqueue(packet);
    if (packets.length > 0) this.#hostSender.flush();
  }

  /** What was lost on the way, by reason. */
  reasons(): Readonly<Record<Loss, number>> {
    const ring = this.#ring.statistics();
    const transmitted = this.#transmitter.statistics();
    const own = this.#hostSender.statistics();
    const back = this.#door.back.statistics();
    return {
      "ring-full": ring.dropped,
      "ring-truncated": ring.truncated,
      "ring-stale": ring.stale,
      "transmit-congested": transmitted.congested,
      "transmit-failed": sum(transmitted.failed),
      ...this.#sender.reasons(),
      "notice-congested": own.congested,
      "notice-failed": sum(own.failed),
      "lane-congested": back.congested,
      "lane-failed": sum(back.failed),
      "too-many-segments": this.#absurd,
      "host-too-big": this.#dispatch.tooBig,
    };
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
    this.#sender[Symbol.dispose]();
    this.#transmitter[Symbol.dispose]();
    this.#hostSender[Symbol.dispose]();
  }

  #receive(frame: RingFrame): void {
    const { memory, start, end, offload } = frame;
    const { bytes, view } = memory;
    const packetStart = start + ETHERNET_HEADER_LENGTH;
    const way = wayOf(bytes, start);
    if (way === undefined || end - packetStart < PACKET_LENGTH_MIN || frame.truncated) return;
    const segmentSize = offload.segmentation === 0 ? 0 : offload.segmentSize;
    if (segmentSize > 0 && end - packetStart > segmentSize * SEGMENTS_MAX) {
      this.#absurd++;
      return;
    }
    restore(bytes, packetStart, way);
    const arrival = this.#arrival;
    arrival.hook = way.hook;
    const mark = markOf(view, start);
    arrival.mark = mark === OUTPUT_MARK ? 0 : mark;
    arrival.segmentSize = segmentSize;
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
    this.#batchTime ??= this.#clock.now();
    // Sending writes over the frame's beginning.
    const cameBy = arrivalOf(view, start);
    this.tap?.arrived(packet, this.#offload === undefined ? 0 : cameBy);
    const outcome = this.#director.receive(packet, this.#batchTime);
    this.tap?.decided(outcome);
    this.#dispatch.perform(outcome, packet, frame);
    if (this.#offload !== undefined) this.#offer(this.#offload, outcome, cameBy);
  }

  /** Has the packets that follow this one forwarded where they arrive, if all that is needed for it is known. */
  #offer(offload: FlowOffload, outcome: Outcome, arrival: number): void {
    const { verdict, connection, route, parts, packet, reason } = outcome;
    if (verdict !== "forward" || connection < 0 || route === undefined || parts.length > 0) return;
    if (this.#director.sysctls.conntrack !== 0) return;
    const { table, resets } = this.#director.connections;
    // Each packet of one that is being ended tells where its sides are.
    if (!resets.isIdle && resets.has(connection)) return;
    const linkAddresses = this.#sender.linkAddressesOf(route);
    const { hook } = packet;
    if (linkAddresses === undefined || (hook !== "local-in" && hook !== "forward")) return;
    offload.learn({
      connections: table,
      connection,
      direction: reason === "forward-reply" ? "server" : "client",
      arrival,
      route,
      mtu: route.mtu,
      linkAddresses,
    });
  }

  #endBatch(): void {
    this.flush();
    this.#door.back.flush();
    this.#batchTime = undefined;
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
    const { verdict, packet, notices } = this.#director.receive(notice, this.#clock.now());
    for (const each of notices) this.#hostSender.enqueue(each);
    if (verdict === "drop") return;
    this.#hostSender.enqueue(packet.bytes.subarray(packet.start, packet.end));
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}
