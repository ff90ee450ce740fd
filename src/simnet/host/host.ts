/** A simulated host: its interfaces, tables and protocols, and the ways of frames between them. */
import type { Prng } from "../../base/prng.ts";
import type { Address, Family } from "../../net/address.ts";
import { ETHERTYPE, ETHERTYPE_OF, EthernetView, emitEthernet } from "../../net/ethernet.ts";
import { familyAt } from "../../net/ip-family.ts";
import { type MacAddress, ZERO_MAC } from "../../net/mac-address.ts";
import type { Standing } from "../director/standing.ts";
import type { DropReason, TableName } from "../event.ts";
import { Firewall } from "../firewall/firewall.ts";
import { Icmp } from "../ip/icmp.ts";
import { Inet } from "../ip/inet.ts";
import type { IncomingFrame, OutgoingPacket } from "../ip/packets.ts";
import { PathMtus } from "../ip/path-mtus.ts";
import { Transports } from "../ip/transports.ts";
import type { Switch } from "../link/switch.ts";
import { Arp } from "../neighbours/arp.ts";
import { Discovery } from "../neighbours/discovery.ts";
import { NeighbourTable } from "../neighbours/neighbour-table.ts";
import { Tcp } from "../tcp/tcp.ts";
import type { Agenda } from "../time/agenda.ts";
import { Udp } from "../udp/udp.ts";
import type { World } from "../world.ts";
import { Addresses } from "./addresses.ts";
import { NetworkInterface, type TunnelEnd } from "./interface.ts";
import { Routes } from "./route.ts";
import { Settings } from "./settings.ts";

const LOOPBACK_MTU = 65_536;
const ETHERNET_MTU = 1_500;

/** Sees every frame of an interface, whoever it is for: tcpdump. */
export type Tap = (card: NetworkInterface, frame: Uint8Array, direction: "in" | "out") => void;

