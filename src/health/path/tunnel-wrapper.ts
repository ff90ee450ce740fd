/**
 * Puts around probes what the director puts around packets to servers behind tunnels, whatever this host's kernel has
 * modules for. They come by a lane of their own (path-table.ts), with the VIP as destination, and leave as the host's own.
 */
import type { HostNetwork } from "../../engine/host/host-network.ts";
import { ToldOnce, troubleName } from "../../engine/host/told-once.ts";
import { Lane } from "../../engine/userspace/lane/lane.ts";
import { LaneKeeper } from "../../engine/userspace/lane/lane-keeper.ts";
import { PacketRing, type RingFrame } from "../../engine/userspace/ring/packet-ring.ts";
import { SEGMENTATION } from "../../engine/userspace/ring/virtio-net-header.ts";
import { HostSender } from "../../engine/userspace/sending/host-sender.ts";
import { Output } from "../../ipvs/forward/output.ts";
import { Encapsulator, type Tunnel, tunnelOverhead } from "../../ipvs/forward/tunnel.ts";
import { type Arrival, NO_ARRIVAL, Packet } from "../../ipvs/packets/packet.ts";
import type { Address } from "../../net/address.ts";
import { ETHERNET_HEADER_LENGTH } from "../../net/ethernet.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { WRAPPING_DEVICE } from "./path-table.ts";
import type { PathWithPorts } from "./vip-path.ts";

const NAMES = { host: WRAPPING_DEVICE, own: "sluice-wrapper" } as const;

/** Probes are few and short. */
const RING_BLOCKS = 8;

export interface TunnelWrapperOptions {
  readonly network: HostNetwork;
  readonly warn: (message: string, error: unknown) => void;
  /** The lane is another interface: rules know it by its index. */
  readonly onRemade: () => void;
}

interface Wrapping {
  readonly server: Address;
  readonly tunnel: Tunnel;
}

export class TunnelWrapper implements Disposable {
  readonly #network: HostNetwork;
  readonly #lane: Lane;
  readonly #keeper: LaneKeeper;
  readonly #ring: PacketRing;
  readonly #sender: HostSender;
  readonly #troubles: ToldOnce;
  readonly #packet = new Packet();
  readonly #inner = new Packet();
  readonly #output = new Output();
  readonly #encapsulator = new Encapsulator();
  readonly #arrival: { -readonly [Name in keyof Arrival]: Arrival[Name] } = { ...NO_ARRIVAL };
  #wrappings: ReadonlyMap<string, Wrapping> = new Map();
  #identification = 0;

  /** In the current network namespace. Throws a SystemCallError when the kernel refuses. */
  constructor({ network, warn, onRemade }: TunnelWrapperOptions) {
    this.#network = network;
    this.#troubles = new ToldOnce((name, error) =>
      warn(`A probe was not put into its tunnel (counted as ${name})`, error),
    );
    using stack = new DisposableStack();
    const lane = stack.use(new Lane(NAMES));
    this.#lane = lane;
    this.#sender = stack.use(new HostSender());
    this.#keeper = stack.use(
      new LaneKeeper({
        lane,
        warn,
        onRemade: (isSame) => {
          this.#ring.hear(lane.ownIndex);
          if (!isSame) onRemade();
        },
      }),
    );
    this.#ring = stack.use(this.#listen());
    this.#keeper.keep(network.links);
    stack.move();
  }

  want(paths: readonly PathWithPorts[]): void {
    const wrappings = new Map<string, Wrapping>();
    for (const { vip, server, tunnel, isPing = false, ports } of paths) {
      if (tunnel === undefined) continue;
      for (const port of ports) wrappings.set(nameOf(vip, isPing, port), { server, tunnel });
    }
    this.#wrappings = wrappings;
  }

  /** To be called when interfaces may have come or gone. */
  networkChanged(): void {
    this.#keeper.keep(this.#network.links);
  }

  [Symbol.dispose](): void {
    this.#keeper[Symbol.dispose]();
    this.#ring[Symbol.dispose]();
    this.#sender[Symbol.dispose]();
    this.#lane[Symbol.dispose]();
  }

  #listen(): PacketRing {
    const lane = this.#lane;
    return lane.inside(
      () =>
        new PacketRing({
          interfaceIndex: lane.ownIndex,
          blocks: RING_BLOCKS,
          onFrame: (frame) => this.#receive(frame),
          onBatchEnd: () => this.#sender.flush(),
          onBug: (error) => this.#troubles.count(troubleName("bug", error), error),
        }),
    );
  }

  #receive({ memory, start, end, offload, truncated }: RingFrame): void {
    const arrival = this.#arrival;
    arrival.segmentSize = offload.segmentation === SEGMENTATION.none ? 0 : offload.segmentSize;
    arrival.isChecksumPartial = offload.needsChecksum;
    const packet = this.#packet;
    const at = start + ETHERNET_HEADER_LENGTH;
    if (truncated || packet.moveTo(memory.bytes, at, end, arrival) !== undefined) return;
    // The host itself speaks on every interface that it has: neighbour discovery, multicast listeners.
    const isPing = packet.protocol === IP_PROTOCOL.icmp || packet.protocol === IP_PROTOCOL.icmpv6;
    const id = isPing ? echoIdentifier(packet) : packet.sourcePort;
    const wrapping = this.#wrappings.get(nameOf(packet.destination, isPing, id));
    if (wrapping !== undefined) this.#wrap(packet, wrapping);
  }

  #wrap(packet: Packet, { server, tunnel }: Wrapping): void {
    const route = this.#network.route(server);
    if (typeof route !== "object") return;
    const overhead = tunnelOverhead(tunnel, server);
    const parts = this.#output.cut(packet, route.mtu - overhead);
    if (parts === undefined) {
      this.#troubles.count("too-big", new Error("it is longer than the way to the server takes"));
      return;
    }
    for (const part of parts) {
      const bytes = new Uint8Array(overhead + part.length);
      bytes.set(part, overhead);
      const inner = this.#inner;
      if (inner.moveTo(bytes, overhead, bytes.length, NO_ARRIVAL) !== undefined) continue;
      inner.headroom = overhead;
      this.#identification = (this.#identification + 1) & 0xffff;
      this.#encapsulator.encapsulate(inner, tunnel, {
        source: route.source,
        destination: server,
        copiesDontFragment: true,
        identification: this.#identification,
      });
      this.#sender.enqueue(bytes);
    }
  }
}

function nameOf(vip: Address, isPing: boolean, port: number): string {
  return `${vip.toString()} ${isPing ? "ping " : ""}${port}`;
}

/** RFC 792, RFC 4443 section 4.1. */
function echoIdentifier({ bytes, transport, end }: Packet): number {
  return end - transport < 8 ? 0 : (bytes[transport + 4]! << 8) | bytes[transport + 5]!;
}
