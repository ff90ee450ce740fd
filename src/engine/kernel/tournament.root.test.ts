import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { frameOf, sendSegments } from "../../../test/kernels/sender.ts";
import { command } from "../../../test/packets/commands.ts";
import { Names } from "../../../test/packets/names.ts";
import { TestHost } from "../../../test/packets/test-host.ts";
import { CONNECTION_FLAG } from "../../ipvs/connections/flow.ts";
import { type DesiredState, EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { Director } from "../../ipvs/director.ts";
import { SCHEDULERS, type SchedulerName } from "../../ipvs/schedulers/index.ts";
import type { Request, Scheduler, SchedulerOptions } from "../../ipvs/schedulers/scheduler.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import type { VirtualService } from "../../ipvs/services/virtual-service.ts";
import { MONOTONIC_CLOCK } from "../host/system/monotonic-clock.ts";
import { KernelFlows } from "./kernel-flows.ts";
import { TestRun } from "./libbpf.ts";

const LIMIT = 65_536;
const SENDER = new URL("../../../test/kernels/sender.ts", import.meta.url).pathname;
const LINK_ADDRESSES = Uint8Array.of(2, 0, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0x11);
const REQUEST: Request = {
  clientFold: 1,
  clientPort: 1,
  destinationFold: 1,
  destinationText: "",
  now: 0,
};
const names = new Names("inet");

function stateOf(commands: readonly string[]): DesiredState {
  return commands.reduce((now, text) => command(now, text, names), EMPTY_STATE);
}

/** A director behind the programs, as at a card. */
class Stage implements Disposable {
  readonly flows = new KernelFlows({ connectionsMax: LIMIT, opensOnWire: true });
  readonly director: Director;

  constructor() {
    const host = new TestHost(names);
    this.flows.addressesChanged((address) => host.isLocal(address));
    this.director = new Director({ host, limit: LIMIT, hashKey: [1, 2], offload: this.flows });
  }

  get service(): VirtualService {
    return [...this.director.services.services()][0]!;
  }

  apply(state: DesiredState): void {
    this.director.apply(state);
    for (const { destinations } of this.director.services.services()) {
      for (const each of destinations) {
        const { address } = each;
        const route = { interfaceIndex: 2, nextHop: address, source: address, mtu: 1500 };
        this.flows.tellWay(each, route, LINK_ADDRESSES);
      }
    }
  }

  /** What the director's table has, by destination. */
  counted(): Map<Destination, [active: number, inactive: number]> {
    const { table } = this.director.connections;
    const counts = new Map(
      this.service.destinations.map((each) => [each, [0, 0] as [number, number]]),
    );
    for (let id = table.nextId(-1); id >= 0; id = table.nextId(id)) {
      const count = counts.get(this.director.services.destination(table.destinationId(id)))!;
      count[(table.flags(id) & CONNECTION_FLAG.inactive) === 0 ? 0 : 1]++;
    }
    return counts;
  }

  [Symbol.dispose](): void {
    this.flows[Symbol.dispose]();
  }
}

let stage: Stage;

beforeAll(() => {
  stage = new Stage();
});

afterAll(() => stage[Symbol.dispose]());

/** By a look through the whole list. */
function fullScan(name: SchedulerName): Scheduler<Destination> {
  return SCHEDULERS[name]<Destination>({} as SchedulerOptions);
}

/** Opens so many connections here, and as many beside it in a process of its own. */
async function openFromTwo(program: number, count: number): Promise<void> {
  const args = [
    "--disable-warning=ExperimentalWarning",
    SENDER,
    "3",
    `${20_000 + count}`,
    `${count}`,
  ];
  const beside = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit", program] });
  await once(beside.stdout!, "data");
  sendSegments(program, 20_000, count);
  if (beside.exitCode === null) await once(beside, "exit");
  expect(beside.exitCode).toBe(0);
}

const SCHEDULERS_BY_LOAD: SchedulerName[] = ["wlc", "lc", "sed", "nq", "ovf"];

test.for(SCHEDULERS_BY_LOAD)(
  "with two processors counts are the table's, and the tree has whom a full look finds: %s",
  async (name) => {
    const servers = Array.from({ length: 21 }, (_, index) => {
      const limit = index % 5 === 0 ? "-x 60 -y 40" : "";
      return `-a -t V:80 -r 10.1.1.${1 + index} -g -w ${index % 7} ${limit}`;
    });
    stage.apply(EMPTY_STATE);
    stage.apply(stateOf([`-A -t V:80 -s ${name}`, ...servers]));
    const { flows, director, service } = stage;
    await openFromTwo(flows.programs.atCard, 1_000);
    director.connections.hear();
    const counted = stage.counted();
    for (const each of service.destinations) {
      expect([each.activeConnections, each.inactiveConnections]).toEqual(counted.get(each));
    }
    // With ovf that is as many as there is room for.
    expect(director.connections.table.size).toBeGreaterThan(100);
    // Whoever is picked gets the next connection, so that others are, and all of the tree is seen.
    using run = new TestRun(256);
    for (let port = 1_024; port < 1_324; port++) {
      const expected = fullScan(name).pick(REQUEST, service.destinations);
      expect(service.scheduler.pick(REQUEST, service.destinations)).toBe(expected);
      const before = expected?.connections ?? 0;
      const flags = port % 2 === 0 ? "." : "F.";
      run.run(flows.programs.atCard, frameOf(`C2:${port} > V:80 S`, names));
      expect(expected?.connections ?? 0).toBe(expected === undefined ? 0 : before + 1);
      run.run(flows.programs.atCard, frameOf(`C2:${port} > V:80 ${flags}`, names));
    }
    // They end, and the director counts them off.
    director.connections.hear();
    const later = MONOTONIC_CLOCK.now() + 1_000_000;
    while (director.expire(later as ReturnType<typeof MONOTONIC_CLOCK.now>, 10_000));
    expect(service.destinations.every(({ connections }) => connections === 0)).toBe(true);
    expect(service.scheduler.pick(REQUEST, service.destinations)).toBe(
      fullScan(name).pick(REQUEST, service.destinations),
    );
  },
);

/** Weights edited among many, and servers that come and go: who is picked is whom a scheduler of the director's own picks. */
test.for(["rr", "wrr", "fo", "twos"] as const)(
  "turns are those of a full look, through edits: %s",
  (name) => {
    stage.apply(EMPTY_STATE);
    const model = new Director({ host: new TestHost(names), limit: LIMIT, hashKey: [1, 2] });
    let state = stateOf([`-A -t V:80 -s ${name}`]);
    let draw = 12_345;
    const below = (bound: number): number => {
      draw = (Math.imul(draw, 1_103_515_245) + 12_345) >>> 0;
      return (draw >>> 8) % bound;
    };
    const server = (): string => `-t V:80 -r 10.1.1.${1 + below(40)}`;
    for (let round = 0; round < 400; round++) {
      const kind = ["-a", "-a", "-d", "-e"][below(4)]!;
      const text = kind === "-d" ? `-d ${server()}` : `${kind} ${server()} -g -w ${below(6)}`;
      try {
        state = command(state, text, names);
      } catch {
        // It is there already, or is not.
      }
      stage.apply(state);
      model.apply(state);
      const [other] = [...model.services.services()];
      for (let turn = 0; turn < 5; turn++) {
        const picked = stage.service.scheduler.pick(REQUEST, stage.service.destinations);
        const expected = other!.scheduler.pick(REQUEST, other!.destinations);
        expect(picked?.address.toString()).toBe(expected?.address.toString());
      }
    }
  },
);

test("where there is no room for another list weights are edited all the same, and servers come and go", () => {
  // Of the 1,048,576 words that there are for lists each of mh's takes 4,096, of sh's 256.
  const filling = Array.from({ length: 272 }, (_, index) => [
    `-A -t 10.9.2.1:${1 + index} -s ${index < 256 ? "mh" : "sh"}`,
    `-a -t 10.9.2.1:${1 + index} -r R1`,
  ]).flat();
  const services = ["-t V:80", "-t V2:443"].flatMap((service, index) => [
    `-A ${service} -s ${["sh", "wlc"][index]}`,
    ...["R1", "R2"].map((server) => `-a ${service} -r ${server}`),
  ]);
  const model = new Director({ host: new TestHost(names), limit: LIMIT, hashKey: [1, 2] });
  stage.apply(EMPTY_STATE);
  let state = stateOf([...services, ...filling]);
  stage.apply(state);
  const edits = ["-e -t V:80 -r R1 -w 5", "-e -t V:80 -r R2 -w 3", "-e -t V2:443 -r R1 -w 0"];
  const others = ["-a -t V2:443 -r R3", "-d -t V2:443 -r R2", "-d -t V:80 -r R1"];
  for (const text of [...edits, ...others]) {
    state = command(state, text, names);
    stage.apply(state);
    model.apply(state);
    for (const [index, service] of [...model.services.services()].slice(0, 2).entries()) {
      const ours = [...stage.director.services.services()][index]!;
      for (let clientFold = 0; clientFold < 64; clientFold++) {
        const request = { ...REQUEST, clientFold };
        expect(ours.scheduler.pick(request, ours.destinations)?.address.toString()).toBe(
          service.scheduler.pick(request, service.destinations)?.address.toString(),
        );
      }
    }
  }
});
