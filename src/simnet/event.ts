/** What happens in a simulation, as its watchers are told: each frame's steps, and each change of a table. */
import type { Reason } from "../ipvs/packets/reasons.ts";

/** Why a host did not go on with a frame or a packet. */
export type DropReason =
  /** The director's own, as `sluice reasons` counts them. */
  | Reason
  /** The frame is for another host's card: the wire brought it here all the same. */
  | "not-for-this-card"
  | "interface-down"
  | "malformed"
  | "bad-checksum"
  /** The source cannot be: one of the host's own addresses, loopback, multicast. */
  | "martian-source"
  | "martian-destination"
  /** `rp_filter`: the way back to the source is by another interface. */
  | "reverse-path"
  /** `arp_ignore` says that this question is not answered here. */
  | "arp-ignored"
  /** The address asked for is none of this host's. */
  | "arp-not-ours"
  /** A rule of the packet filter. */
  | "firewall"
  /** Not for this host, and it forwards nothing. */
  | "not-forwarding"
  | "no-route"
  | "time-exceeded"
  | "packet-too-big"
  /** Nobody answered for the next hop. */
  | "neighbour-unreachable"
  | "neighbour-queue-full"
  /** No socket is there. */
  | "no-listener"
  /** The switch has no other port for it. */
  | "same-port"
  | "unsupported";

export type TableName =
  | "addresses"
  | "routes"
  | "neighbours"
  | "settings"
  | "sockets"
  | "services"
  | "connections"
  /** What a switch has learnt: its host is the switch's name. */
  | "switch";

export type SimulationEvent = {
  /** Counts from 0. */
  readonly number: number;
  /** Of the simulation, from its beginning. */
  readonly timeMs: number;
  readonly host: string;
} & (
  | {
      /** At a card: it left it, it came to it. A frame that is received may still be dropped, which is told after. */
      readonly kind: "frame-sent" | "frame-received";
      readonly interface: string;
      /** A frame keeps its number from card to card, through the switch. */
      readonly frame: number;
      readonly bytes: Uint8Array;
    }
  | {
      readonly kind: "dropped";
      /** "" where it has none yet. */
      readonly interface: string;
      /** The frame that it came in; undefined when the host itself made the packet. */
      readonly frame: number | undefined;
      /** A frame, or an IP packet that got into none. */
      readonly form: "frame" | "packet";
      readonly bytes: Uint8Array;
      readonly reason: DropReason;
    }
  | {
      /** The director decided: sent on, and by which way of forwarding. */
      readonly kind: "forwarded";
      readonly interface: string;
      readonly frame: number | undefined;
      readonly bytes: Uint8Array;
      readonly reason: Reason;
    }
  | { readonly kind: "table-changed"; readonly table: TableName; readonly change: string }
  | { readonly kind: "command"; readonly line: string }
);

/** As somebody makes it who does not know when and how many before. */
export type NewEvent = SimulationEvent extends infer Each
  ? Each extends SimulationEvent
    ? Omit<Each, "number" | "timeMs">
    : never
  : never;
