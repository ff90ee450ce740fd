/** What is wrong with a director: asked of the host, of its daemon, and of the wire. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Address } from "../../net/address.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import type { Examination, Skipped } from "../finding.ts";
import { askJson } from "../host/command.ts";
import { type Rule, readFirewall } from "../host/firewall.ts";
import {
  cards,
  type HostInterface,
  isOnLink,
  ownAddress,
  placesOf,
  readInterfaces,
} from "../host/interfaces.ts";
import { routeTo } from "../host/routes.ts";
import { readSetting } from "../host/settings.ts";
import { carries } from "../wire/carries.ts";
import { type Answer, knock } from "../wire/knock.ts";
import { whoHas } from "../wire/who-has.ts";
import { Wire } from "../wire/wire.ts";
import { Arrivals } from "./arrivals.ts";
import { diagnose } from "./diagnose.ts";
import type { DirectorFacts, MarkSeen, ServerSeen, VipSeen } from "./facts.ts";
import type { ExaminedServer, ExaminedService } from "./service.ts";
import { askDirector } from "./told.ts";

/** More would be asked at once than a wire and its servers should meet. */
const SERVERS_MAX = 256;
const TOGETHER = 16;
const CONNECT_MS = 1_000;

export async function examineDirector(listenMs: number): Promise<Examination> {
  const skipped: Skipped[] = [];
  const [{ services }, interfaces] = await Promise.all([askDirector([]), readInterfaces()]);
  using wires = new Wires(interfaces, skipped);
  const vips = [
    ...new Map(
      services.flatMap(({ vip }) => (vip === undefined ? [] : [[vip.toString(), vip]])),
    ).values(),
  ];
  const pairs = services.flatMap((service) =>
    service.servers.map((server) => ({ service, server })),
  );
  if (pairs.length > SERVERS_MAX) {
    const why = `${pairs.length} are too many: ${SERVERS_MAX} were asked`;
    skipped.push({ what: "servers", why });
  }
  const asked = pairs.slice(0, SERVERS_MAX);
  using arrivals = new Arrivals(wires.all, vips);
  const [vipsSeen, servers] = await Promise.all([
    inBunches(vips, (vip) => seeVip(vip, vips, interfaces, wires, listenMs)),
    inBunches(asked, ({ service, server }) => seeServer(service, server, vips, wires)),
  ]);
  for (const { card, trouble } of wires.all) {
    if (trouble !== undefined) skipped.push({ what: `the wire of ${card.name}`, why: trouble });
  }
  // Now, when what went by meanwhile is counted.
  const [told, firewall, names] = await Promise.all([
    askDirector(skipped),
    readFirewall(),
    neighbourNames(),
  ]);
  if (firewall === undefined) {
    skipped.push({ what: "firewall rules", why: "neither iptables-save nor nft tells them" });
  }
  const marks = await inBunches(services, (service) => seeMark(service, firewall ?? []));
  const facts: DirectorFacts = {
    told,
    interfaces,
    isForwarding: {
      inet: readSetting("net/ipv4/ip_forward") === 1,
      inet6: readSetting("net/ipv6/conf/all/forwarding") === 1,
    },
    isTrackingLoose: isLoose(),
    firewall: firewall ?? [],
    vips: vipsSeen,
    servers,
    marks: marks.filter((mark) => mark !== undefined),
    arrivals: await arrivals.seen(),
    names,
    clientBeside: (client, server) =>
      cards(interfaces).some((card) => isOnLink(card, client) && isOnLink(card, server)),
  };
  return { findings: diagnose(facts), skipped };
}

function isLoose(): boolean | undefined {
  const value = readSetting("net/netfilter/nf_conntrack_tcp_loose");
  return value === undefined ? undefined : value !== 0;
}

/** The wires of all cards, opened when they are first listened to. */
class Wires implements Disposable {
  readonly #cards: readonly HostInterface[];
  readonly #open = new Map<string, Wire>();

  constructor(interfaces: readonly HostInterface[], skipped: Skipped[]) {
    const usable = cards(interfaces);
    this.#cards = usable;
    for (const card of usable) {
      try {
        this.#open.set(card.name, new Wire(card));
      } catch (error) {
        skipped.push({ what: `the wire of ${card.name}`, why: (error as Error).message });
      }
    }
  }

  get all(): Iterable<Wire> {
    return this.#open.values();
  }

  card(name: string): HostInterface | undefined {
    return this.#cards.find((card) => card.name === name);
  }

  on(name: string): Wire | undefined {
    return this.#open.get(name);
  }