export class Host {
  readonly name: string;
  readonly world: World;
  readonly settings: Settings;
  readonly interfaces: NetworkInterface[] = [];
  readonly routes = new Routes();
  readonly addresses: Addresses;
  readonly neighbours: NeighbourTable;
  readonly arp: Arp;
  readonly discovery: Discovery;
  readonly inet: Inet;
  readonly pathMtus: PathMtus;
  readonly icmp: Icmp;
  readonly transports: Transports;
  readonly tcp: Tcp;
  readonly udp: Udp;
  readonly firewall: Firewall;
  readonly taps = new Set<Tap>();
  /** A director stands between this host's checks and its sockets. */
  director: Standing | undefined;
  #interfacesMade = 0;

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
    this.settings = new Settings((path, value) =>
      this.tellChange("settings", `${path} = ${value}`),
    );
    this.firewall = new Firewall(
      world.agenda,
      () => this.settings.number("net.netfilter.nf_conntrack_tcp_loose") !== 0,
    );
    this.pathMtus = new PathMtus(world.agenda);
    this.addresses = new Addresses(this);
    this.neighbours = new NeighbourTable(this);
    this.arp = new Arp(this);
    this.discovery = new Discovery(this);
    this.inet = new Inet(this);
    this.icmp = new Icmp(this);
    this.tcp = new Tcp(this);
    this.udp = new Udp(this);
    this.transports = new Transports(this);
    this.addInterface({ name: "lo", kind: "loopback", mac: ZERO_MAC, mtu: LOOPBACK_MTU });
  }

  get agenda(): Agenda {
    return this.world.agenda;
  }

  get random(): Prng {
    return this.world.random;
  }

  addInterface(about: {
    readonly name: string;
    readonly kind: NetworkInterface["kind"];
    readonly mac: MacAddress;
    readonly mtu?: number;
    readonly tunnel?: TunnelEnd;
  }): NetworkInterface {
    const index = ++this.#interfacesMade;
    const made = new NetworkInterface({ mtu: ETHERNET_MTU, ...about, index });
    this.interfaces.push(made);
    this.settings.addInterface(about.name);
    return made;
  }

  removeInterface(card: NetworkInterface): undefined {
    this.addresses.down(card);
    this.interfaces.splice(this.interfaces.indexOf(card), 1);
    this.settings.removeInterface(card.name);
    this.tellChange("addresses", `${card.name} is gone`);
  }

  /** A card on a switch's port. */
  plug(name: string, mac: MacAddress, into: Switch): NetworkInterface {
    const card = this.addInterface({ name, kind: "ethernet", mac });
    card.cable = into.plug(`${this.name}-${name}`, {
      receive: (frame, number) => this.#receive(card, frame, number),
    });
    return card;
  }

  interface(name: string): NetworkInterface | undefined {
    return this.interfaces.find((each) => each.name === name);
  }

  /** inet_addr_type(): RTN_LOCAL. */
  isLocal(address: Address): boolean {
    return this.routes.find(address)?.type === "local";
  }

  isForwarding(family: Family): boolean {
    return family === "inet"
      ? this.settings.number("net.ipv4.ip_forward") !== 0
      : this.settings.own6("forwarding", "all") !== 0;
  }

  /** An IP packet to a link-layer address. */
  transmit(card: NetworkInterface, mac: MacAddress, packet: OutgoingPacket): undefined {
    const etherType = ETHERTYPE_OF[familyAt(packet.bytes, 0)];
    this.sendFrame(
      card,
      emitEthernet({ destination: mac, source: card.mac, etherType }, packet.bytes),
    );
  }

  sendFrame(card: NetworkInterface, bytes: Uint8Array): undefined {
    const frame = this.world.nextFrame();
    if (!card.isUp || card.cable === undefined) {
      card.sent.dropped++;
      this.#tellDropped(card.name, "frame", bytes, frame, "interface-down");
      return;
    }
    count(card.sent, bytes);
    const told = { host: this.name, interface: card.name, frame, bytes };
    this.world.journal.tell({ kind: "frame-sent", ...told });
    for (const tap of this.taps) tap(card, bytes, "out");
    card.cable.send(bytes, frame);
  }

  /** An IP packet to the host itself, out of the loopback and in again. */
  loop(packet: Uint8Array): undefined {
    const lo = this.interfaces[0]!;
    const number = this.world.nextFrame();
    const etherType = ETHERTYPE_OF[familyAt(packet, 0)];
    const bytes = emitEthernet({ destination: ZERO_MAC, source: ZERO_MAC, etherType }, packet);
    if (!lo.isUp) return this.#tellDropped("lo", "frame", bytes, number, "interface-down");
    const told = { host: this.name, interface: "lo", frame: number, bytes };
    this.world.journal.tell({ kind: "frame-sent", ...told });
    for (const tap of this.taps) tap(lo, bytes, "out");
    count(lo.sent, bytes);
    this.#receive(lo, bytes, number);
  }

  dropFrame(frame: IncomingFrame, reason: DropReason): undefined {
    frame.interface.received.dropped++;
    this.#tellDropped(frame.interface.name, "frame", frame.bytes, frame.number, reason);
  }

  /** A packet that got into no frame. */
  drop(
    { bytes, frame }: OutgoingPacket,
    card: NetworkInterface | undefined,
    reason: DropReason,
  ): undefined {
    if (card !== undefined) card.sent.dropped++;
    this.#tellDropped(card?.name ?? "", "packet", bytes, frame, reason);
  }

  tellChange(table: TableName, change: string): undefined {
    this.world.journal.tell({ kind: "table-changed", host: this.name, table, change });
  }

  #tellDropped(
    name: string,
    form: "frame" | "packet",
    bytes: Uint8Array,
    frame: number | undefined,
    reason: DropReason,
  ): undefined {
    const told = { host: this.name, interface: name, frame, form, bytes, reason };
    this.world.journal.tell({ kind: "dropped", ...told });
  }

  #receive(card: NetworkInterface, bytes: Uint8Array, number: number): undefined {
    const told = { host: this.name, interface: card.name, frame: number, bytes };
    if (!card.isUp) return this.#tellDropped(card.name, "frame", bytes, number, "interface-down");
    count(card.received, bytes);
    // Whoever decides about the packet may rewrite it: what was seen stays as it was.
    this.world.journal.tell({ kind: "frame-received", ...told, bytes: bytes.slice() });
    if (card.kind !== "loopback") for (const tap of this.taps) tap(card, bytes.slice(), "in");
    const ethernet = EthernetView.over(bytes);
    if (typeof ethernet === "string") return undefined;
    const { source, etherType, isMulticast, payload, destination } = ethernet;
    const isUnicast = !isMulticast;
    const frame = { interface: card, bytes, number, source, etherType, isUnicast, payload };
    if (isUnicast && destination !== card.mac) return this.dropFrame(frame, "not-for-this-card");
    if (etherType === ETHERTYPE.arp) return this.arp.receive(frame);
    if (etherType === ETHERTYPE.ipv4) return this.inet.receive(frame);
    if (etherType !== ETHERTYPE.ipv6) return this.dropFrame(frame, "unsupported");
    if (this.settings.own6("disable_ipv6", card.name) === 0) return this.inet.receive(frame);
    return this.dropFrame(frame, "unsupported");
  }
}

function count(counter: NetworkInterface["sent"], bytes: Uint8Array): undefined {
  counter.packets++;
  counter.bytes += bytes.length;
}
