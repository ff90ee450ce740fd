/** The hosts of each laboratory, their network cards and addresses: the handbook's drawing as data. */

export const HOST_NAMES = ["client", "node01", "node02", "node03"] as const;
export type HostName = (typeof HOST_NAMES)[number];

export type ScenarioName = "dr" | "nat";

/** A wire that cards are plugged into. */
export type Segment = "lan" | "outside";

export interface Card {
  readonly name: "eth0" | "eth1";
  readonly segment: Segment;
  /** IPv4. */
  readonly address: string;
}

export interface HostPlan {
  readonly name: HostName;
  readonly role: string;
  readonly cards: readonly Card[];
}

export const PREFIX_LENGTH = 24;

export interface LabPlan {
  readonly name: ScenarioName;
  readonly title: string;
  readonly vip: string;
  readonly client: string;
  /** Where the real servers' web servers listen. */
  readonly realPort: number;
  readonly hosts: readonly HostPlan[];
}

export interface RealServerPlan {
  readonly host: "node02" | "node03";
  readonly rip: string;
}

export const REAL_SERVERS: readonly RealServerPlan[] = [
  { host: "node02", rip: "192.168.150.12" },
  { host: "node03", rip: "192.168.150.13" },
];

const REAL_SERVER_HOSTS: readonly HostPlan[] = REAL_SERVERS.map(({ host, rip }) => ({
  name: host,
  role: "real server",
  cards: [{ name: "eth0", segment: "lan", address: rip }],
}));

export const PLANS: Readonly<Record<ScenarioName, LabPlan>> = {
  dr: {
    name: "dr",
    title: "LVS direct routing: everybody on one wire, replies go straight to the client",
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

/** A locally administered MAC address that shows the IPv4 address in its last four bytes. */
export function macOf(address: string): string {
  const bytes = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return `02:00:${bytes.join(":")}`;
}

/** The switch's end of a card's cable: what leaves the card arrives here, and nowhere else. */
export function portOf(host: HostPlan, card: Card): string {
  return `${host.name}-${card.name}`;
}
