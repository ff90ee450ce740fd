/**
 * Worlds from seeds: services that change, clients that come and go, time that passes; and a model of connections that
 * is too simple to be wrong. A red run names its seed and step.
 */
import { expect, test } from "vitest";
import { DirectorBench } from "../../test/packets/director-bench.ts";
import { type Prng, prng } from "../base/prng.ts";
import { NO_CONNECTION } from "./connections/connection-table.ts";
import { CONNECTION_FLAG } from "./connections/flow.ts";
import type { Destination } from "./services/destination.ts";
import type { VirtualService } from "./services/virtual-service.ts";

const STEPS = 400;
const SERVERS = ["R1", "R2", "R3"];
/** What a connection's place in a table that fills up may be given to another in. */
const GIVING_WAY = new Set(["NONE", "SYN_SENT", "SYN_RECV", "SYNACK", "TIME_WAIT", "CLOSE"]);
const METHODS = ["-m", "-g", "-i", "-i --tun-type gre"];

/** More connections than a world has. */
const MANY = 1_000;

/** The dials, some of them turned all the way. */
function dials(random: Prng) {
  return {
    family: random.of(["inet", "inet6"] as const),
    scheduler: random.of([
      "rr",
      "wrr",
      "lc",
      "wlc",
      "sed",
      "nq",
      "sh",
      "mh",
      "lblc",
      "lblcr",
      "twos",
    ]),
    limit: random.of([5, MANY, MANY]),
    clients: random.of([1, 3, 30]),
    ports: random.of([1, 4]),
    persistence: random.of(["", "", " -p 30", " -p 300"]),
    expiresUnavailable: random.below(3) === 0,
    reuse: random.below(4),
    threshold: random.of(["", "", " -x 3", " -x 4 -y 2"]),
    changes: random.of([0, 5, 30]),
    pauses: random.of([1, 20]),
  };
}

/** A connection as the model knows it. */
interface Flow {
  readonly service: string;
  readonly server: string;
  readonly isMasqueraded: boolean;
  /** Seconds. */
  readonly until: number;
  readonly packets: number;
  /** A small table may have lost it. */
  readonly givesWay: boolean;
}

class World {
  readonly #random: Prng;
  readonly #dials: ReturnType<typeof dials>;
  readonly #bench: DirectorBench;
  readonly #services = ["-t V:80", "-u V:53"];
  /** Methods and weights of the servers that are configured, by service and server. */
  readonly #configured = new Map<string, { readonly method: string; readonly weight: number }>();
  readonly #flows = new Map<string, Flow>();
  readonly #destinations = new Set<Destination>();
  readonly #everyService = new Set<VirtualService>();
  #now = 0;
  forwarded = 0;

