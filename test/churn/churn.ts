/**
 * Connections that come and go from all processors at once, through the kernel engine's programs, while the director hears of
 * them and ends those whose time is over: what is counted in the end, and what there is.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmdirSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Instant } from "../../src/base/clock.ts";
import { MONOTONIC_CLOCK } from "../../src/engine/host/system/monotonic-clock.ts";
import { KernelFlows } from "../../src/engine/kernel/kernel-flows.ts";
import { Pins } from "../../src/engine/kernel/pins.ts";
import { NO_CONNECTION } from "../../src/ipvs/connections/connection-table.ts";
import { CONNECTION_FLAG } from "../../src/ipvs/connections/flow.ts";
import { WAY, wayOf } from "../../src/ipvs/defence/holding.ts";
import { EMPTY_STATE, setTimeouts } from "../../src/ipvs/desired/desired-state.ts";
import { Director } from "../../src/ipvs/director.ts";
import { command } from "../packets/commands.ts";
import { Names } from "../packets/names.ts";
import { TestHost } from "../packets/test-host.ts";

const CHURNER = new URL("./churner.ts", import.meta.url).pathname;
const LIMIT = 262_144;
const LINK_ADDRESSES = Uint8Array.of(2, 0, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0x11);
const PAUSE_MS = 5;
const BUDGET = 5_000;
/** As if it were so much later: what is over by then comes to its end while packets flow. */
const LATER_MS = 20_000;
/** Longer than any connection lives. */
const AFTERWARDS_MS = 10_000_000;
const SERVICES = [
  "-A -t V:80 -s wlc",
  "-a -t V:80 -r R1 -m",
  "-a -t V:80 -r R2 -g -w 3",
  "-A -t V2:443 -s rr",
  "-a -t V2:443 -r R2 -m",
  "-a -t V2:443 -r R3 -g",
  "-A -u V:53 -s lc",
  "-a -u V:53 -r R1 -m",
  "-a -u V:53 -r R3 -g",
];

/** Of each destination, and how many connections have not come about. */
export interface Counts {
  readonly destinations: readonly (readonly [active: number, inactive: number])[];
  readonly halfOpen: number;
}

export interface Churned {
  /** By the programs. */
  readonly opened: number;
  readonly counted: Counts;
  /** The same of what the director's table has. */
  readonly present: Counts;
  /** When all have ended. */
  readonly idle: Counts;
}

export async function churn(connections: number): Promise<Churned> {
  const place = mkdtempSync(join(tmpdir(), "sluice-churn-"));
  execFileSync("mount", ["-t", "bpf", "bpf", place]);
  try {
    return await churnAt(place, connections);
  } finally {
    execFileSync("umount", [place]);
    rmdirSync(place);
  }
}

async function churnAt(place: string, connections: number): Promise<Churned> {
  const pins = new Pins(place);
  const say = (): void => {};
  const outliving = { pins, adopts: false, inform: say, warn: say };
  using flows = new KernelFlows({ connectionsMax: LIMIT, opensOnWire: true, outliving });
  const director = directorBehind(flows);
  const processors = availableParallelism();
  const share = Math.ceil(connections / processors);
  const children = Array.from({ length: processors }, (_, processor) => {
    const words = [process.execPath, "--disable-warning=ExperimentalWarning", CHURNER];
    const asked = [pins.folder, `${processor + 1}`, `${share}`];
    return spawn("taskset", ["-c", `${processor}`, ...words, ...asked], { stdio: "inherit" });
  });
  const ends = Promise.all(children.map(async (child) => (await once(child, "exit"))[0]));
  let isOver = false;
  ends.then(() => (isOver = true)).catch(() => {});
  while (!isOver) {
    director.connections.hear();
    director.expire(later(LATER_MS), BUDGET);
    await sleep(PAUSE_MS);
  }
  const codes = await ends;
  if (codes.some((code) => code !== 0)) throw new Error(`A churner ended with ${codes.join()}`);
  director.connections.hear();
  const opened = flows.reasons()["kernel-opened"] ?? 0;
  const counted = countsOf(director, flows);
  const present = presentIn(director);
  while (director.expire(later(AFTERWARDS_MS), BUDGET));
  return { opened, counted, present, idle: countsOf(director, flows) };
}

function later(ms: number): Instant {
  return (MONOTONIC_CLOCK.now() + ms) as Instant;
}

/** With ways to all servers, so that the programs send packets on, and states move. */
function directorBehind(flows: KernelFlows): Director {
  const names = new Names("inet");
  const host = new TestHost(names);
  flows.addressesChanged((address) => host.isLocal(address));
  const director = new Director({ host, limit: LIMIT, hashKey: [1, 2], offload: flows });
  const services = SERVICES.reduce((now, text) => command(now, text, names), EMPTY_STATE);
  director.apply(setTimeouts(services, { tcp: 0, tcpFin: 10, udp: 10 }));
  for (const { destinations } of director.services.services()) {
    for (const destination of destinations) {
      const route = destination.route(host);
      if (typeof route === "string") throw new Error(`${destination.address}: ${route}`);
      flows.tellWay(destination, route, LINK_ADDRESSES);
    }
  }
  return director;
}

function countsOf(director: Director, flows: KernelFlows): Counts {
  const destinations = [...director.services.services()].flatMap((service) =>
    service.destinations.map((each) => [each.activeConnections, each.inactiveConnections] as const),
  );
  return { destinations, halfOpen: flows.halfOpen };
}

function presentIn({ services, connections: { table } }: Director): Counts {
  const all = [...services.services()].flatMap((service) => service.destinations);
  const counts = new Map(all.map(({ id }) => [id, [0, 0] as [number, number]]));
  let halfOpen = 0;
  for (let id = table.nextId(NO_CONNECTION); id !== NO_CONNECTION; id = table.nextId(id)) {
    const isInactive = (table.flags(id) & CONNECTION_FLAG.inactive) !== 0;
    counts.get(table.destinationId(id))![isInactive ? 1 : 0]++;
    // What the director is told of last is the state; of datagrams it is not told again.
    table.catchUp(id);
    const way = wayOf(table.protocol(id), table.state(id), table.inPackets(id));
    if (way === WAY.halfOpen) halfOpen++;
  }
  return { destinations: [...counts.values()], halfOpen };
}
