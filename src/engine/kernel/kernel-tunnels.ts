/** How packets get into a tunnel to each destination, where the programs read it (bpf/tunnel.h). */
import { type Tunnel, tunnelOf, tunnelOverhead } from "../../ipvs/forward/tunnel.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import type { Address } from "../../net/address.ts";
import type { Memory } from "../host/system/libc.ts";
import { tunnel } from "./abi.ts";

/** ENCAPSULATION_… in bpf/abi/. */
const ENCAPSULATION = { ipip: 0, gre: 1, gue: 2 } as const;

export class KernelTunnels {
  readonly #view: DataView;

  constructor({ view }: Memory) {
    this.#view = view;
  }

  /** A destination that is no tunnel's end has one, too, for connections from when it was. */
  set(slot: number, destination: Destination): void {
    const view = this.#view;
    const at = slot * tunnel.size;
    const { address } = destination;
    const kind = tunnelOf(destination);
    view.setUint16(at + tunnel.port, kind.encapsulation === "gue" ? kind.port : 0);
    view.setUint16(at + tunnel.overhead, tunnelOverhead(kind, address), true);
    view.setUint8(at + tunnel.encapsulation, ENCAPSULATION[kind.encapsulation]);
    view.setUint8(at + tunnel.family, address.family === "inet" ? 4 : 6);
    view.setUint8(at + tunnel.hasChecksum, hasChecksum(kind) ? 1 : 0);
  }

  /** The host's own address on the way there. */
  setSource(slot: number, { w0, w1, w2, w3 }: Address): void {
    const at = slot * tunnel.size + tunnel.source;
    for (const [index, word] of [w0, w1, w2, w3].entries()) {
      this.#view.setInt32(at + 4 * index, word);
    }
  }
}

function hasChecksum(kind: Tunnel): boolean {
  return kind.encapsulation !== "ipip" && kind.checksum !== "none";
}