  [Symbol.dispose](): void {
    for (const wire of this.#open.values()) wire[Symbol.dispose]();
  }
}

async function seeVip(
  vip: Address,
  vips: readonly Address[],
  interfaces: readonly HostInterface[],
  wires: Wires,
  listenMs: number,
): Promise<VipSeen> {
  const own = [...placesOf(interfaces, vip)];
  const near = [...wires.all].filter(
    ({ card }) => isOnLink(card, vip) || own.some(({ on }) => on.name === card.name),
  );
  const isLocal = own.length > 0 || (await routeTo(vip)).kind === "local";
  const macs = new Set(interfaces.flatMap(({ mac }) => (mac === undefined ? [] : [mac])));
  const sentTo = new Map<MacAddress, string>();
  const listening = near.map((wire) =>
    wire.listen(({ source, destination, content }) => {
      if (content.kind !== "packet" || !content.to.equals(vip)) return;
      if (macs.has(source) || macs.has(destination) || isGroup(destination)) return;
      sentTo.set(destination, content.from.toString());
    }),
  );
  const answers = near.map(async (wire) => {
    const asker = ownAddress(wire.card, vip, vips);
    return asker === undefined ? [] : await whoHas(wire, asker, vip);
  });
  const [holders] = await Promise.all([Promise.all(answers), sleep(listenMs)]);
  for (const one of listening) one[Symbol.dispose]();
  return {
    vip,
    isLocal,
    card: near[0]?.card.name,
    holders: [...new Set(holders.flat())].filter((mac) => !macs.has(mac)),
    sentTo,
  };
}

/** Broadcast and multicast: the first byte's lowest bit. */
function isGroup(mac: MacAddress): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
}

async function seeServer(
  service: ExaminedService,
  server: ExaminedServer,
  vips: readonly Address[],
  wires: Wires,
): Promise<ServerSeen> {
  const route = await routeTo(server.address);
  const card = route.kind === "out" ? wires.card(route.interfaceName) : undefined;
  const believedMtu = (route.kind === "out" ? route.mtu : undefined) ?? card?.mtu;
  const unasked = {
    service,
    server,
    route,
    believedMtu,
    hasNeighbour: undefined,
    answer: undefined,
    carriedMtu: undefined,
  };
  if (route.kind !== "out") return unasked;
  const wire = wires.on(route.interfaceName);
  if (wire === undefined || card === undefined) return unasked;
  const source = ownAddress(card, route.nextHop, vips);
  if (source === undefined) return unasked;
  const [mac] = await whoHas(wire, source, route.nextHop);
  if (mac === undefined) return { ...unasked, hasNeighbour: false };
  const isTunnel = server.forwarding.kind === "tunnel" && believedMtu !== undefined;
  const [answer, carriedMtu] = await Promise.all([
    answerOf(wire, { service, server, mac, source, isOnWire: !route.hasGateway }),
    isTunnel ? carries(wire, { mac, source, target: server.address }, believedMtu) : undefined,
  ]);
  return { ...unasked, hasNeighbour: true, answer, carriedMtu };
}

interface Asked {
  readonly service: ExaminedService;
  readonly server: ExaminedServer;
  readonly mac: MacAddress;
  readonly source: Address;
  readonly isOnWire: boolean;
}

async function answerOf(
  wire: Wire,
  { service, server, mac, source, isOnWire }: Asked,
): Promise<Answer | undefined> {
  const { vip, port, protocol } = service;
  if (protocol !== "tcp") return undefined;
  const { forwarding, address } = server;
  if (forwarding.kind === "masquerade") return await tryConnect(address, server.port);
  if (vip === undefined || port === 0 || vip.family !== source.family) return undefined;
  // Beyond a router direct routing does not work, whatever the server does.
  if (forwarding.kind === "route" && !isOnWire) return undefined;
  return await knock(wire, { mac, source, vip, port, server: address, forwarding });
}

/** As the director itself, not as a client: NAT's servers are asked at their own addresses. */
function tryConnect(address: Address, port: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.toString(), port });
    const end = (answer: Answer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_MS, () => end("silent"));
    socket.once("connect", () => end("open"));
    socket.once("error", ({ code }: NodeJS.ErrnoException) =>
      end(code === "ECONNREFUSED" ? "refused" : "silent"),
    );
  });
}

/** The rules that give a service's mark, and where packets with it would go. */
async function seeMark(
  service: ExaminedService,
  firewall: readonly Rule[],
): Promise<MarkSeen | undefined> {
  const { mark } = service;
  if (mark === undefined) return undefined;
  const rules = firewall.filter((rule) => rule.effect === "mark" && markOf(rule) === mark);
  const texts = rules.flatMap(({ text }) => /(?: -d|daddr) ([0-9a-fA-F.:]+)/.exec(text)?.[1] ?? []);
  const addresses = [...new Set(texts)].flatMap((text) => Address.parse(text) ?? []);
  const targets = await Promise.all(
    addresses.map(async (address) => ({
      address,
      route: await routeTo(address, "mark", `${mark}`),
    })),
  );
  return { service, mark, rules, targets };
}

function markOf({ text }: Rule): number {
  return Number(/(?:--set-x?mark|mark set) (0x[0-9a-fA-F]+|\d+)/.exec(text)?.[1] ?? Number.NaN);
}

async function neighbourNames(): Promise<ReadonlyMap<MacAddress, string>> {
  const told = ((await askJson("ip", "-json", "neighbour", "show")) ?? []) as readonly {
    readonly dst?: string;
    readonly lladdr?: string;
  }[];
  return new Map(
    told.flatMap(({ dst, lladdr }) =>
      dst === undefined || lladdr === undefined ? [] : [[lladdr as MacAddress, dst] as const],
    ),
  );
}

async function inBunches<One, Seen>(
  all: readonly One[],
  see: (one: One) => Promise<Seen>,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (let first = 0; first < all.length; first += TOGETHER) {
    seen.push(...(await Promise.all(all.slice(first, first + TOGETHER).map(see))));
  }
  return seen;
}
