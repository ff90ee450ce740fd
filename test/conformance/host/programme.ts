/**
 * Host cases as the agent's programme (agent/agent.py): a line of words for each thing to do. Settings first:
 *
 *     parallel N           so many cases at once
 *     quiet MS             nothing more comes when nothing came for so long
 *     director WORDS       the process that is the director; none where the kernel is
 *     tool NAME SCRIPT     a command by this name
 *     ipvsadm SOCKET       who runs ipvsadm for the agents, where that is ours
 *
 * Then cases. What sets a case up (set, wire, server, sysctl, start) is not reported, every other line is a step.
 */
import { Address } from "../../../src/net/address.ts";
import { ARP_OPERATION, emitArp } from "../../../src/net/arp.ts";
import { ETHERTYPE, emitEthernet } from "../../../src/net/ethernet.ts";
import { fragmentIpv4 } from "../../../src/net/fragmentation.ts";
import { emitIcmpv6, ICMPV6_TYPE } from "../../../src/net/icmpv6.ts";
import { IP_PROTOCOL } from "../../../src/net/ip-protocol.ts";
import { Ipv4View } from "../../../src/net/ipv4.ts";
import { emitIpv6, Ipv6View } from "../../../src/net/ipv6.ts";
import { fragmentIpv6 } from "../../../src/net/ipv6-fragmentation.ts";
import {
  BROADCAST_MAC,
  type MacAddress,
  macBytes,
  parseMac,
  ZERO_MAC,
} from "../../../src/net/mac-address.ts";
import { parsePacket } from "../../packets/packet-text.ts";
import type { HostCase, HostStep } from "./host-case.ts";
import { batchOf, SYSCTLS } from "./laboratory.ts";
import { HostNames, INTERFACES, STATIONS } from "./names.ts";
import { packed } from "./packed.ts";

export interface ProgrammeSettings {
  readonly parallel: number;
  readonly quietMs: number;
  readonly director: readonly string[];
  readonly tools: Readonly<Record<string, string>>;
  readonly ipvsadm?: string;
}

/** How a TUN device is told from those with Ethernet. */
const TUN = /^tun/;
const TALK_LIMIT_MS = 900;

export function programmeOf(
  cases: ReadonlyMap<number, HostCase>,
  { parallel, quietMs, director, tools, ipvsadm }: ProgrammeSettings,
): string {
  const lines = [
    `parallel ${parallel}`,
    `quiet ${quietMs}`,
    ...(director.length === 0 ? [] : [`director ${packed(director.join("\0"))}`]),
    ...(ipvsadm === undefined ? [] : [`ipvsadm ${packed(ipvsadm)}`]),
    ...Object.entries(tools).map(([name, script]) => `tool ${name} ${packed(script)}`),
    ...[...cases].flatMap(([number, each]) => [`case ${number}`, ...linesOf(each)]),
  ];
  return `${lines.join("\n")}\n`;
}

function linesOf({ family, setup, wires, steps }: HostCase): string[] {
  const names = new HostNames(family);
  const all = ["wan", "lan", ...wires];
  return [
    ...Object.entries(variablesOf(names)).map(([name, value]) => `set ${name} ${packed(value)}`),
    ...all.map((wire) => `wire ${wire} ${TUN.test(wire) ? "tun" : "tap"}`),
    ...STATIONS.filter(({ wire }) => all.includes(wire)).flatMap(({ name, wire, mac }) => [
      ...[".4", ".6"].map((of) => `neighbour ${wire} ${names.address(name + of)} ${mac}`),
      ...(name.startsWith("R") ? [`server ${name} ${mac}`] : []),
    ]),
    ...Object.entries(SYSCTLS).map(([path, value]) => `sysctl ${path} ${value}`),
    // What this and the next print is the set-up's.
    `run ${packed("ip\0-batch\0-")} ${packed(`${batchOf(all, names).join("\n")}\n`)}`,
    ...(setup === "" ? [] : [`sh ${packed(setup)}`]),
    "start",
    ...steps.map((step) => stepLine(step, names)),
  ];
}

