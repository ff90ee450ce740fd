/** Packets on their way through a host. */
import type { MacAddress } from "../../net/mac-address.ts";
import type { NetworkInterface } from "../host/interface.ts";

/** A frame that came to an interface: to this host, or to all. */
export interface IncomingFrame {
  readonly interface: NetworkInterface;
  /** The whole frame. */
  readonly bytes: Uint8Array;
  readonly number: number;
  readonly source: MacAddress;
  readonly etherType: number;
  /** Addressed to this card alone. */
  readonly isUnicast: boolean;
  readonly payload: Uint8Array;
  /** The firewall's, where it gave one; 0 is none. */
  readonly mark?: number | undefined;
}

/** An IP packet that leaves, or would. */
export interface OutgoingPacket {
  readonly bytes: Uint8Array;
  /** The number of the frame that it came in; undefined: the host made it. */
  readonly frame?: number | undefined;
  /** Who made it, where errors about it are the host's own. */
  readonly isOwn: boolean;
}
