/**
 * The values that describe a connection, as objects that the caller makes once and fills for every packet.
 *
 * An address is four signed 32-bit words as in net/address.ts: an IPv4 address has its bits in word 3 and 0 in the
 * others. Ports are in host byte order.
 */
import type { IpVersion } from "../../net/ip-family.ts";

const NO_DATA = new Uint8Array(0);

/** The two ends that a client sees: what a packet is looked up by. */
export class Flow {
  family: IpVersion = 4;
  /** The IP protocol's number; 0 (IP) for the template of a firewall mark, with the mark as the virtual address. */
  protocol = 0;
  client0 = 0;
  client1 = 0;
  client2 = 0;
  client3 = 0;
  clientPort = 0;
  virtual0 = 0;
  virtual1 = 0;
  virtual2 = 0;
  virtual3 = 0;
  virtualPort = 0;
  /** Of a template that a persistence engine finds by what the packet says: where that lies. Of others it has no length. */
  dataBytes: Uint8Array = NO_DATA;
  dataStart = 0;
  dataLength = 0;
}

/** Where a new connection goes, and how. */
export class Binding {
  /** Differs from the flow's in a tunnel between families. */
  family: IpVersion = 4;
  destination0 = 0;
  destination1 = 0;
  destination2 = 0;
  destination3 = 0;
  destinationPort = 0;
  /** What the caller knows the destination by. The table only keeps it. */
  destinationId = 0;
  /** What the destination is known by in every process. The table only keeps it. */
  destinationKey = 0;
  /** A forwarding method and CONNECTION_FLAG's bits. */
  flags = 0;
  /** The packet's firewall mark. */
  mark = 0;
}

/** The forwarding method's bits in a connection's flags, numbered as IP_VS_CONN_F_MASQ and the following. */
export const FORWARDING_MASK = 0x7;
export const FORWARDING = { masquerade: 0, local: 1, tunnel: 2, route: 3, bypass: 4 } as const;

/** Bits of a connection's flags: the kernel's IP_VS_CONN_F_* (include/uapi/linux/ip_vs.h). */
export const CONNECTION_FLAG = {
  /** No packet from the destination was seen: the input-only state tables apply. */
  noOutput: 0x80,
  /** Counted among its destination's inactive connections. */
  inactive: 0x100,
  /** The client's port is not known yet (an FTP data connection that is announced). */
  noClientPort: 0x800,
  /** A persistence entry. */
  template: 0x1000,
  /** Made for one datagram: never found by a lookup. */
  onePacket: 0x2000,
  /** A template that a persistence engine finds: cp->pe_data is set. Not the kernel's. */
  data: 0x4000,
} as const;

/** What decides how a connection is found; fixed when it is added. */
export const FIXED_FLAGS =
  FORWARDING_MASK | CONNECTION_FLAG.template | CONNECTION_FLAG.onePacket | CONNECTION_FLAG.data;