/** What scripts know: the names, as $V and, with a port to follow, $at_V; the family's tools. */
function variablesOf(names: HostNames): Record<string, string> {
  const addresses = names.variables();
  const isInet6 = names.family === "inet6";
  return {
    ...addresses,
    ...Object.fromEntries(
      Object.entries(addresses).map(([name, text]) => [
        `at_${name}`,
        text.includes(":") ? `[${text}]` : text,
      ]),
    ),
    ...Object.fromEntries(Object.entries(INTERFACES).map(([name, mac]) => [`mac_${name}`, mac])),
    ...Object.fromEntries(STATIONS.map(({ name, mac }) => [`mac_${name}`, mac])),
    family: isInet6 ? "6" : "4",
    iptables: isInet6 ? "ip6tables-legacy" : "iptables-legacy",
    ip: isInet6 ? "ip -6" : "ip -4",
    host: isInet6 ? "128" : "32",
    nodad: isInet6 ? "nodad" : "",
    six: isInet6 ? "-6" : "",
    icmp: isInet6 ? "ipv6-icmp" : "icmp",
  };
}

function filled(text: string, names: HostNames): string {
  const variables = variablesOf(names);
  return text.replaceAll(/\$(\w+)/g, (_all, name: string) => variables[name]!);
}

function stepLine(step: HostStep, names: HostNames): string {
  switch (step.kind) {
    case "shell":
      return `sh ${packed(step.script)}`;
    case "command": {
      const words = step.words.map((word) => filled(word, names)).join("\0");
      return `run ${packed(words)} ${packed(filled(step.input ?? "", names))}`;
    }
    case "arrival": {
      const { wire, options } = step;
      const frames = framesOf(step, names).map((frame) => packed(frame));
      return `arrive ${wire} ${options.times ?? 1} ${options.gapMs ?? 0} ${frames.join(" ")}`;
    }
    case "wait":
      return `wait ${step.ms}`;
    case "neighbour":
      return `neighbour ${step.wire} ${names.address(step.address)} ${macOf(step.station)}`;
    case "silence":
      return `silent ${step.wire} ${names.address(step.address)}`;
    case "listen": {
      const [address, port] = endOf(step.at, names);
      return `listen ${step.at} ${step.protocol} ${address} ${port}`;
    }
    case "talk": {
      const { wire, ends, options } = step;
      const [source, sourcePort] = endOf(ends.source, names);
      const [destination, destinationPort] = endOf(ends.destination, names);
      const from = options.from === undefined ? nearest(wire, source) : macOf(options.from);
      const to = options.to === undefined ? directorOn(wire) : macOf(options.to);
      const limit = options.limitMs ?? TALK_LIMIT_MS;
      return `talk ${ends.protocol} ${wire} ${from} ${to} ${limit} ${source} ${sourcePort} ${destination} ${destinationPort}`;
    }
    case "connect": {
      const { protocol, source, destination } = step.ends;
      const ends = [...endOf(source, names), ...endOf(destination, names)].join(" ");
      return `connect ${protocol} ${step.limitMs} ${ends}`;
    }
  }
}

function framesOf(
  { wire, packet, options }: HostStep & { readonly kind: "arrival" },
  names: HostNames,
): Uint8Array[] {
  const [, address, station] = ANNOUNCEMENT.exec(packet) ?? [];
  if (address !== undefined) return [announcementOf(names.address(address), macOf(station!))];
  const bytes = parsePacket(packet, names);
  const isInet6 = bytes[0]! >>> 4 === 6;
  const pieces = options.pieces === undefined ? [bytes] : piecesOf(bytes, isInet6, options.pieces);
  if (TUN.test(wire)) return pieces;
  const source =
    options.from === undefined ? nearest(wire, sourceOf(packet, names)) : macOf(options.from);
  const destination = options.to === undefined ? directorOn(wire) : macOf(options.to);
  const etherType = isInet6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4;
  return pieces.map((piece) => emitEthernet({ source, destination, etherType }, piece));
}

