/**
 * A host whose packets for some endpoints are taken away, for tests: runs inside of a network namespace.
 *
 *     node test/userspace/guarded-host.ts hand-back|keep
 *
 * Each line of its standard input is "guard TCP-ENDPOINTS" or "replies TCP-ENDPOINTS", endpoints as `10.0.0.1:80` between
 * commas (port 0 is any), and is answered by "done" or by the error. What is taken away is handed back to the host's own
 * stack by the lane, or not. Says "lost" and "restored" when nft ends, and "taken N" when it is told "count".
 */
import { createInterface } from "node:readline";
import type { GuardEndpoint } from "../../src/engine/userspace/guard-rules.ts";
import { GuardMatcher, NO_RULES } from "../../src/engine/userspace/guard-rules.ts";
import { HostGuard } from "../../src/engine/userspace/host-guard.ts";
import { HostLane, LANE_EXIT } from "../../src/engine/userspace/host-lane.ts";
import { PacketRing } from "../../src/engine/userspace/packet-ring.ts";
import { Transmitter } from "../../src/engine/userspace/transmitter.ts";
import { Packet } from "../../src/ipvs/packet.ts";
import { Address } from "../../src/net/address.ts";
import { ETHERNET_HEADER_LENGTH } from "../../src/net/ethernet.ts";
import { toPort } from "../../src/net/port.ts";

const handsBack = process.argv[2] === "hand-back";
const packet = new Packet();
const arrival = {
  interfaceIndex: 0,
  isUnicast: true,
  mark: 0,
  segmentSize: 0,
  isChecksumPartial: false,
  headroom: 0,
  hook: "wire" as const,
};
let matcher = new GuardMatcher(NO_RULES);
let rules = { ...NO_RULES, exemptInterfaces: [LANE_EXIT] };
let taken = 0;

const guard = await HostGuard.open({
  onLost: () => say("lost"),
  onRestored: () => say("restored"),
});
const lane = new HostLane();
const transmitter = new Transmitter();
const ring = new PacketRing({
  filter: { ignoredInterfaces: [lane.entryIndex, lane.exitIndex], addresses: undefined },
  blocks: 4,
  onFrame: ({ memory, start, end, offload }) => {
    if (packet.moveTo(memory.bytes, start + ETHERNET_HEADER_LENGTH, end, arrival)) return;
    if (!matcher.takes(packet, () => true)) return;
    taken++;
    if (!handsBack) return;
    lane.writeHeader(memory.bytes, start + ETHERNET_HEADER_LENGTH);
    transmitter.enqueue(memory, start, end, lane.entryIndex, offload);
  },
  onBatchEnd: () => transmitter.flush(),
});
say("ready");

for await (const line of createInterface({ input: process.stdin })) {
  const [word, list = ""] = line.split(" ");
  if (word === "count") {
    say(`taken ${taken}`);
    continue;
  }
  const endpoints = list.split(",").filter(Boolean).map(endpointOf);
  rules = { ...rules, [word === "guard" ? "services" : "replies"]: endpoints };
  try {
    await guard.update(rules);
    matcher = new GuardMatcher(rules);
    say("done");
  } catch (error) {
    say(String(error));
  }
}
ring[Symbol.dispose]();
lane[Symbol.dispose]();
transmitter[Symbol.dispose]();
await guard[Symbol.asyncDispose]();

function endpointOf(text: string): GuardEndpoint {
  const colon = text.lastIndexOf(":");
  const address = Address.parse(text.slice(0, colon).replace(/^\[|\]$/g, ""))!;
  const port = Number(text.slice(colon + 1));
  return { protocol: "tcp", address, port: port === 0 ? undefined : toPort(port) };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
