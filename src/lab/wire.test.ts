import { expect, test } from "vitest";
import { summarize } from "./wire.ts";

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));

const ETHERNET = "0200c0a89601 0200c0a8960c";
const IPV4 = "4500 0028 0001 4000 40 06 0000 c0a89664 c0a89601";
const IPV6 = (nextHeader: string, payloadLength: string): string =>
  `6000 0000 ${payloadLength} ${nextHeader} 40 fd00 0150 0000 0000 0000 0000 0000 0100 fd00 0150 0000 0000 0000 0000 0000 0001`;
const ABOUT = "0000 0000 fd00 0150 0000 0000 0000 0000 0000 0100";
const TCP = "0050 9c40 00000001 00000002 5010 ffff 0000 0000";

// biome-ignore format: a table
const frames: readonly (readonly [name: string, bytes: string, content: object])[] = [
  ["a TCP segment",  `${ETHERNET} 0800 ${IPV4} ${TCP}`,
    { kind: "tcp", source: "192.168.150.100:80", destination: "192.168.150.1:40000" }],
  ["an ARP reply",   `${ETHERNET} 0806 0001 0800 06 04 0002 0200c0a8960c c0a8960c 0200c0a89601 c0a89601`,
    { kind: "arp-reply", about: "192.168.150.12" }],
  ["an ARP request", `${ETHERNET} 0806 0001 0800 06 04 0001 0200c0a8960c c0a8960c 000000000000 c0a89601`,
    { kind: "other" }],
  ["a TCP segment that ends early", `${ETHERNET} 0800 ${IPV4} 0050`, { kind: "other" }],
  ["a TCP segment over IPv6", `${ETHERNET} 86dd ${IPV6("06", "0014")} ${TCP}`,
    { kind: "tcp", source: "[fd00:150::100]:80", destination: "[fd00:150::1]:40000" }],
  ["a neighbour solicitation", `${ETHERNET} 86dd ${IPV6("3a", "0018")} 87 00 0000 ${ABOUT}`,
    { kind: "neighbour-solicitation", about: "fd00:150::100" }],
  ["a neighbour advertisement", `${ETHERNET} 86dd ${IPV6("3a", "0018")} 88 00 0000 ${ABOUT}`,
    { kind: "neighbour-advertisement", about: "fd00:150::100" }],
  ["a neighbour advertisement that ends early", `${ETHERNET} 86dd ${IPV6("3a", "0008")} 88 00 0000 0000 0000`,
    { kind: "other" }],
  ["a ping over IPv6", `${ETHERNET} 86dd ${IPV6("3a", "0018")} 80 00 0000 ${ABOUT}`, { kind: "other" }],
  ["something else", `${ETHERNET} 86dd 60`, { kind: "other" }],
];

test.for(frames)("summarizes %s", ([, bytes, content]) => {
  expect(summarize(hex(bytes))).toEqual({ ethernetSource: "02:00:c0:a8:96:0c", content });
});

test("a frame that ends inside its header says nothing", () => {
  expect(summarize(hex("0200c0a89601"))).toBeUndefined();
});
