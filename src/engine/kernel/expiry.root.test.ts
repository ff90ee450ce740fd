/** Connections end in the kernel while no daemon looks after their time. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import { Names } from "../../../test/packets/names.ts";
import { parsePacket } from "../../../test/packets/packet-text.ts";
import { TestHost } from "../../../test/packets/test-host.ts";
import type { Instant } from "../../base/clock.ts";
import { EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { Director } from "../../ipvs/director.ts";
import { MONOTONIC_CLOCK } from "../host/system/monotonic-clock.ts";
import { KernelFlows } from "./kernel-flows.ts";
import { TestRun } from "./libbpf.ts";

const CONNECTIONS = 500;
const LIMIT = 2_000;
const ETHERNET_LENGTH = 14;
const PORT_AT = ETHERNET_LENGTH + 20;
const FIRST_PORT = 1_024;
const LINK_ADDRESSES = Uint8Array.of(2, 0, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0x11);
const POLLED = { timeout: 60_000, interval: 100 };
const BUDGET = 10_000;

const names = new Names("inet");
let host: TestHost;
let flows: KernelFlows;
let director: Director;
let run: TestRun;

beforeEach(() => {
  flows = new KernelFlows({ connectionsMax: LIMIT, opensOnWire: true });
  host = new TestHost(names);
  flows.addressesChanged((address) => host.isLocal(address));
  director = new Director({ host, limit: LIMIT, hashKey: [1, 2], offload: flows });
  run = new TestRun(256);
  const commands = ["-A -t V:80 -s rr", "-a -t V:80 -r R1 -m", "-a -t V:80 -r R2 -m"];
  director.apply(commands.reduce((now, text) => command(now, text, names), EMPTY_STATE));
});

afterEach(() => {
  run[Symbol.dispose]();
  flows[Symbol.dispose]();
});

const destinations = () => [...director.services.services()][0]!.destinations;
const counts = () =>
  destinations().map((each) => [each.activeConnections, each.inactiveConnections]);
const expired = () => flows.reasons()["kernel-expired"];

/** The way to a server is known: what opens a connection is sent on, and moves its state on. */
function tellWay(index: number): void {
  const destination = destinations()[index]!;
  const route = destination.route(host);
  if (typeof route === "string") throw new Error(route);
  flows.tellWay(destination, route, LINK_ADDRESSES);
}

function open(count: number, firstPort: number): void {
  const packet = parsePacket("C:1000 > V:80 S", names);
  const frame = new Uint8Array(ETHERNET_LENGTH + packet.length);
  frame.set([0x08, 0x00], ETHERNET_LENGTH - 2);
  frame.set(packet, ETHERNET_LENGTH);
  const view = new DataView(frame.buffer);
  for (let index = 0; index < count; index++) {
    view.setUint16(PORT_AT, firstPort + index);
    run.run(flows.programs.atCard, frame);
  }
}

test("what is over ends, and counts no more; what is not stays, and the director agrees afterwards", async () => {
  // To one server packets go, and its connections have a minute; the other's are as new as they were.
  tellWay(0);
  open(CONNECTIONS, FIRST_PORT);
  director.connections.hear();
  expect(director.connections.table.size).toBe(CONNECTIONS);
  const half = CONNECTIONS / 2;
  const [going] = counts();
  expect(going).toEqual([half, 0]);
  flows.attend(0);
  await expect.poll(expired, POLLED).toBe(half);
  expect(counts()).toEqual([going, [0, 0]]);
  // The director has them still. Their time is over there, too, and they do not count twice.
  while (director.expire(MONOTONIC_CLOCK.now(), BUDGET));
  expect(director.connections.table.size).toBe(half);
  expect(counts()).toEqual([going, [0, 0]]);
  // Their places are free for others.
  open(CONNECTIONS, FIRST_PORT + CONNECTIONS);
  director.connections.hear();
  expect(director.connections.table.size).toBe(half + CONNECTIONS);
  while (director.expire((MONOTONIC_CLOCK.now() + 70_000) as Instant, BUDGET));
  expect(counts()).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

test("what the director has itself is its own to end", async () => {
  open(2, FIRST_PORT);
  director.connections.hear();
  const { table } = director.connections;
  const id = table.nextId(-1);
  expect(flows.take(table, id)).toBe(true);
  flows.attend(0);
  await expect.poll(expired, POLLED).toBe(1);
  expect(counts().flat()).toContain(1);
  while (director.expire((MONOTONIC_CLOCK.now() + 10_000) as Instant, BUDGET));
  expect(counts().flat()).toEqual([0, 0, 0, 0]);
});

test("while somebody looks, nothing ends by itself", async () => {
  open(2, FIRST_PORT);
  const looking = setInterval(() => flows.attend(), 50);
  const over = MONOTONIC_CLOCK.now() + 4_500;
  await expect.poll(() => MONOTONIC_CLOCK.now() > over, POLLED).toBe(true);
  clearInterval(looking);
  expect(expired()).toBe(0);
});
