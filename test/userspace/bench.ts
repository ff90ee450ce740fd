/**
 * The userspace engine on a bench: a director in a network namespace, and the wires' far ends in another, where a
 * test plays every other host, frame by frame.
 *
 *     C, C2 ----- E, V, V2 (director) D ----- R1, R2       (names.ts; 10.9.0.0/16, 10.1.0.0/16 and their IPv6 kin)
 */
import type { Arrival, Bench, Station } from "../../src/engine/engine.contract.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Stand } from "../../src/engine/userspace/door/door-words.ts";
import type { Address } from "../../src/net/address.ts";
import { ETHERTYPE, EthernetView, emitEthernet } from "../../src/net/ethernet.ts";
import { type MacAddress, parseMac } from "../../src/net/mac-address.ts";
import { Names } from "../packets/names.ts";
import { Conversation } from "./conversation.ts";
import { connect, Namespace, untilPrinted } from "./namespaces.ts";
import { RemoteEngine } from "./remote-engine.ts";

type WireName = "outside" | "inside";

interface StationPlan {
  readonly wire: WireName;
  readonly mac: MacAddress;
}

const STATIONS: Readonly<Record<Station, StationPlan>> = {
  C: { wire: "outside", mac: mac(10) },
  C2: { wire: "outside", mac: mac(11) },
  R1: { wire: "inside", mac: mac(21) },
  R2: { wire: "inside", mac: mac(22) },
};

/** Where the director has which addresses; VIPs have the whole length. */
const DIRECTOR: Readonly<Record<WireName, Readonly<Record<string, "network" | "host">>>> = {
  outside: { E: "network", V: "host", V2: "host" },
  inside: { D: "network" },
};

const FAMILIES = [
  { names: new Names("inet"), lengths: { network: 16, host: 32 } },
  { names: new Names("inet6"), lengths: { network: 64, host: 128 } },
] as const;

const SETTINGS = [
  "net.ipv4.ip_forward=1",
  "net.ipv6.conf.all.forwarding=1",
  "net.ipv4.conf.all.rp_filter=0",
  "net.ipv4.conf.default.rp_filter=0",
  "net.ipv4.conf.all.send_redirects=0",
  // The host's own ICMP messages are counted in tests, so they must all be sent.
  "net.ipv4.icmp_ratelimit=0",
];

const WIRE_ENDS = new URL("./wire-ends.ts", import.meta.url).pathname;
const ENGINE_PROCESS = new URL("./engine-process.ts", import.meta.url).pathname;

const ABSURD_FRAMES = new URL("./absurd-frames.ts", import.meta.url).pathname;

/** Rounds without news after which everything that was sent has been dealt with. */
const QUIET_ROUNDS = 2;

/** The wires and who plays the hosts at their ends: many benches, one after the other, can stand on it. */
export class BenchNetwork implements AsyncDisposable {
  readonly director: Namespace;
  readonly #world: Namespace;
  readonly #wires: Conversation;
  readonly #directorMacs: Readonly<Record<WireName, MacAddress>>;

  private constructor(director: Namespace, world: Namespace, wires: Conversation) {
    this.director = director;
    this.#world = world;
    this.#wires = wires;
    this.#directorMacs = { outside: macOf(director, "outside"), inside: macOf(director, "inside") };
  }

  static async open(): Promise<BenchNetwork> {
    using stack = new DisposableStack();
    const director = stack.use(new Namespace("director"));
    const world = stack.use(new Namespace("world"));
    layWires(director, world);
    const wires = new Conversation(world.startNode(WIRE_ENDS, "outside", "inside"));
    await wires.hear();
    stack.move();
    return new BenchNetwork(director, world, wires);
  }

  /** Whether the wires' far ends take frames of drivers' from now on: veth_xdp_xmit(). */
  takeDriversFrames(take: boolean): void {
    const gro = take ? "on" : "off";
    for (const wire of Object.keys(DIRECTOR)) this.#world.run(`ethtool -K ${wire} gro ${gro}`);
  }

