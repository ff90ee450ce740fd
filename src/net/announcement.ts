/** The frames by which a host tells its neighbours unasked where an address of its own is. */
import { Address } from "./address.ts";
import { emitArpRequest } from "./arp.ts";
import { ETHERTYPE, emitEthernet } from "./ethernet.ts";
import { emitIcmpv6, ICMPV6_TYPE } from "./icmpv6.ts";
import { IP_PROTOCOL } from "./ip-protocol.ts";
import { emitIpv6 } from "./ipv6.ts";
import { BROADCAST_MAC, type MacAddress, macBytes } from "./mac-address.ts";

/** All nodes of the link, and its frames' destination (RFC 4291 section 2.7.1, RFC 2464 section 7). */
const ALL_NODES = Address.parse("ff02::1")!;
const ALL_NODES_MAC = "33:33:00:00:00:01" as MacAddress;

/** RFC 4861 section 4.4: the sender is a router; what it tells is newer than what was known. */
const ROUTER = 0x8000_0000;
const OVERRIDE = 0x2000_0000;
const TARGET_LINK_ADDRESS = 2;
/** Section 7.1.2: with any other it came from beyond the link. */
const HOP_LIMIT = 255;

/** `isRouter`: a neighbour that it routes for would give it up otherwise (RFC 4861 section 7.2.5). */
export function announcementFrame(
  mac: MacAddress,
  address: Address,
  isRouter: boolean,
): Uint8Array {
  return address.family === "inet"
    ? gratuitousArp(mac, address)
    : unsolicitedAdvertisement(mac, address, isRouter);
}

/** An ARP announcement, RFC 5227 section 3: a request, as VRRP's are (RFC 9568 section 7.3.1). */
function gratuitousArp(mac: MacAddress, address: Address): Uint8Array {
  return emitEthernet(
    { destination: BROADCAST_MAC, source: mac, etherType: ETHERTYPE.arp },
    emitArpRequest(mac, address, address),
  );
}

/** RFC 4861 section 7.2.6. */
function unsolicitedAdvertisement(
  mac: MacAddress,
  address: Address,
  isRouter: boolean,
): Uint8Array {
  const option = Uint8Array.of(TARGET_LINK_ADDRESS, 1, ...macBytes(mac));
  const body = new Uint8Array([...address.bytes(), ...option]);
  const addresses = { source: address, destination: ALL_NODES };
  // The signed 32 bits are the same bytes.
  const rest = (isRouter ? ROUTER | OVERRIDE : OVERRIDE) >>> 0;
  const message = emitIcmpv6(
    { type: ICMPV6_TYPE.neighbourAdvertisement, code: 0, rest },
    body,
    addresses,
  );
  return emitEthernet(
    { destination: ALL_NODES_MAC, source: mac, etherType: ETHERTYPE.ipv6 },
    emitIpv6({ nextHeader: IP_PROTOCOL.icmpv6, hopLimit: HOP_LIMIT, ...addresses }, message),
  );
}