  constructor(seed: number) {
    this.#random = prng(seed);
    this.#dials = dials(this.#random);
    const { family, limit, expiresUnavailable, reuse } = this.#dials;
    this.#bench = new DirectorBench(family, { limit });
    this.#bench.play(`sysctl expire_nodest_conn=${expiresUnavailable ? 1 : 0}`);
    this.#bench.play(`sysctl conn_reuse_mode=${reuse}`);
    for (const service of this.#services) this.#addService(service);
  }

  step(): void {
    const { changes, pauses } = this.#dials;
    const chance = this.#random.below(100);
    if (chance < changes) this.#change();
    else if (chance < changes + pauses) this.#pause();
    else if (chance < changes + pauses + 15) this.#reply();
    else this.#request();
    this.#checkCounts();
  }

  /** Everything goes, and with it every count. */
  end(): void {
    for (const service of this.#services) this.#bench.play(`-D ${service}`);
    this.#bench.play("+2000");
    expect(this.#bench.director.connections.table.size).toBe(0);
    this.#checkCounts();
  }

  #addService(service: string): void {
    const { scheduler, persistence } = this.#dials;
    expect(this.#bench.play(`-A ${service} -s ${scheduler}${persistence}`)).toEqual([]);
    for (const server of SERVERS) this.#addServer(service, server);
  }

  #addServer(service: string, server: string): void {
    const method = this.#random.of(METHODS);
    const weight = 1 + this.#random.below(3);
    const command = `-a ${service} -r ${server} ${method} -w ${weight}${this.#dials.threshold}`;
    expect(this.#bench.play(command)).toEqual([]);
    this.#configured.set(`${service} ${server}`, { method, weight });
  }

  #change(): void {
    const service = this.#random.of(this.#services);
    const server = this.#random.of(SERVERS);
    const key = `${service} ${server}`;
    const present = this.#configured.get(key);
    if (this.#random.below(20) === 0) {
      this.#bench.play(`-D ${service}`);
      for (const each of SERVERS) this.#forget(service, each);
      this.#addService(service);
    } else if (present === undefined) {
      this.#addServer(service, server);
    } else if (this.#random.below(2) === 0) {
      this.#bench.play(`-d ${service} -r ${server}`);
      this.#forget(service, server);
    } else {
      const weight = this.#random.below(3);
      const method = this.#random.of(METHODS);
      const { threshold } = this.#dials;
      this.#bench.play(`-e ${service} -r ${server} ${method} -w ${weight}${threshold}`);
      this.#configured.set(key, { method, weight });
    }
  }

  #forget(service: string, server: string): void {
    this.#configured.delete(`${service} ${server}`);
    if (!this.#dials.expiresUnavailable) return;
    for (const [key, flow] of this.#flows) {
      if (flow.service === service && flow.server === server) this.#flows.delete(key);
    }
  }

  #pause(): void {
    const seconds = this.#random.of([1, 5, 61, 130, 301]);
    this.#bench.play(`+${seconds}`);
    this.#now += seconds;
  }

  #request(): void {
    const service = this.#random.of(this.#services);
    const isTcp = service.startsWith("-t");
    const client = clientAt(this.#dials.family, this.#random.below(this.#dials.clients));
    const end = `${client}:${1000 + this.#random.below(this.#dials.ports)}`;
    const kind = isTcp ? this.#random.of(["S", "S", ".", ".", "F.", "R"]) : "udp";
    const [output] = this.#bench.play(`${end} > ${service.slice(3)} ${kind}`);
    this.#judge(`${service} ${end}`, service, kind, output!);
  }

  /** What the model allows for a packet of the flow `key`. */
  #judge(key: string, service: string, kind: string, output: string): void {
    const known = this.#flows.get(key);
    const living = known !== undefined && known.until > this.#now ? known : undefined;
    const server = /^forward-(?:masquerade|route|tunnel) (\w+)/.exec(output)?.[1];
    if (server === undefined) {
      if (living !== undefined) this.#judgeLost(key, living, kind, output);
      return;
    }
    this.forwarded++;
    const isKept = living?.server === server;
    const mayHaveBegunAnew = living === undefined || this.#mayBeLost(living);
    // A connection's packets go to one server while it lives; only a client's new beginning may change that.
    if (!mayHaveBegunAnew && !isKept) expect(kind).toBe("S");
    if (living === undefined) expect(["S", "udp"]).toContain(kind);
    if (!isKept) this.#checkPick(service, server);
    const isMasqueraded = output.startsWith("forward-masquerade");
    if (isKept && kind !== "S" && !mayHaveBegunAnew)
      expect(isMasqueraded).toBe(living.isMasqueraded);
    const packets = isKept && !mayHaveBegunAnew ? living!.packets + 1 : 1;
    const { until, givesWay } = this.#fateIn(output, packets);
    this.#flows.set(key, { service, server, isMasqueraded, until, packets, givesWay });
  }

  /** What the connection's state, as the outcome tells it, means for it. */
  #fateIn(output: string, packets: number): Pick<Flow, "until" | "givesWay"> {
    const [, state, seconds] = /\[(\S+) (\d+) /.exec(output)!;
    const givesWay = GIVING_WAY.has(state!) || (state === "UDP" && packets < 2);
    return { until: this.#now + Number(seconds), givesWay };
  }

  #mayBeLost({ givesWay }: Flow): boolean {
    return givesWay && this.#dials.limit < MANY;
  }

