/**
 * `yardstick-process.ts INTERFACE ADDRESS SERVER [DEPARTURE [xdp]]`: what is for ADDRESS and comes by INTERFACE leaves by it again,
 * or by DEPARTURE, in a frame for SERVER, whose neighbour is known, by a program that does nothing else, at tc or in the driver,
 * until this process ends. Says "ready".
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { HOOK_POINTS } from "../src/engine/kernel/bpf-call.ts";
import { BpfObject, ProgramLink, updateElement } from "../src/engine/kernel/libbpf.ts";
import { Address } from "../src/net/address.ts";
import { type MacAddress, macBytes } from "../src/net/mac-address.ts";

/** struct way of yardstick.bpf.c. */
const WAY = { size: 20, departure: 12, address: 16 } as const;

const [name = "", address = "", server = "", departureName = name, hook = "tc"] =
  process.argv.slice(2);
const ip = (...words: string[]) => JSON.parse(execFileSync("ip", ["-j", ...words]).toString());

interface Device {
  readonly ifindex: number;
  readonly address: MacAddress;
}
const [own] = ip("link", "show", name) as Device[];
const [departure] = ip("link", "show", departureName) as Device[];
const [neighbour] = ip("neighbour", "show", server) as { lladdr: MacAddress }[];

const object = new BpfObject(readFileSync(new URL("yardstick.bpf.o", import.meta.url)), {});
const way = new Uint8Array(WAY.size);
const view = new DataView(way.buffer);
way.set(macBytes(neighbour!.lladdr));
way.set(macBytes(departure!.address), 6);
view.setUint32(WAY.departure, departure!.ifindex, true);
view.setInt32(WAY.address, Address.parse(address)!.w3);
updateElement(object.map("ways"), new Uint8Array(4), way);
const link = new ProgramLink(
  object.program(hook === "xdp" ? "forward_all_xdp" : "forward_all"),
  own!.ifindex,
  hook === "xdp" ? HOOK_POINTS.native : HOOK_POINTS.ingress,
  `run a program at ${name}`,
);
process.stdout.write("ready\n");
setInterval(() => link, 1 << 30);
