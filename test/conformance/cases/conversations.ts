/** Conversations, packet by packet: an entry's state, timer and counts after each, by forwarding method and family. */
import type { Prng } from "../../../src/base/prng.ts";
import { type Case, CONNECTIONS, packet, restore, SERVICES, type Step, wait } from "../case.ts";
import { at } from "./methods.ts";

/** A forwarding method as a conversation goes by it. */
export interface Way {
  readonly name: string;
  readonly family: 4 | 6;
  readonly option: "-m" | "-g" | "-i";
}

// biome-ignore format: a table
export const WAYS: readonly Way[] = [
  { name: "NAT",       family: 4, option: "-m" },
  { name: "DR",        family: 4, option: "-g" },
  { name: "TUN",       family: 4, option: "-i" },
];

// biome-ignore format: a table
export const WAYS_INET6: readonly Way[] = [
  { name: "NAT, IPv6", family: 6, option: "-m" },
  { name: "DR, IPv6",  family: 6, option: "-g" },
  { name: "TUN, IPv6", family: 6, option: "-i" },
];

/** `> S` is a packet from the client, `< SA` one from the server: what the protocol's packets have behind the addresses. */
export type Part = `> ${string}` | `< ${string}`;

export interface Protocol {
  readonly group: string;
  readonly name: "tcp" | "sctp" | "udp";
  /** Of ipvsadm. */
  readonly option: "-t" | "--sctp-service" | "-u";
}

/** An entry that is given up goes with the kernel's next tick: 10 ms with a HZ of 100. */
const GIVEN_UP_MS = 25;

/** `servers` are the last parts of their addresses. */
export function conversation(
  protocol: Protocol,
  way: Way,
  name: string,
  parts: readonly Part[],
  sysctls: Case["sysctls"] = {},
  servers: readonly number[] = [21],
): Case {
  return {
    group: protocol.group,
    name: `${way.name}, ${name}`,
    compare: "frames",
    sysctls,
    steps: [
      begin(protocol, way, servers),
      // All cases are set up before the first goes on: so their timers go alike on every side.
      wait(1),
      ...parts.flatMap((part) => [
        packet(textOf(protocol, way, part)),
        wait(GIVEN_UP_MS),
        CONNECTIONS,
        SERVICES,
      ]),
    ],
  };
}

/** A protocol's cases by every way; IPv6, which shares the states, has fewer random walks. */
export function byEveryWay(
  casesOf: (way: Way, walks: number) => readonly Case[],
  walks: { readonly inet: number; readonly inet6: number },
): Case[] {
  return [
    ...WAYS.flatMap((way) => casesOf(way, walks.inet)),
    ...WAYS_INET6.flatMap((way) => casesOf(way, walks.inet6)),
  ];
}

/** `first`, and then as chance has it. */
export function walk(
  chance: Prng,
  first: Part,
  parts: readonly Part[],
  length: number,
): readonly Part[] {
  return [first, ...Array.from({ length }, () => chance.of(parts))];
}

function begin({ option: service }: Protocol, way: Way, servers: readonly number[]): Step {
  return restore(
    `-A ${service} ${vip(way)} -s rr`,
    ...servers.map((number) => `-a ${service} ${vip(way)} -r ${server(way, number)} ${way.option}`),
  );
}

function textOf({ name }: Protocol, way: Way, part: Part): string {
  const client = at(way.family === 4 ? "CLIENT" : "CLIENT6", 4000);
  const what = part.slice(2);
  if (part.startsWith(">")) return `${name} ${client} > ${vip(way)} ${what}`;
  // What answers a masqueraded client is the server itself; others answer as the service, by way of the director.
  return way.option === "-m"
    ? `${name} ${server(way, 21)} > ${client} ${what}`
    : `${name} ${vip(way)} > ${client} ${what} from=${serverAddress(way, 21)}`;
}

function vip({ family }: Way): string {
  return at(family === 4 ? "VIP" : "VIP6", 80);
}

function server(way: Way, number: number): string {
  return at(serverAddress(way, number), way.option === "-m" ? 8080 : 80);
}

function serverAddress({ family }: Way, number: number): string {
  return family === 4 ? `192.168.150.${number}` : `fd15::${number}`;
}
