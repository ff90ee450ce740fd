/**
 * Knocks at a real server as a client's first packet does: a SYN for the VIP to the server's MAC address, or inside of a
 * tunnel. The answer comes from the VIP, an address of this host itself, so that its own stack would drop it unseen: the
 * wire shows it.
 */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { WireForwarding } from "../../control/wire.ts";
import type { Address } from "../../net/address.ts";
import { ETHERTYPE_OF, emitEthernet } from "../../net/ethernet.ts";
import { emitGre } from "../../net/gre.ts";
import { emitGue } from "../../net/gue.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import { emitIpv6 } from "../../net/ipv6.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import { toPort } from "../../net/port.ts";
import { emitTcp, TCP_FLAG } from "../../net/tcp.ts";
import { emitUdp } from "../../net/udp.ts";
import type { Wire } from "./wire.ts";

export interface Door {
  /** Of the server, or of the gateway to it. */
  readonly mac: MacAddress;
  /** An address of this host that the server answers to. */
  readonly source: Address;
  readonly vip: Address;
  readonly port: number;
  readonly server: Address;
  readonly forwarding: WireForwarding;
}

export type Answer = "open" | "refused" | "silent";

const TIMES = 2;
const WAIT_MS = 500;
/** IANA's ports for nobody in particular (RFC 6335). */
const PORT_FIRST = 49_152;
const PORT_END = 65_536;

export async function knock(wire: Wire, door: Door): Promise<Answer> {
  const { vip, port, source } = door;
  const own = randomInt(PORT_FIRST, PORT_END);
  const sequence = randomInt(2 ** 32 - 2);
  const { promise, resolve } = Promise.withResolvers<Answer>();
  using _listening = wire.listen(({ content }) => {
    if (content.kind !== "packet" || content.tcp === undefined) return;
    const { tcp, from, to } = content;
    if (!from.equals(vip) || !to.equals(source) || tcp.source !== port || tcp.destination !== own) {
      return;
    }
    resolve((tcp.flags & TCP_FLAG.rst) !== 0 ? "refused" : "open");
  });
  let answer: Answer = "silent";
  for (let time = 0; time < TIMES && answer === "silent"; time++) {
    wire.send(frame(wire.mac, door, own, TCP_FLAG.syn, sequence));
    answer = await Promise.race([promise, sleep(WAIT_MS, "silent" as const)]);
  }
  // Otherwise it would wait for the rest of the handshake.
  if (answer === "open") wire.send(frame(wire.mac, door, own, TCP_FLAG.rst, sequence + 1));
  return answer;
}

function frame(
  mac: MacAddress,
  { mac: destination, source, vip, port, server, forwarding }: Door,
  own: number,
  flags: number,
  sequence: number,
): Uint8Array {
  const addresses = { source, destination: vip };
  const segment = emitTcp(
    { source: toPort(own), destination: toPort(port), flags, sequence },
    new Uint8Array(0),
    addresses,
  );
  const inner = packet(addresses.source, vip, IP_PROTOCOL.tcp, segment);
  const outer = forwarding.kind === "tunnel" ? wrapped(inner, source, server, forwarding) : inner;
  const { family } = forwarding.kind === "tunnel" ? server : vip;
  return emitEthernet({ destination, source: mac, etherType: ETHERTYPE_OF[family] }, outer);
}

function packet(source: Address, destination: Address, protocol: number, payload: Uint8Array) {
  return destination.family === "inet"
    ? emitIpv4({ source, destination, protocol }, payload)
    : emitIpv6({ source, destination, nextHeader: protocol }, payload);
}

function wrapped(
  inner: Uint8Array,
  source: Address,
  server: Address,
  forwarding: Extract<WireForwarding, { kind: "tunnel" }>,
): Uint8Array {
  const isInet = inner[0]! >>> 4 === 4;
  const protocol = isInet ? IP_PROTOCOL.ipip : IP_PROTOCOL.ipv6;
  switch (forwarding.encapsulation) {
    case "ipip":
      return packet(source, server, protocol, inner);
    case "gre": {
      const etherType = ETHERTYPE_OF[isInet ? "inet" : "inet6"];
      return packet(source, server, IP_PROTOCOL.gre, emitGre({ protocol: etherType }, inner));
    }
    case "gue": {
      const ports = { source: toPort(PORT_FIRST), destination: toPort(forwarding.port) };
      const datagram = emitUdp(ports, emitGue({ protocol }, inner), {
        source,
        destination: server,
      });
      return packet(source, server, IP_PROTOCOL.udp, datagram);
    }
  }
}
