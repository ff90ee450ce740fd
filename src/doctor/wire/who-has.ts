/** Who has an address: asked on the wire, as arping does, and by neighbour discovery for IPv6. */
import { setTimeout as sleep } from "node:timers/promises";
import { Address } from "../../net/address.ts";
import { emitArpRequest } from "../../net/arp.ts";
import { ETHERTYPE, emitEthernet } from "../../net/ethernet.ts";
import { emitIcmpv6, ICMPV6_TYPE } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv6 } from "../../net/ipv6.ts";
import { BROADCAST_MAC, type MacAddress, macBytes } from "../../net/mac-address.ts";
import type { Wire } from "./wire.ts";

/** A frame may be lost, and a busy machine late. */
const TIMES = 2;
const WAIT_MS = 500;

const SOURCE_LINK_ADDRESS = 1;
/** RFC 4861 section 7.1.1: with any other it came from beyond the link. */
const HOP_LIMIT = 255;

/** The MAC addresses of all that say they have `target`, told to `asker`, an address of this host. */
export async function whoHas(
  wire: Wire,
  asker: Address,
  target: Address,
): Promise<readonly MacAddress[]> {
  const answers = new Set<MacAddress>();
  using _listening = wire.listen(({ source, content }) => {
    if (content.kind !== "claim" || !content.address.equals(target)) return;
    if (source !== wire.mac) answers.add(source);
  });
  for (let time = 0; time < TIMES; time++) {
    wire.send(question(wire.mac, asker, target));
    await sleep(WAIT_MS);
  }
  return [...answers];
}

function question(mac: MacAddress, asker: Address, target: Address): Uint8Array {
  if (target.family === "inet") {
    return emitEthernet(
      { destination: BROADCAST_MAC, source: mac, etherType: ETHERTYPE.arp },
      emitArpRequest(mac, asker, target),
    );
  }
  // The solicited-node address: RFC 4291 section 2.7.1, and its frames' destination, RFC 2464 section 7.
  const low = target.bytes().slice(-3);
  const group = Address.fromBytes(
    Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...low),
    0,
    "inet6",
  );
  const hex = [...low].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
  const addresses = { source: asker, destination: group };
  const option = Uint8Array.of(SOURCE_LINK_ADDRESS, 1, ...macBytes(mac));
  const body = new Uint8Array([...target.bytes(), ...option]);
  const header = { type: ICMPV6_TYPE.neighbourSolicitation, code: 0, rest: 0 };
  return emitEthernet(
    { destination: `33:33:ff:${hex}` as MacAddress, source: mac, etherType: ETHERTYPE.ipv6 },
    emitIpv6(
      { nextHeader: IP_PROTOCOL.icmpv6, hopLimit: HOP_LIMIT, ...addresses },
      emitIcmpv6(header, body, addresses),
    ),
  );
}