/** `R1 is at Y2`: who has an address says so unasked. */
const ANNOUNCEMENT = /^(\S+) is at (\S+)$/;
const ALL_NODES = { mac: "33:33:00:00:00:01" as MacAddress, address: "ff02::1" } as const;
const OVERRIDE = 0x2000_0000;
const TARGET_LINK_LAYER_ADDRESS = 2;
const NEIGHBOURS_HOP_LIMIT = 255;

/** A gratuitous ARP request (RFC 5227 section 3), an unsolicited neighbour advertisement (RFC 4861 section 7.2.6). */
function announcementOf(address: Address, mac: MacAddress): Uint8Array {
  if (address.family === "inet") {
    const header = { source: mac, destination: BROADCAST_MAC, etherType: ETHERTYPE.arp };
    const operation = ARP_OPERATION.request;
    const message = {
      operation,
      senderMac: mac,
      sender: address,
      targetMac: ZERO_MAC,
      target: address,
    };
    return emitEthernet(header, emitArp(message));
  }
  const ends = { source: address, destination: Address.parse(ALL_NODES.address)! };
  const body = [...bytesOf(address), TARGET_LINK_LAYER_ADDRESS, 1, ...macBytes(mac)];
  const message = emitIcmpv6(
    { type: ICMPV6_TYPE.neighbourAdvertisement, code: 0, rest: OVERRIDE },
    Uint8Array.from(body),
    ends,
  );
  const header = { ...ends, nextHeader: IP_PROTOCOL.icmpv6, hopLimit: NEIGHBOURS_HOP_LIMIT };
  return emitEthernet(
    { source: mac, destination: ALL_NODES.mac, etherType: ETHERTYPE.ipv6 },
    emitIpv6(header, message),
  );
}

function bytesOf({ w0, w1, w2, w3 }: Address): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of [w0, w1, w2, w3].entries()) view.setInt32(4 * index, word);
  return bytes;
}

const FRAGMENT_IDENTIFICATION = 0x1234;

function piecesOf(bytes: Uint8Array, isInet6: boolean, size: number): Uint8Array[] {
  const pieces = isInet6
    ? fragmentIpv6(Ipv6View.over(bytes) as Ipv6View, size, FRAGMENT_IDENTIFICATION)
    : fragmentIpv4(Ipv4View.over(bytes) as Ipv4View, size);
  if (typeof pieces === "string") throw new RangeError(`Cannot cut a packet: ${pieces}`);
  return pieces;
}

function sourceOf(packet: string, names: HostNames): Address {
  return endOf(packet.split(" ")[0]!, names)[0];
}

/** Whose frames bring what an address sends: its own, else its wire's router's. */
function nearest(wire: string, source: Address): MacAddress {
  if (TUN.test(wire)) return ROUTERS.wan!;
  const names = new HostNames(source.family);
  const own = STATIONS.find(
    (each) => each.wire === wire && names.address(each.name).equals(source),
  );
  const router = ROUTERS[wire];
  if (own === undefined && router === undefined) throw new RangeError(`Nobody sends on ${wire}`);
  return own?.mac ?? router!;
}

const ROUTERS: Readonly<Record<string, MacAddress>> = {
  wan: macOf("X"),
  lan: macOf("Y"),
  up: macOf("X2"),
};

function directorOn(wire: string): MacAddress {
  return INTERFACES[wire] ?? INTERFACES.wan!;
}

/** A station's, or that which the text is. */
function macOf(station: string): MacAddress {
  const found = STATIONS.find(({ name }) => name === station)?.mac ?? parseMac(station);
  if (found === undefined) throw new RangeError(`Nobody is called ${station}`);
  return found;
}

function endOf(text: string, names: HostNames): [address: Address, port: string] {
  const [, bracketed, bare = "", port = "0"] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  return [names.address(bracketed ?? bare), port];
}
