import { afterAll, beforeAll, expect, test } from "vitest";
import { command } from "../../../test/packets/commands.ts";
import { Names } from "../../../test/packets/names.ts";
import { parsePacket } from "../../../test/packets/packet-text.ts";
import { TestHost } from "../../../test/packets/test-host.ts";
import { EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { Director } from "../../ipvs/director.ts";
import { KernelFlows } from "./kernel-flows.ts";
import { SERVICES_MAX } from "./kernel-maps.ts";
import { TestRun } from "./libbpf.ts";

/** Of one of the services; all others have one. */
const DESTINATIONS = 1_024;
const LIMIT = 16_384;
const ETHERNET_LENGTH = 14;
const PORTS_AT = ETHERNET_LENGTH + 20;
const FIRST_PORT = 1_024;
const LARGE_PORT = 80;

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
  const commands = [`-A -t V:${LARGE_PORT} -s wlc`];
  for (let port = 1; port <= DESTINATIONS; port++) {
    commands.push(`-a -t V:${LARGE_PORT} -r R1:${port} -m`);
  }
  for (let index = 1; index < SERVICES_MAX; index++) {
    const service = `-t V:${FIRST_PORT + index}`;
    commands.push(`-A ${service} -s rr`, `-a ${service} -r R2 -m`);
  }
  director.apply(commands.reduce((now, text) => command(now, text, names), EMPTY_STATE));
});

afterAll(() => {
  run[Symbol.dispose]();
  flows[Symbol.dispose]();
});

test("4,096 services, one of them with 1,024 destinations: each gets its connection from the programs", () => {
  const packet = parsePacket("C:1000 > V:80 S", names);
  const frame = new Uint8Array(ETHERNET_LENGTH + packet.length);
  frame.set([0x08, 0x00], ETHERNET_LENGTH - 2);
  frame.set(packet, ETHERNET_LENGTH);
  const view = new DataView(frame.buffer);
  const open = (clientPort: number, servicePort: number): void => {
    view.setUint16(PORTS_AT, clientPort);
    view.setUint16(PORTS_AT + 2, servicePort);
    run.run(flows.programs.atCard, frame);
  };
  for (let index = 0; index < DESTINATIONS; index++) open(FIRST_PORT + index, LARGE_PORT);
  for (let index = 1; index < SERVICES_MAX; index++) open(FIRST_PORT, FIRST_PORT + index);
  expect(flows.reasons()["kernel-opened"]).toBe(DESTINATIONS + SERVICES_MAX - 1);
  director.connections.hear();
  const counts = [...director.services.services()].flatMap((service) =>
    service.destinations.map((each) => each.activeConnections + each.inactiveConnections),
  );
  expect(counts).toHaveLength(DESTINATIONS + SERVICES_MAX - 1);
  expect(new Set(counts)).toEqual(new Set([1]));
});
