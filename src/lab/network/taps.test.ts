import { expect, test } from "vitest";
import { summarize } from "./taps.ts";

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));

const ETHERNET = "0200c0a89601 0200c0a8960c";
const IPV4 = "4500 0028 0001 4000 40 06 0000 c0a89664 c0a89601";
const OUTER = (length: string, protocol: string): string =>
  `4500 ${length} 0001 4000 3f ${protocol} 0000 c0a8960b c0a8960c`;
const tunnel = (facts: object): object => ({
  kind: "tunnel",
  source: "192.168.150.11",
  destination: "192.168.150.12",
  timeToLive: 63,
  port: undefined,
  inner: {
    kind: "tcp",
    source: "192.168.150.100:80",
    destination: "192.168.150.1:40000",
    timeToLive: 64,
  },
  ...facts,
});
const IPV6 = (nextHeader: string, payloadLength: string): string =>
  `6000 0000 ${payloadLength} ${nextHeader} 40 fd00 0150 0000 0000 0000 0000 0000 0100 fd00 0150 0000 0000 0000 0000 0000 0001`;
const ABOUT = "0000 0000 fd00 0150 0000 0000 0000 0000 0000 0100";
const TCP = "0050 9c40 00000001 00000002 5010 ffff 0000 0000";

// biome-ignore format: a table
const frames: readonly (readonly [name: string, bytes: string, content: object])[] = [
  ["a TCP segment",  `${ETHERNET} 0800 ${IPV4} ${TCP}`,
    { kind: "tcp", source: "192.168.150.100:80", destination: "192.168.150.1:40000", timeToLive: 64 }],
  ["an ARP reply",   `${ETHERNET} 0806 0001 0800 06 04 0002 0200c0a8960c c0a8960c 0200c0a89601 c0a89601`,
    { kind: "arp-reply", about: "192.168.150.12" }],
  ["an ARP request", `${ETHERNET} 0806 0001 0800 06 04 0001 0200c0a8960c c0a8960c 000000000000 c0a89601`,
    { kind: "other" }],
  ["a TCP segment that ends early", `${ETHERNET} 0800 ${IPV4} 0050`, { kind: "other" }],
  ["a TCP segment over IPv6", `${ETHERNET} 86dd ${IPV6("06", "0014")} ${TCP}`,
    { kind: "tcp", source: "[fd00:150::100]:80", destination: "[fd00:150::1]:40000", timeToLive: 64 }],
  ["a neighbour solicitation", `${ETHERNET} 86dd ${IPV6("3a", "0018")} 87 00 0000 ${ABOUT}`,
    { kind: "neighbour-solicitation", about: "fd00:150::100" }],
  ["a neighbour advertisement", `${ETHERNET} 86dd ${IPV6("3a", "0018")} 88 00 0000 ${ABOUT}`,
    { kind: "neighbour-advertisement", about: "fd00:150::100" }],
  ["a neighbour advertisement that ends early", `${ETHERNET} 86dd ${IPV6("3a", "0008")} 88 00 0000 0000 0000`,
    { kind: "other" }],
  ["a ping over IPv6", `${ETHERNET} 86dd ${IPV6("3a", "0018")} 80 00 0000 ${ABOUT}`, { kind: "other" }],
  ["IP in IP", `${ETHERNET} 0800 ${OUTER("003c", "04")} ${IPV4} ${TCP}`, tunnel({ encapsulation: "ipip" })],
  ["GRE",      `${ETHERNET} 0800 ${OUTER("0040", "2f")} 0000 0800 ${IPV4} ${TCP}`, tunnel({ encapsulation: "gre" })],
  ["GUE",      `${ETHERNET} 0800 ${OUTER("0048", "11")} 9c40 17c0 0034 0000 0004 0000 ${IPV4} ${TCP}`,
    tunnel({ encapsulation: "gue", port: 6080 })],
  ["UDP that carries something else", `${ETHERNET} 0800 ${OUTER("0020", "11")} 9c40 0035 000c 0000 ffff ffff`, { kind: "other" }],
  ["a tunnel that ends early", `${ETHERNET} 0800 ${OUTER("0028", "04")} ${IPV4}`, { kind: "other" }],
  ["fragmentation needed", `${ETHERNET} 0800 ${OUTER("0038", "01")} 03 04 0000 0000 05c8 ${IPV4} 0050 9c40 00000001`,
    { kind: "too-big", source: "192.168.150.11", destination: "192.168.150.12", mtu: 1480 }],
  ["a packet too big", `${ETHERNET} 86dd ${IPV6("3a", "0018")} 02 00 0000 0000 05b4 ${ABOUT.slice(10)}`,
    { kind: "too-big", source: "fd00:150::100", destination: "fd00:150::1", mtu: 1460 }],
  ["something else", `${ETHERNET} 86dd 60`, { kind: "other" }],
];

test.for(frames)("summarizes %s", ([, bytes, content]) => {
  expect(summarize(hex(bytes))).toEqual({
    ethernetSource: "02:00:c0:a8:96:0c",
    length: hex(bytes).length - 14,
    content,
  });
});

test("a frame that ends inside its header says nothing", () => {
  expect(summarize(hex("0200c0a89601"))).toBeUndefined();
});