  /** A packet of a living connection that did not go on. */
  #judgeLost(key: string, flow: Flow, kind: string, output: string): void {
    const { service, server } = flow;
    if (output.startsWith("drop-destination-removed")) {
      expect(this.#configured.has(`${service} ${server}`)).toBe(false);
      return;
    }
    if (this.#mayBeLost(flow)) {
      expect(output).toMatch(/^pass-not-first|^drop-/);
      this.#flows.delete(key);
      return;
    }
    // A new beginning that could not be scheduled: the old connection is over all the same.
    expect(kind).toBe("S");
    this.#flows.delete(key);
  }

  /** Where a new connection goes: to a configured server, of weight 0 only by persistence. */
  #checkPick(service: string, server: string): void {
    const configured = this.#configured.get(`${service} ${server}`);
    expect(configured).toBeDefined();
    if (this.#dials.persistence === "") expect(configured!.weight).toBeGreaterThan(0);
  }

  #reply(): void {
    const flows = [...this.#flows].filter(([, { isMasqueraded }]) => isMasqueraded);
    if (flows.length === 0) return;
    const [key, flow] = this.#random.of(flows);
    const [option, virtual, client] = key.split(" ") as [string, string, string];
    const kind = option === "-t" ? this.#random.of(["S.", ".", "F."]) : "udp";
    const port = virtual.split(":")[1]!;
    const [output] = this.#bench.play(`${flow.server}:${port} > ${client} ${kind}`);
    const isLiving = flow.until > this.#now;
    const isForwarded = output!.startsWith(`forward-reply`);
    if (!isLiving || !this.#mayBeLost(flow)) expect(isForwarded).toBe(isLiving);
    if (!isForwarded) {
      this.#flows.delete(key);
      return;
    }
    expect(output).toContain(` from ${virtual} `);
    this.#flows.set(key, { ...flow, ...this.#fateIn(output!, flow.packets) });
  }

  /** The counts of each destination against the table itself. */
  #checkCounts(): void {
    const { connections, services } = this.#bench.director;
    const { table } = connections;
    for (const service of services.services()) {
      this.#everyService.add(service);
      for (const each of service.destinations) this.#destinations.add(each);
    }
    const counts = new Map([...this.#destinations].map((each) => [each, [0, 0, 0]]));
    for (let id = table.nextId(NO_CONNECTION); id !== NO_CONNECTION; id = table.nextId(id)) {
      const flags = table.flags(id);
      const isTemplate = (flags & CONNECTION_FLAG.template) !== 0;
      const column = isTemplate ? 2 : (flags & CONNECTION_FLAG.inactive) !== 0 ? 1 : 0;
      const count = counts.get(services.destination(table.destinationId(id)))!;
      count[column] = count[column]! + 1;
    }
    for (const [each, count] of counts) {
      const { activeConnections, inactiveConnections, persistentConnections } = each;
      expect([activeConnections, inactiveConnections, persistentConnections]).toEqual(count);
    }
    expect(table.size).toBeLessThanOrEqual(this.#dials.limit);
    const held = [...this.#everyService].reduce((sum, { holding }) => sum + holding.entries, 0);
    expect(held).toBe(table.size);
  }
}

function clientAt(family: "inet" | "inet6", index: number): string {
  return family === "inet" ? `10.9.7.${index + 1}` : `[fd09::7:${index + 1}]`;
}

const seeds = Array.from({ length: 40 }, (_, seed) => seed);

test.for(seeds)("a simulated director keeps its promises, seed %i", (seed) => {
  const world = new World(seed);
  for (let step = 0; step < STEPS; step++) {
    try {
      world.step();
    } catch (error) {
      throw new Error(`seed ${seed}, step ${step}`, { cause: error });
    }
  }
  world.end();
});

test("the worlds are busy", () => {
  const worlds = seeds.slice(0, 10).map((seed) => new World(seed));
  for (const world of worlds) for (let step = 0; step < STEPS; step++) world.step();
  expect(worlds.reduce((sum, { forwarded }) => sum + forwarded, 0)).toBeGreaterThan(800);
});
