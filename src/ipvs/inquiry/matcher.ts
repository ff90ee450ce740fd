/** Whether a connection is one of those that are asked for: for a million of them, so in numbers, and without garbage. */
import type { Instant } from "../../base/clock.ts";
import { type Address, Address as AddressOf } from "../../net/address.ts";
import { IP_VERSION } from "../../net/ip-family.ts";
import type { ConnectionTable } from "../connections/connection-table.ts";
import { CONNECTION_FLAG } from "../connections/flow.ts";
import { PROTOCOL } from "../connections/protocol-states.ts";
import { formatServiceKey } from "../desired/service.ts";
import type { ServiceTable } from "../services/service-table.ts";
import type { Tracker } from "../tracking/tracker.ts";
import type { ConnectionFilter } from "./filter.ts";

/** What is looked at. */
export interface Inquired {
  readonly tracker: Tracker;
  readonly services: ServiceTable;
}

export type Matcher = (id: number, now: Instant) => boolean;

type Words = (id: number, word: number) => number;

const NUMBER = { IP: PROTOCOL.ip, TCP: PROTOCOL.tcp, UDP: PROTOCOL.udp, SCTP: PROTOCOL.sctp };

export function matcher({ tracker, services }: Inquired, filter: ConnectionFilter): Matcher {
  const { table } = tracker;
  const tests: Matcher[] = [
    (id, now) => table.isAlive(id, now) && !tracker.isGone(id),
    ...definedTests(table, filter),
  ];
  const { state, service } = filter;
  if (state !== undefined) tests.push((id) => tracker.progress.stateName(id) === state);
  if (service !== undefined) {
    const wanted = formatServiceKey(service);
    tests.push((id) => services.destination(table.destinationId(id)).service.keyText === wanted);
  }
  return (id, now) => {
    for (let index = 0; index < tests.length; index++) if (!tests[index]!(id, now)) return false;
    return true;
  };
}

function definedTests(table: ConnectionTable, filter: ConnectionFilter): Matcher[] {
  const { protocol, client, clientPort, virtual, virtualPort, server, serverPort } = filter;
  const { olderThanMs, isTemplate } = filter;
  const tests: Matcher[] = [];
  if (protocol !== undefined) tests.push((id) => table.protocol(id) === NUMBER[protocol]);
  if (isTemplate !== undefined) {
    const flag = isTemplate ? CONNECTION_FLAG.template : 0;
    tests.push((id) => (table.flags(id) & CONNECTION_FLAG.template) === flag);
  }
  if (clientPort !== undefined) tests.push((id) => table.clientPort(id) === clientPort);
  if (virtualPort !== undefined) tests.push((id) => table.virtualPort(id) === virtualPort);
  if (serverPort !== undefined) tests.push((id) => table.destinationPort(id) === serverPort);
  if (client !== undefined) {
    const version = IP_VERSION[client.address.family];
    const isWithin = within(client.address, client.length, (id, word) => table.client(id, word));
    tests.push((id) => table.family(id) === version && isWithin(id));
  }
  if (virtual !== undefined) {
    const version = IP_VERSION[virtual.family];
    const isWithin = within(virtual, undefined, (id, word) => table.virtual(id, word));
    tests.push((id) => table.family(id) === version && isWithin(id));
  }
  if (server !== undefined) {
    const version = IP_VERSION[server.family];
    const isWithin = within(server, undefined, (id, word) => table.destination(id, word));
    tests.push((id) => table.destinationFamily(id) === version && isWithin(id));
  }
  if (olderThanMs !== undefined) {
    tests.push((id, now) => (table.ageMs(id, now) ?? Number.POSITIVE_INFINITY) >= olderThanMs);
  }
  return tests;
}

/** Whether an address, by its words, has the first `length` bits of `address`; undefined: all. */
function within(
  address: Address,
  length: number | undefined,
  words: Words,
): (id: number) => boolean {
  const all = address.family === "inet" ? AddressOf.inet(-1) : AddressOf.inet6(-1, -1, -1, -1);
  const mask = length === undefined ? all : all.masked(length);
  const { w0, w1, w2, w3 } = length === undefined ? address : address.masked(length);
  return (id) =>
    (words(id, 3) & mask.w3) === w3 &&
    (words(id, 2) & mask.w2) === w2 &&
    (words(id, 1) & mask.w1) === w1 &&
    (words(id, 0) & mask.w0) === w0;
}
