/**
 * The userspace engine on a bench: a director in a network namespace, and the wires' far ends in another, where a
 * test plays every other host, frame by frame.
 *
 *     192.0.2.0/24, 2001:db8::/64               10.1.0.0/24, 2001:db8:1::/64
 *     client .10, other .11 ----- director .1, VIPs .100, .101 ----- server1 .11, server2 .12
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Arrival, Bench, Station } from "../../src/engine/engine.contract.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { ETHERTYPE, EthernetView, emitEthernet } from "../../src/net/ethernet.ts";
import { type MacAddress, parseMac } from "../../src/net/mac-address.ts";
import { Conversation } from "./conversation.ts";
import { connect, Namespace } from "./namespaces.ts";
import { RemoteEngine } from "./remote-engine.ts";

type WireName = "outside" | "inside";

interface StationPlan {
  readonly wire: WireName;
  readonly mac: MacAddress;
  readonly addresses: readonly string[];
}

// biome-ignore format: a table
const STATIONS: Readonly<Record<Station, StationPlan>> = {
  client:  { wire: "outside", mac: mac(10), addresses: ["192.0.2.10", "2001:db8::10"] },
  other:   { wire: "outside", mac: mac(11), addresses: ["192.0.2.11", "2001:db8::11"] },
  server1: { wire: "inside",  mac: mac(21), addresses: ["10.1.0.11", "2001:db8:1::11"] },
  server2: { wire: "inside",  mac: mac(22), addresses: ["10.1.0.12", "2001:db8:1::12"] },
};

// biome-ignore format: a table
const DIRECTOR: Readonly<Record<WireName, readonly string[]>> = {
  outside: ["192.0.2.1/24", "192.0.2.100/32", "192.0.2.101/32", "2001:db8::1/64", "2001:db8::100/128"],
  inside:  ["10.1.0.1/24", "2001:db8:1::1/64"],
};

const SETTINGS = [
  "net.ipv4.ip_forward=1",
  "net.ipv6.conf.all.forwarding=1",
  "net.ipv4.conf.all.rp_filter=0",
  "net.ipv4.conf.default.rp_filter=0",
  "net.ipv4.conf.all.send_redirects=0",
  // The host's own ICMP messages are counted in tests, so they must all be sent.
  "net.ipv4.icmp_ratelimit=0",
];

/** Rounds without news after which everything that was sent has been dealt with. */
const QUIET_ROUNDS = 2;

export class UserspaceBench implements Bench {
  readonly engine: Engine;
  readonly director: Namespace;
  readonly #world: Namespace;
  readonly #wires: Conversation;
  readonly #directorMacs: Readonly<Record<WireName, MacAddress>>;

  private constructor(director: Namespace, world: Namespace, wires: Conversation, engine: Engine) {
    this.director = director;
    this.#world = world;
    this.#wires = wires;
    this.engine = engine;
    this.#directorMacs = { outside: macOf(director, "outside"), inside: macOf(director, "inside") };
  }

  static async open(): Promise<UserspaceBench> {
    using stack = new DisposableStack();
    const director = stack.use(new Namespace("director"));
    const world = stack.use(new Namespace("world"));
    layWires(director, world);
    const [wires, engine] = await Promise.all([
      openWires(world.startNode(program("wire-ends.ts"), "outside", "inside")),
      RemoteEngine.in("userspace", director.startNode(program("engine-process.ts"))),
    ]);
    stack.move();
    return new UserspaceBench(director, world, wires, engine);
  }

  async send(station: Station, ...packets: Uint8Array[]): Promise<void> {
    const { wire, mac: source } = STATIONS[station];
    const frames = packets.map((packet) => {
      const etherType = (packet[0] ?? 0) >>> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4;
      const header = { destination: this.#directorMacs[wire], source, etherType, tag: undefined };
      return Buffer.from(emitEthernet(header, packet)).toString("hex");
    });
    await this.#wires.ask(JSON.stringify(["send", wire, ...frames]));
  }

  async arrivals(): Promise<readonly Arrival[]> {
    const arrivals: Arrival[] = [];
    for (let quiet = 0; quiet < QUIET_ROUNDS; quiet++) {
      // An answer from the engine's event loop: it has been round since the packets came. A disposed one has none.
      await this.engine.reasons().catch(() => undefined);
      const heard = JSON.parse(await this.#wires.ask(JSON.stringify(["drain"])));
      const news = (heard as [WireName, string][]).flatMap(arrivalIn);
      if (news.length > 0) quiet = -1;
      arrivals.push(...news);
    }
    return arrivals;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    await this.#wires.end();
    this.#world[Symbol.dispose]();
    this.director[Symbol.dispose]();
  }
}

async function openWires(child: ChildProcessWithoutNullStreams): Promise<Conversation> {
  const conversation = new Conversation(child);
  await conversation.hear();
  return conversation;
}

function layWires(director: Namespace, world: Namespace): void {
  world.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
  director.run(`sysctl -qw ${SETTINGS.join(" ")}`);
  const wires = Object.keys(DIRECTOR) as WireName[];
  for (const wire of wires) connect(director, wire, world, wire);
  const addresses = wires.flatMap((wire) =>
    DIRECTOR[wire].map((address) => `address add ${address} dev ${wire}${nodad(address)}`),
  );
  const neighbours = Object.values(STATIONS).flatMap(({ wire, mac, addresses }) =>
    addresses.map((address) => `neighbour add ${address} lladdr ${mac} dev ${wire} nud permanent`),
  );
  director.batch([...addresses, ...neighbours]);
  // Complete checksums, so that what the host itself sends can be checked, too.
  for (const wire of wires) director.run(`ethtool -K ${wire} tx off`);
}

function nodad(address: string): string {
  return address.includes(":") ? " nodad" : "";
}

/** The frame's IP packet, when it is for one of the stations. */
function arrivalIn([wire, hex]: [WireName, string]): Arrival[] {
  const frame = EthernetView.over(Buffer.from(hex, "hex"));
  if (typeof frame === "string" || frame.etherType === ETHERTYPE.arp) return [];
  const found = Object.entries(STATIONS).find(
    ([, plan]) => plan.wire === wire && plan.mac === frame.destination,
  );
  return found === undefined ? [] : [{ at: found[0] as Station, packet: frame.payload }];
}

function mac(last: number): MacAddress {
  return parseMac(`02:00:00:00:00:${String(last).padStart(2, "0")}`)!;
}

function macOf(namespace: Namespace, name: string): MacAddress {
  return parseMac(namespace.run(`cat /sys/class/net/${name}/address`).trim())!;
}

function program(name: string): string {
  return new URL(name, import.meta.url).pathname;
}
