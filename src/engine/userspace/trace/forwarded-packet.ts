/** A packet that was forwarded without the director, as it is told to who watches. */

import { formatServiceKey } from "../../../ipvs/desired/service.ts";
import type { Director } from "../../../ipvs/director.ts";
import type { Destination } from "../../../ipvs/services/destination.ts";
import type { VirtualService } from "../../../ipvs/services/virtual-service.ts";
import {
  candidatesOf,
  type Decided,
  flagsText,
  formatPlace,
} from "../../../ipvs/trace/packet-tracer.ts";
import type { Place } from "../../../ipvs/trace/trace-filter.ts";
import { IP_PROTOCOL } from "../../../net/ip-protocol.ts";
import type { ForwardedPacket } from "../../flow-offload.ts";

export function forwardedPacket(
  packet: ForwardedPacket,
  director: Director,
  nameOf: (index: number) => string | undefined,
): Decided {
  const { source, destination, sent, isReply, protocol, reason } = packet;
  // A moment has passed: it may have been removed.
  const server = director.services.destination(packet.destinationId);
  const ends = isReply
    ? { client: destination, virtual: sent.source, server: source }
    : { client: source, virtual: destination, server: serverOf(packet, server?.plan.endpoint) };
  const { tcp, udp } = director.connections.progress.states;
  const state = (protocol === IP_PROTOCOL.tcp ? tcp : udp).nameOf(packet.state);
  // Those that a scheduler of the kernel's compared; it has chosen by now.
  const picking = packet.isNew ? server?.service : undefined;
  return {
    ...ends,
    service: server?.service.keyText,
    state,
    reason,
    isNew: packet.isNew,
    told: (at, hasHeaders) => ({
      at,
      engine: "kernel",
      packet: {
        protocol,
        source: formatPlace(source),
        destination: formatPlace(destination),
        mark: 0,
      },
      bytes: packet.bytes,
      flags: protocol === IP_PROTOCOL.tcp ? flagsText(packet.tcpFlags) : undefined,
      hook: "wire",
      arrival: nameOf(packet.arrival),
      service: server && formatServiceKey(server.service.key),
      by: packet.isNew ? "scheduler" : "connection",
      connection: {
        client: formatPlace(ends.client),
        virtual: formatPlace(ends.virtual),
        server: formatPlace(ends.server),
        state,
      },
      scheduler: picking?.plan.scheduler,
      ...candidates(picking, server),
      choice: formatPlace(ends.server),
      verdict: packet.isSent ? "forward" : "drop",
      reason,
      sent: packet.isSent
        ? {
            protocol,
            source: formatPlace(sent.source),
            destination: formatPlace(sent.destination),
            mark: 0,
            nextHop: packet.nextHop,
            interfaceIndex: packet.departure,
            interface: nameOf(packet.departure),
            bytes: packet.bytes,
            headers: hasHeaders ? packet.headers : undefined,
          }
        : undefined,
      headers: undefined,
    }),
  };
}

function candidates(picking: VirtualService | undefined, chosen: Destination | undefined) {
  const told = picking === undefined ? [] : candidatesOf(picking, chosen);
  const omitted = (picking?.destinations.length ?? 0) - told.length;
  return { candidates: told, candidatesOmitted: omitted };
}

/** By direct routing the packet does not say where it goes. */
function serverOf({ sent, destination }: ForwardedPacket, known: Place | undefined): Place {
  if (known === undefined || !sent.destination.address.equals(destination.address)) {
    return sent.destination;
  }
  return { address: known.address, port: destination.port };
}
