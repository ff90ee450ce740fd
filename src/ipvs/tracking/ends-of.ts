/**
 * What a packet says of a connection's ends, and a destination of where it goes, in the table's words. Word by word: for
 * each packet these are numbers in objects of one shape, and an array or a loop over names would be garbage or a lookup.
 */
import { IP_VERSION } from "../../net/ip-family.ts";
import type { Binding, Flow } from "../connections/flow.ts";
import type { Opening } from "../packets/opening.ts";
import type { Packet } from "../packets/packet.ts";
import type { Destination } from "../services/destination.ts";

/** Fills in the flow in which a client's packet is the client's. */
export function flowOf(flow: Flow, packet: Opening): Flow {
  flow.family = packet.family;
  flow.protocol = packet.protocol;
  flow.client0 = packet.source0;
  flow.client1 = packet.source1;
  flow.client2 = packet.source2;
  flow.client3 = packet.source3;
  flow.clientPort = packet.sourcePort;
  flow.virtual0 = packet.destination0;
  flow.virtual1 = packet.destination1;
  flow.virtual2 = packet.destination2;
  flow.virtual3 = packet.destination3;
  flow.virtualPort = packet.destinationPort;
  return flow;
}

/** Fills in the flow that a server's packet answers in. */
export function answeredFlow(flow: Flow, packet: Packet): Flow {
  flow.family = packet.family;
  flow.protocol = packet.protocol;
  flow.client0 = packet.destination0;
  flow.client1 = packet.destination1;
  flow.client2 = packet.destination2;
  flow.client3 = packet.destination3;
  flow.clientPort = packet.destinationPort;
  flow.virtual0 = packet.source0;
  flow.virtual1 = packet.source1;
  flow.virtual2 = packet.source2;
  flow.virtual3 = packet.source3;
  flow.virtualPort = packet.sourcePort;
  return flow;
}

/** Fills in where connections to this destination go. */
export function bindTo(
  binding: Binding,
  destination: Destination,
  port: number,
  mark: number,
): Binding {
  const { address } = destination;
  binding.family = IP_VERSION[address.family];
  binding.destination0 = address.w0;
  binding.destination1 = address.w1;
  binding.destination2 = address.w2;
  binding.destination3 = address.w3;
  binding.destinationPort = port;
  binding.destinationId = destination.id;
  binding.destinationKey = destination.key;
  binding.flags = destination.connectionFlags;
  binding.mark = mark;
  return binding;
}
