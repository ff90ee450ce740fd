import { expect, test } from "vitest";
import { summarize } from "./wire.ts";

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));

const ETHERNET = "0200c0a89601 0200c0a8960c";
const IPV4 = "4500 0028 0001 4000 40 06 0000 c0a89664 c0a89601";
const TCP = "0050 9c40 00000001 00000002 5010 ffff 0000 0000";

// biome-ignore format: a table
const frames: readonly (readonly [name: string, bytes: string, content: object])[] = [
  ["a TCP segment",  `${ETHERNET} 0800 ${IPV4} ${TCP}`,
    { kind: "tcp", source: "192.168.150.100:80", destination: "192.168.150.1:40000" }],
  ["an ARP reply",   `${ETHERNET} 0806 0001 0800 06 04 0002 0200c0a8960c c0a8960c 0200c0a89601 c0a89601`,
    { kind: "arp-reply", sender: "192.168.150.12" }],
  ["an ARP request", `${ETHERNET} 0806 0001 0800 06 04 0001 0200c0a8960c c0a8960c 000000000000 c0a89601`,
    { kind: "other" }],
  ["a TCP segment that ends early", `${ETHERNET} 0800 ${IPV4} 0050`, { kind: "other" }],
  ["something else", `${ETHERNET} 86dd 60`, { kind: "other" }],
];

test.for(frames)("summarizes %s", ([, bytes, content]) => {
  expect(summarize(hex(bytes))).toEqual({ ethernetSource: "02:00:c0:a8:96:0c", content });
});

test("a frame that ends inside its header says nothing", () => {
  expect(summarize(hex("0200c0a89601"))).toBeUndefined();
});
