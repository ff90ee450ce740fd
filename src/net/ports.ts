/**
 * The first four bytes of TCP, UDP and SCTP alike: who speaks.
 *
 *      0        2             4
 *     | source | destination | ...
 *
 * For headers of which no more is certain: an ICMP error quotes 8 bytes of transport at least (RFC 792), and a first
 * fragment may hold less than its UDP length says. Also for a port that changes under a checksum that does not stand in
 * the packet yet, because the network card is to finish it.
 */
import type { Port } from "./port.ts";
import { View } from "./view.ts";
import { fits, readUint16, writeUint16 } from "./words.ts";

export const PORTS_LENGTH = 4;

export const PORTS_OFFSET = { source: 0, destination: 2 } as const;

export class PortsView extends View {
  moveTo(bytes: Uint8Array, start: number, end: number): "truncated" | undefined {
    if (!fits(bytes, start, end, PORTS_LENGTH)) return "truncated";
    return this.place(bytes, start, end);
  }

  get source(): Port {
    return readUint16(this.bytes, this.start + PORTS_OFFSET.source) as Port;
  }

  get destination(): Port {
    return readUint16(this.bytes, this.start + PORTS_OFFSET.destination) as Port;
  }

  /** Writes the port alone: no checksum is touched. */
  setSource(port: Port): void {
    writeUint16(this.bytes, this.start + PORTS_OFFSET.source, port);
  }

  setDestination(port: Port): void {
    writeUint16(this.bytes, this.start + PORTS_OFFSET.destination, port);
  }
}
