/**
 * Persistence: a template sends all new connections of a masked client to one destination.
 *
 * ip_vs_sched_persist() and ip_vs_check_template() in ip_vs_core.c and ip_vs_conn.c.
 */
import type { Instant } from "../../base/clock.ts";
import type { Family } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { FTP_PORT } from "../../net/port.ts";
import { CallIdFinder } from "../../net/sip.ts";
import { UDP_HEADER_LENGTH } from "../../net/udp.ts";
import type { ConnectionTable } from "../connections/connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "../connections/flow.ts";
import type { Persistence } from "../desired/service.ts";
import type { Opening } from "../packets/opening.ts";
import type { Packet } from "../packets/packet.ts";
import type { Destination } from "../services/destination.ts";
import type { VirtualService } from "../services/virtual-service.ts";
import { bindTo } from "./ends-of.ts";

export class Templates {
  readonly #table: ConnectionTable;
  readonly #flow = new Flow();
  readonly #binding = new Binding();
  readonly #callId = new CallIdFinder();

  constructor(table: ConnectionTable) {
    this.#table = table;
  }

  /**
   * Looks for what the service's persistence engine tells templates apart by, for `find` and `add` to use. False when
   * `packet` does not have it, and then it is dropped: ip_vs_sip_fill_param(). Without an engine nothing is asked for.
   */
  identify(opening: Opening, packet: Packet, service: VirtualService): boolean {
    const flow = this.#flow;
    flow.dataLength = 0;
    if (service.plan.persistenceEngine === undefined) return true;
    // The kernel drops what is no datagram, too, and an ICMP error that quotes one.
    if (opening.protocol !== IP_PROTOCOL.udp || packet.protocol !== IP_PROTOCOL.udp) return false;
    const { bytes, transport, end } = packet;
    const callId = this.#callId;
    if (!callId.find(bytes, transport + UDP_HEADER_LENGTH, end)) return false;
    flow.dataBytes = bytes;
    flow.dataStart = callId.start;
    flow.dataLength = callId.length;
    return true;
  }

  /** The living template for this opening, or NO_CONNECTION. */
  find(opening: Opening, service: VirtualService, persistence: Persistence, now: Instant): number {
    this.#describe(opening, service, persistence);
    return this.#table.findTemplate(this.#flow, now);
  }

  /** A new template towards `destination`, or NO_CONNECTION when the table is full. */
  add(
    opening: Opening,
    service: VirtualService,
    persistence: Persistence,
    destination: Destination,
    now: Instant,
  ): number {
    this.#describe(opening, service, persistence);
    const hasPort = opening.destinationPort === service.port && service.port !== FTP_PORT;
    const port = hasPort ? destination.port : 0;
    const binding = bindTo(this.#binding, destination, port, opening.mark);
    binding.flags |= CONNECTION_FLAG.template;
    return this.#table.add(this.#flow, binding, now, persistence.timeoutSeconds * 1000);
  }

  /**
   * What a template stands for: the protocol, masked client, VIP and port; port 0 where all ports stick together (FTP
   * and "any port"); a firewall mark stands in for the VIP, with protocol IP.
   */
  #describe(opening: Opening, service: VirtualService, persistence: Persistence): void {
    const flow = this.#flow;
    flow.family = opening.family;
    flow.protocol = opening.protocol;
    const isOwnPort = opening.destinationPort === service.port;
    flow.virtualPort = isOwnPort && service.port !== FTP_PORT ? opening.destinationPort : 0;
    flow.virtual0 = opening.destination0;
    flow.virtual1 = opening.destination1;
    flow.virtual2 = opening.destination2;
    flow.virtual3 = opening.destination3;
    if (service.mark !== 0) {
      // The mark stands where an IPv4 address would: in the kernel's union that is an IPv6 address's first word.
      flow.protocol = 0;
      flow.virtual0 = opening.family === 4 ? 0 : service.mark | 0;
      flow.virtual1 = flow.virtual2 = 0;
      flow.virtual3 = opening.family === 4 ? service.mark | 0 : 0;
      flow.virtualPort = 0;
    }
    flow.clientPort = 0;
    maskClient(flow, opening, persistence.netmask);
  }
}

/**
 * Whether the template may still be used: ip_vs_check_template(). Not to a server that is drained, as if
 * expire_quiescent_template were 1 for it alone.
 */
export function isUsable(
  destination: Destination | undefined,
  expiresQuiescent: boolean,
): destination is Destination {
  if (destination?.isAvailable !== true || destination.plan.drain !== undefined) return false;
  return !(expiresQuiescent && destination.weight === 0);
}

/** What of a client's address tells it from others, as an address's words. */
export function maskWords(family: Family, netmask: number): readonly number[] {
  if (family === "inet") return [0, 0, 0, netmask | 0];
  return [0, 32, 64, 96].map((bits) => prefixWord(netmask - bits));
}

function maskClient(flow: Flow, opening: Opening, netmask: number): void {
  if (opening.family === 4) {
    flow.client0 = flow.client1 = flow.client2 = 0;
    flow.client3 = opening.source3 & netmask;
    return;
  }
  flow.client0 = opening.source0 & prefixWord(netmask);
  flow.client1 = opening.source1 & prefixWord(netmask - 32);
  flow.client2 = opening.source2 & prefixWord(netmask - 64);
  flow.client3 = opening.source3 & prefixWord(netmask - 96);
}

/** A word whose first `length` bits are set; below 0 is none, above 32 is all. */
function prefixWord(length: number): number {
  if (length <= 0) return 0;
  return length >= 32 ? -1 : ~(-1 >>> length);
}
