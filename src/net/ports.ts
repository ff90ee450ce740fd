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
import { fits, NOWHERE, readUint16, writeUint16 } from "./words.ts";

export const PORTS_LENGTH = 4;

export class PortsView {
  #bytes: Uint8Array = NOWHERE;
  #start = 0;
  #end = 0;

  private constructor() {}

  static unplaced(): PortsView {
    return new PortsView();
  }

  static over(bytes: Uint8Array, start = 0, end = bytes.length): PortsView | "truncated" {
    const view = new PortsView();
    return view.moveTo(bytes, start, end) ?? view;
  }

  moveTo(bytes: Uint8Array, start: number, end: number): "truncated" | undefined {
    if (!fits(bytes, start, end, PORTS_LENGTH)) return "truncated";
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    return undefined;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get source(): Port {
    return readUint16(this.#bytes, this.#start) as Port;
  }

  get destination(): Port {
    return readUint16(this.#bytes, this.#start + 2) as Port;
  }

  /** Writes the port alone: no checksum is touched. */
  setSource(port: Port): void {
    writeUint16(this.#bytes, this.#start, port);
  }

  setDestination(port: Port): void {
    writeUint16(this.#bytes, this.#start + 2, port);
  }
}