  async send(station: Station, packets: readonly Uint8Array[]): Promise<void> {
    const { wire, mac: source } = STATIONS[station];
    const frames = packets.map((packet) => {
      const etherType = (packet[0] ?? 0) >>> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4;
      const header = { destination: this.#directorMacs[wire], source, etherType, tag: undefined };
      return emitEthernet(header, packet);
    });
    await this.sendFrames(wire, frames);
  }

  /** Whole frames, whatever they are. */
  async sendFrames(wire: WireName, frames: readonly Uint8Array[]): Promise<void> {
    const texts = frames.map((frame) => Buffer.from(frame).toString("hex"));
    await this.#wires.ask(JSON.stringify(["send", wire, ...texts]));
  }

  /** Super-packets of TCP from the outside, that are to be cut into segments of `segmentSize` bytes. */
  async sendAbsurd(
    source: Address,
    destination: Address,
    segmentSize: number,
    count: number,
  ): Promise<void> {
    const addresses = [source.toString(), destination.toString()];
    const words = ["outside", this.#directorMacs.outside, ...addresses, segmentSize, count];
    await untilPrinted(this.#world.startNode(ABSURD_FRAMES, ...words.map(String)), "sent");
  }

  /** The director's link-layer address on a wire. */
  macOn(wire: WireName): MacAddress {
    return this.#directorMacs[wire];
  }

  async drain(): Promise<Arrival[]> {
    const heard = JSON.parse(await this.#wires.ask(JSON.stringify(["drain"])));
    return (heard as [WireName, string][]).flatMap(arrivalIn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wires.end();
    this.#world[Symbol.dispose]();
    this.director[Symbol.dispose]();
  }
}

export class UserspaceBench implements Bench {
  readonly engine: Engine;
  readonly #network: BenchNetwork;

  private constructor(engine: Engine, network: BenchNetwork) {
    this.engine = engine;
    this.#network = network;
  }

  /**
   * A fresh engine on `network`, where no other is at work: the kernel engine ("kernel wire": which opens connections where
   * packets arrive; "kernel xdp": which meets them at XDP), or the userspace engine, whose door is where `kind` says, if it shall not choose.
   */
  static async open(
    network: BenchNetwork,
    ...kind: readonly (Stand | "kernel" | "kernel wire" | "kernel xdp" | "kernel-clsact")[]
  ): Promise<UserspaceBench> {
    const program = network.director.startNode(ENGINE_PROCESS, ...kind);
    const name = kind[0]?.startsWith("kernel") === true ? "kernel" : "userspace";
    const engine = await RemoteEngine.in(name, program);
    return new UserspaceBench(engine, network);
  }

  send(station: Station, ...packets: Uint8Array[]): Promise<void> {
    return this.#network.send(station, packets);
  }

  async arrivals(): Promise<readonly Arrival[]> {
    const arrivals: Arrival[] = [];
    for (let quiet = 0; quiet < QUIET_ROUNDS; quiet++) {
      // An answer from the engine's event loop: it has been round since the packets came. A disposed one has none.
      await this.engine.reasons().catch(() => undefined);
      const news = await this.#network.drain();
      if (news.length > 0) quiet = -1;
      arrivals.push(...news);
    }
    return arrivals;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
  }
}

function layWires(director: Namespace, world: Namespace): void {
  world.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
  director.run(`sysctl -qw ${SETTINGS.join(" ")}`);
  const wires = Object.keys(DIRECTOR) as WireName[];
  for (const wire of wires) connect(director, wire, world, wire);
  const addresses = FAMILIES.flatMap(({ names, lengths }) =>
    wires.flatMap((wire) =>
      Object.entries(DIRECTOR[wire]).map(([name, length]) => {
        const nodad = names.family === "inet6" ? " nodad" : "";
        return `address add ${names.address(name)}/${lengths[length]} dev ${wire}${nodad}`;
      }),
    ),
  );
  const neighbours = FAMILIES.flatMap(({ names }) =>
    Object.entries(STATIONS).map(
      ([name, { wire, mac }]) =>
        `neighbour add ${names.address(name)} lladdr ${mac} dev ${wire} nud permanent`,
    ),
  );
  director.batch([...addresses, ...neighbours]);
  // Complete checksums, so that what the host itself sends can be checked, too.
  for (const wire of wires) director.run(`ethtool -K ${wire} tx off`);
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
