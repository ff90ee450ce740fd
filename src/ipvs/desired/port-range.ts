/**
 * Ports of an address that are one service together. IPVS has no such service: it is one of a mark, which the door gives to
 * what is sent there. docs/decisions/0018-a-range-of-ports-is-a-mark.md
 */
import type { Address } from "../../net/address.ts";
import type { Port } from "../../net/port.ts";
import { LbError } from "./errors.ts";
import { familyOf, formatEndpoint, type Protocol, type ServiceKey } from "./service.ts";

export interface PortRange {
  readonly protocol: Protocol;
  readonly address: Address;
  readonly first: Port;
  readonly last: Port;
}

interface Ranged {
  readonly key: ServiceKey;
  readonly range?: PortRange | undefined;
}

/** `TCP 192.0.2.10:8000-8010`. */
export function formatRange({ protocol, address, first, last }: PortRange): string {
  return `${protocol.toUpperCase()} ${formatEndpoint({ address, port: first })}-${last}`;
}

export function isSameRange(one: PortRange | undefined, other: PortRange | undefined): boolean {
  return (one && formatRange(one)) === (other && formatRange(other));
}

export function haveCommonPorts(one: PortRange, other: PortRange): boolean {
  return (
    one.protocol === other.protocol &&
    one.address.equals(other.address) &&
    one.first <= other.last &&
    other.first <= one.last
  );
}

/** Throws LbError for one that no service can have. */
export function checkRange({ key, range }: Ranged): void {
  if (range === undefined) return;
  const { address, first, last } = range;
  const refuse = (why: string): LbError =>
    new LbError({ code: "invalid", service: key, why: `${formatRange(range)}: ${why}` });
  if (key.kind !== "mark") throw refuse("a range of ports is a mark's");
  if (!address.isUnicast) throw refuse("it is not a unicast address");
  if (address.family !== familyOf(key)) throw refuse("the mark is of the other address family");
  if (first === 0) throw refuse("it begins at port 0, which stands for every port");
  if (first >= last) throw refuse("its last port is not above its first");
}

/** Throws LbError where two services have the same port. */
export function checkRangesApart(services: Iterable<Ranged>): void {
  const known = new Map<string, { key: ServiceKey; range: PortRange }[]>();
  for (const { key, range } of services) {
    if (range === undefined) continue;
    const place = `${range.protocol} ${range.address.toString()}`;
    const others = known.get(place) ?? [];
    known.set(place, others);
    const other = others.find((each) => haveCommonPorts(each.range, range));
    if (other !== undefined) {
      const why = `${formatRange(range)} and ${formatRange(other.range)} have ports in common`;
      throw new LbError({ code: "invalid", service: key, why });
    }
    others.push({ key, range });
  }
}
