/**
 * How large a packet gets to a host and back: asked by echoes that must not be cut. A link that takes less than this host
 * believes, and of which nobody tells, shows itself by nothing else: small packets pass.
 */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../../net/address.ts";
import { ETHERTYPE_OF, emitEthernet } from "../../net/ethernet.ts";
import { emitEcho, ICMP_HEADER_LENGTH } from "../../net/icmp.ts";
import { emitEchoV6 } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4, IPV4_HEADER_LENGTH } from "../../net/ipv4.ts";
import { emitIpv6, IPV6_HEADER_LENGTH } from "../../net/ipv6.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import type { Wire } from "./wire.ts";

export interface Way {
  /** Of the host, or of the gateway to it. */
  readonly mac: MacAddress;
  readonly source: Address;
  readonly target: Address;
}

const TIMES = 2;
const WAIT_MS = 400;
/** What every host takes: RFC 1122 section 3.3.2, RFC 8200 section 5. */
const SMALLEST = { inet: 576, inet6: 1_280 } as const;

/** The longest packet up to `most` that is answered; undefined where not even a small one is. */
export async function carries(wire: Wire, way: Way, most: number): Promise<number | undefined> {
  if (await isAnswered(wire, way, most)) return most;
  let least: number = SMALLEST[way.target.family];
  if (least >= most || !(await isAnswered(wire, way, least))) return undefined;
  for (let end = most; end - least > 1; ) {
    const middle = (least + end) >> 1;
    if (await isAnswered(wire, way, middle)) least = middle;
    else end = middle;
  }
  return least;
}

async function isAnswered(wire: Wire, way: Way, length: number): Promise<boolean> {
  const identifier = randomInt(1, 0x1_0000);
  const { promise, resolve } = Promise.withResolvers<true>();
  using _listening = wire.listen(({ content }) => {
    if (content.kind !== "packet" || content.echo !== identifier) return;
    if (content.from.equals(way.target) && content.to.equals(way.source)) resolve(true);
  });
  for (let time = 0; time < TIMES; time++) {
    wire.send(echo(wire.mac, way, identifier, length));
    if (await Promise.race([promise, sleep(WAIT_MS, false as const)])) return true;
  }
  return false;
}

function echo(
  mac: MacAddress,
  { mac: destination, source, target }: Way,
  identifier: number,
  length: number,
): Uint8Array {
  const { family } = target;
  const addresses = { source, destination: target };
  const header = family === "inet" ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const data = new Uint8Array(length - header - ICMP_HEADER_LENGTH);
  const packet =
    family === "inet"
      ? emitIpv4(
          { ...addresses, protocol: IP_PROTOCOL.icmp, dontFragment: true },
          emitEcho("request", identifier, 0, data),
        )
      : emitIpv6(
          { ...addresses, nextHeader: IP_PROTOCOL.icmpv6 },
          emitEchoV6("request", identifier, 0, data, addresses),
        );
  return emitEthernet({ destination, source: mac, etherType: ETHERTYPE_OF[family] }, packet);
}
