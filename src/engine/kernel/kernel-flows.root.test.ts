import { afterAll, beforeAll, expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import { Names } from "../../../test/packets/names.ts";
import { parsePacket } from "../../../test/packets/packet-text.ts";
import { TestHost } from "../../../test/packets/test-host.ts";
import { EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { Director } from "../../ipvs/director.ts";
import { MONOTONIC_CLOCK } from "../host/system/monotonic-clock.ts";
import { KernelFlows } from "./kernel-flows.ts";
import { TestRun } from "./libbpf.ts";

/** More than the ring of news has room for. */
const CONNECTIONS = 55_000;
const LIMIT = 131_072;
const ETHERNET_LENGTH = 14;
const FIRST_PORT = 1_024;
const IPV4_HEADER_LENGTH = 20;

const names = new Names("inet");
let flows: KernelFlows;
let director: Director;
let run: TestRun;

beforeAll(() => {
  flows = new KernelFlows({ connectionsMax: LIMIT, opensOnWire: true });
  const host = new TestHost(names);
  flows.addressesChanged((address) => host.isLocal(address));
  director = new Director({ host, limit: LIMIT, hashKey: [1, 2], offload: flows });
  run = new TestRun(256);
  const commands = ["-A -t V:80 -s rr", "-a -t V:80 -r R1 -m", "-a -t V:80 -r R2 -m"];
  director.apply(commands.reduce((now, text) => command(now, text, names), EMPTY_STATE));
});

afterAll(() => {
  run[Symbol.dispose]();
  flows[Symbol.dispose]();
});

function counts(): readonly (readonly [number, number])[] {
  const [service] = [...director.services.services()];
  return service!.destinations.map((each) => [each.activeConnections, each.inactiveConnections]);
}

test("news that found no room are made good: the table is the kernel's, and counts are the table's", () => {
  const packet = parsePacket("C:1000 > V:80 S", names);
  const frame = new Uint8Array(ETHERNET_LENGTH + packet.length);
  frame.set([0x08, 0x00], ETHERNET_LENGTH - 2);
  frame.set(packet, ETHERNET_LENGTH);
  const view = new DataView(frame.buffer);
  for (let index = 0; index < CONNECTIONS; index++) {
    view.setUint16(ETHERNET_LENGTH + IPV4_HEADER_LENGTH, FIRST_PORT + index);
    run.run(flows.programs.atCard, frame);
  }
  const { table } = director.connections;
  expect(table.size).toBe(0);
  expect(flows.reasons()).toMatchObject({ "kernel-opened": CONNECTIONS });
  expect(flows.reasons()["kernel-news-lost"]).toBeGreaterThan(0);
  director.connections.hear();
  expect(table.size).toBe(CONNECTIONS);
  // None of their packets was sent on, so each is in the state in which it began.
  expect(counts()).toEqual([
    [0, CONNECTIONS / 2],
    [0, CONNECTIONS / 2],
  ]);
  const later = MONOTONIC_CLOCK.now() + 10_000;
  while (director.expire(later as ReturnType<typeof MONOTONIC_CLOCK.now>, 10_000));
  expect(table.size).toBe(0);
  expect(counts()).toEqual([
    [0, 0],
    [0, 0],
  ]);
});
