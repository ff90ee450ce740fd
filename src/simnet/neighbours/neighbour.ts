/** An entry of a neighbour cache. */
import type { Address } from "../../net/address.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import type { NetworkInterface } from "../host/interface.ts";
import type { OutgoingPacket } from "../ip/packets.ts";
import type { Appointment } from "../time/agenda.ts";

/** The kernel's NUD_ states, RFC 4861 section 7.3.2. */
export type NeighbourState =
  | "INCOMPLETE"
  | "REACHABLE"
  | "STALE"
  | "DELAY"
  | "PROBE"
  | "FAILED"
  | "PERMANENT";

export class Neighbour {
  readonly address: Address;
  readonly interface: NetworkInterface;
  mac: MacAddress | undefined;
  state: NeighbourState = "INCOMPLETE";
  /** When `mac` was last set or told again. */
  updatedAtMs = Number.NEGATIVE_INFINITY;
  /** Until when REACHABLE lasts without further proof. */
  reachableUntilMs = 0;
  /** Questions asked without an answer. */
  probes = 0;
  timer: Appointment | undefined;
  /** Packets that wait for the link-layer address. */
  readonly queue: OutgoingPacket[] = [];

  constructor(address: Address, on: NetworkInterface) {
    this.address = address;
    this.interface = on;
  }
}
