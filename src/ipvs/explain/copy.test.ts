/** A packet that is tried in a copy fares as it then does: in worlds from seeds, and on each row of test/packets. */
import { expect, test } from "vitest";
import { DirectorBench, type Foreseen } from "../../../test/packets/director-bench.ts";
import type { TestHost } from "../../../test/packets/test-host.ts";
import type { Instant } from "../../base/clock.ts";
import { type Prng, prng } from "../../base/prng.ts";
import type { Director } from "../director.ts";
import type { Packet } from "../packets/packet.ts";
import { copyFor } from "./copy.ts";
import { packetCopy } from "./explain.ts";

const STEPS = 300;
const SERVICES = ["-t V:80", "-u V:53"];
const SERVERS = ["R1", "R2", "R3"];
const METHODS = ["-m", "-g", "-i"];
// biome-ignore format: a table
const SCHEDULERS = ["rr", "wrr", "lc", "wlc", "sed", "nq", "sh", "dh", "mh", "lblc", "lblcr", "fo", "ovf", "twos", "none"];

/** Tries each packet before the director gets it, and compares. */
class Foresight {
  count = 0;

  readonly foresee = (
    director: Director,
    packet: Packet,
    host: TestHost,
    now: Instant,
  ): Foreseen => {
    const tried = packetCopy(packet);
    const said = copyFor(director, tried, host, now).director.receive(tried, now);
    return (outcome, words) => {
      this.count++;
      // A one-packet connection is gone, and ids are each director's own.
      expect(words(said)).toBe(words(outcome));
      expect(said.route).toEqual(outcome.route);
    };
  };
}

function dials(random: Prng, seed: number) {
  return {
    family: random.of(["inet", "inet6"] as const),
    scheduler: SCHEDULERS[seed % SCHEDULERS.length]!,
    persistence: random.of(["", "", " -p 30", " -p 300 -M 255.255.255.0"]),
    onePacket: random.of(["", "", " -o"]),
    threshold: random.of(["", " -x 3", " -x 4 -y 2"]),
    sysctls: random.of([
      [],
      ["sysctl expire_nodest_conn=1"],
      ["sysctl expire_quiescent_template=1"],
      ["sysctl conn_reuse_mode=0"],
    ]),
  };
}

function play(seed: number): number {
  const random = prng(seed);
  const { family, scheduler, persistence, onePacket, threshold, sysctls } = dials(random, seed);
  const foresight = new Foresight();
  const bench = new DirectorBench(family, { foresee: foresight.foresee });
  const mask = family === "inet" ? persistence : persistence.replace("255.255.255.0", "64");
  for (const service of SERVICES) {
    const once = service.startsWith("-u") ? onePacket : "";
    bench.play(`-A ${service} -s ${scheduler}${mask}${once}`);
    for (const server of SERVERS) bench.play(`-a ${service} -r ${server} ${random.of(METHODS)}`);
  }
  for (const row of sysctls) bench.play(row);
  for (let step = 0; step < STEPS; step++) {
    const service = random.of(SERVICES);
    const server = random.of(SERVERS);
    switch (random.below(12)) {
      case 0:
        bench.play(
          `-e ${service} -r ${server} ${random.of(METHODS)} -w ${random.below(4)}${threshold}`,
        );
        break;
      case 1:
        bench.play(`-d ${service} -r ${server}`);
        break;
      case 2:
        bench.play(`-a ${service} -r ${server} ${random.of(METHODS)} -w ${random.below(3)}`);
        break;
      case 3:
        bench.play(`+${random.of([1, 20, 130])}`);
        break;
      default: {
        const end = service.slice(3);
        const [client, port] = [random.of(["C", "C2"]), 1000 + random.below(30)];
        const flags = service.startsWith("-t")
          ? random.of([" S", " S", " .", " F.", " R"])
          : " udp";
        bench.play(`${client}:${port} > ${end}${flags}`);
      }
    }
  }
  return foresight.count;
}

test("what a copy says happens", { timeout: 120_000 }, () => {
  for (let seed = 1; seed <= 30; seed++) {
    try {
      expect(play(seed)).toBeGreaterThan(STEPS / 3);
    } catch (error) {
      const world = JSON.stringify(dials(prng(seed), seed));
      throw new Error(`seed ${seed}, ${world}: ${(error as Error).message}`, { cause: error });
    }
  }
});
