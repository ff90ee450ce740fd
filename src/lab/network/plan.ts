/** The hosts of each laboratory, their network cards and addresses: the handbook's drawing as data. */
import { Address, type Family } from "../../net/address.ts";

export const HOST_NAMES = ["client", "node01", "node02", "node03"] as const;
export type HostName = (typeof HOST_NAMES)[number];

export const SCENARIO_NAMES = ["dr", "nat", "tun"] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

/** A wire that cards are plugged into. */
export type Segment = "lan" | "outside";

export interface Card {
  readonly name: "eth0" | "eth1";
  readonly segment: Segment;
  readonly address: string;
}

export interface HostPlan {
  readonly name: HostName;
  readonly role: string;
  readonly cards: readonly Card[];
}

const PREFIX_LENGTH = { inet: 24, inet6: 64 } as const satisfies Record<Family, number>;

export interface LabPlan {
  readonly name: ScenarioName;
  readonly family: Family;
  readonly title: string;
  readonly vip: string;
  readonly client: string;
  /** Where the real servers' web servers listen. */
  readonly realPort: number;
  readonly hosts: readonly HostPlan[];
  readonly realServers: readonly RealServerPlan[];
  /** Of every network. */
  readonly prefixLength: number;
}

/** What is drawn: IPv4, from which IPv6 follows. */
type Drawing = Omit<LabPlan, "family" | "realServers" | "prefixLength">;

export interface RealServerPlan {
  readonly host: "node02" | "node03";
  readonly rip: string;
}

const REAL_SERVERS: readonly RealServerPlan[] = [
  { host: "node02", rip: "192.168.150.12" },
  { host: "node03", rip: "192.168.150.13" },
];

const REAL_SERVER_HOSTS: readonly HostPlan[] = REAL_SERVERS.map(({ host, rip }) => ({
  name: host,
  role: "real server",
  cards: [{ name: "eth0", segment: "lan", address: rip }],
}));

/** Everybody on one wire. */
const ONE_WIRE: Pick<Drawing, "vip" | "client" | "realPort" | "hosts"> = {
  vip: "192.168.150.100",
  client: "192.168.150.1",
  realPort: 80,
  hosts: [
    {
      name: "client",
      role: "the browser",
      cards: [{ name: "eth0", segment: "lan", address: "192.168.150.1" }],
    },
    {
      name: "node01",
      role: "director",
      cards: [{ name: "eth0", segment: "lan", address: "192.168.150.11" }],
    },
    ...REAL_SERVER_HOSTS,
  ],
};

export const PLANS: Readonly<Record<ScenarioName, Drawing>> = {
  dr: {
    name: "dr",
    title: "LVS direct routing: everybody on one wire, replies go straight to the client",
    ...ONE_WIRE,
  },
  tun: {
    name: "tun",
    title: "LVS tunnelling: requests go inside other packets, replies go straight to the client",
    ...ONE_WIRE,
  },
  nat: {
    name: "nat",
    title: "LVS NAT: the director stands between two networks, replies go back through it",
    // The client's network is one that RFC 5737 keeps for examples: it cannot be anybody's own.
    vip: "203.0.113.100",
    client: "203.0.113.1",
    realPort: 8080,
    hosts: [
      {
        name: "client",
        role: "the browser, outside",
        cards: [{ name: "eth0", segment: "outside", address: "203.0.113.1" }],
      },
      {
        name: "node01",
        role: "director, the real servers' gateway",
        cards: [
          { name: "eth0", segment: "outside", address: "203.0.113.11" },
          { name: "eth1", segment: "lan", address: "192.168.150.11" },
        ],
      },
      ...REAL_SERVER_HOSTS,
    ],
  },
};

export function planOf(scenario: ScenarioName, family: Family): LabPlan {
  const drawing = PLANS[scenario];
  const inFamily = family === "inet" ? (address: string) => address : inet6Of;
  return {
    ...drawing,
    family,
    vip: inFamily(drawing.vip),
    client: inFamily(drawing.client),
    hosts: drawing.hosts.map((host) => ({
      ...host,
      cards: host.cards.map((card) => ({ ...card, address: inFamily(card.address) })),
    })),
    realServers: REAL_SERVERS.map(({ host, rip }) => ({ host, rip: inFamily(rip) })),
    prefixLength: PREFIX_LENGTH[family],
  };
}

/** A site's own network (RFC 4193) in the place of the real servers', one for examples (RFC 3849) of the client's. */
const INET6_NETWORKS: Readonly<Record<string, string>> = {
  "192.168.150": "fd00:150::",
  "203.0.113": "2001:db8::",
};

/** The address whose last group reads as the IPv4 address's last number: everybody is still .11, .12, .13. */
function inet6Of(address: string): string {
  const end = address.lastIndexOf(".");
  return `${INET6_NETWORKS[address.slice(0, end)]}${address.slice(end + 1)}`;
}

/** The address of a host's card on a wire. */
export function addressOn(plan: LabPlan, host: HostName, segment: Segment): string {
  const cards = plan.hosts.find(({ name }) => name === host)?.cards;
  return cards!.find((card) => card.segment === segment)!.address;
}

/**
 * A locally administered MAC address that shows the address in its last four bytes: all of an IPv4 address, the second
 * and the last group of an IPv6 address.
 */
export function macOf(address: string): string {
  const bytes = Address.parse(address)!.bytes();
  const shown = bytes.length === 4 ? [...bytes] : [bytes[2], bytes[3], bytes[14], bytes[15]];
  return ["02", "00", ...shown.map((byte) => byte!.toString(16).padStart(2, "0"))].join(":");
}

/** The switch's end of a card's cable: what leaves the card arrives here, and nowhere else. */
export function portOf(host: HostPlan, card: Card): string {
  return `${host.name}-${card.name}`;
}
