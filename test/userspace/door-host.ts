/**
 * The door in a process of its own, for tests: runs inside of a host's network namespace.
 *
 *     node test/userspace/door-host.ts [give-back]
 *
 * Says "ready", and then of each packet that comes a line: hook, mark, "df" or "-", time to live, length, source and
 * destination. With `give-back` it sends each packet back. A line of its standard input says what the door shall take,
 * `services=ADDRESS:PORT,… replies=… marks=7,…`, and is answered by "done". "lost" and "restored" are what the door
 * tells. Ends with its standard input.
 */
import { createInterface } from "node:readline";
import { Door } from "../../src/engine/userspace/door/door.ts";
import {
  type DoorEndpoint,
  type DoorMark,
  type DoorRules,
  NO_RULES,
} from "../../src/engine/userspace/door/door-rules.ts";
import {
  addTimeToLive,
  markOf,
  restore,
  wayOf,
} from "../../src/engine/userspace/door/lane-frame.ts";
import type { Mark } from "../../src/ipvs/desired/service.ts";
import { NO_ARRIVAL, Packet } from "../../src/ipvs/packets/packet.ts";
import { Address } from "../../src/net/address.ts";
import { ETHERNET_HEADER_LENGTH } from "../../src/net/ethernet.ts";
import { toPort } from "../../src/net/port.ts";

const givesBack = process.argv.includes("give-back");
const say = (text: string): unknown => process.stdout.write(`${text}\n`);

const door = await Door.open({
  warn: (message) => say(message.includes("for a moment") ? "lost" : message),
  inform: () => say("restored"),
});
const packet = new Packet();
const ring = door.listen({
  onFrame: ({ memory, start, end, offload }) => {
    const way = wayOf(memory.bytes, start);
    if (way === undefined) return;
    const at = start + ETHERNET_HEADER_LENGTH;
    restore(memory.bytes, at, way);
    if (packet.moveTo(memory.bytes, at, end, NO_ARRIVAL) !== undefined) return;
    const mark = markOf(memory.view, start);
    const dontFragment = packet.family === 4 && packet.ipv4.dontFragment ? "df" : "-";
    const { timeToLive, length, source, destination } = packet;
    const piece = packet.isFragment ? " fragment" : "";
    say(
      `${way.hook} mark ${mark} ${dontFragment} ttl ${timeToLive} length ${length} ${source} > ${destination}${piece}`,
    );
    if (!givesBack) return;
    if (way.hook === "forward") addTimeToLive(memory.bytes, at);
    door.back.send(memory, at, packet.end, mark, offload);
  },
  onBatchEnd: () => door.back.flush(),
});
say("ready");
let taken = NO_RULES;
for await (const line of createInterface({ input: process.stdin })) {
  const wanted = new Map(line.split(" ").map((word) => word.split("=") as [string, string]));
  const replies = endpoints(wanted.get("replies"));
  const rules: DoorRules = {
    services: endpoints(wanted.get("services")),
    replies,
    marks: (wanted.get("marks")?.split(",") ?? []).map(
      (mark): DoorMark => ({ family: "inet", mark: Number(mark) as Mark }),
    ),
    localReplies: endpoints(wanted.get("local")),
    ranges: [],
    localDirect: [],
  };
  await door.take(rules, taken);
  taken = rules;
  say("done");
}
ring[Symbol.dispose]();
await door[Symbol.asyncDispose]();

/** `10.0.0.1:80,[fd00::1]:80`, of TCP and of UDP; port 0 is any. */
function endpoints(text = ""): DoorEndpoint[] {
  return text
    .split(",")
    .filter((each) => each !== "")
    .flatMap((each) => {
      const [, address = "", port = "0"] = /^\[?(.*?)\]?:(\d+)$/.exec(each) ?? [];
      const number = Number(port) === 0 ? undefined : toPort(Number(port));
      return (["tcp", "udp"] as const).map((protocol) => ({
        protocol,
        address: Address.parse(address)!,
        port: number,
      }));
    });
}
