/** apply(): all or nothing, and connections in flight stay. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type DesiredState, EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { formatServiceKey } from "../../ipvs/desired/service.ts";
import { setSysctl } from "../../ipvs/desired/set-sysctl.ts";
import { DEFAULT_SYSCTLS } from "../../ipvs/desired/sysctls.ts";
import type { OpenBench } from "../engine.contract.ts";
import { changed, homesOf, packet, sees, state, stationOf } from "./watching.contract.ts";

const SYN = "C:1000 > V:80 S";
const ACK = "C:1000 > V:80 .";
const ONE = ["-A -t V:80 -s rr", "-a -t V:80 -r R1"];
const TWO = [...ONE, "-a -t V:80 -r R2"];

export function applying(open: OpenBench): void {
  describe("apply()", () => {
    test("keeps a connection on a destination whose weight falls to 0", async () => {
      await using bench = await open();
      const before = state(...TWO);
      await bench.engine.apply(before);
      const home = await stationOf(bench, SYN);
      await bench.engine.apply(changed(before, `-e -t V:80 -r ${home} -w 0`));
      expect(await stationOf(bench, ACK)).toBe(home);
      expect(await homesOf(bench, "V:80")).toEqual(new Set([home === "R1" ? "R2" : "R1"]));
    });

    test("keeps connections when a service is edited", async () => {
      await using bench = await open();
      const before = state(...TWO);
      await bench.engine.apply(before);
      const home = await stationOf(bench, SYN);
      await bench.engine.apply(changed(before, "-E -t V:80 -s wlc"));
      expect(await stationOf(bench, ACK)).toBe(home);
      expect((await bench.engine.services())[0]?.plan.scheduler).toBe("wlc");
    });

    test("keeps a connection's method when its destination gets another", async () => {
      await using bench = await open();
      const before = state("-A -t V:80", "-a -t V:80 -r R1 -m");
      await bench.engine.apply(before);
      await sees(bench, "C", SYN);
      await bench.engine.apply(changed(before, "-e -t V:80 -r R1 -g"));
      expect(await sees(bench, "C", ACK)).toEqual(["R1: C:1000 > R1:80 . ttl 63"]);
      expect(await sees(bench, "R1", "R1:80 > C:1000 .")).toEqual(["C: V:80 > C:1000 . ttl 63"]);
    });

    test("drops the packets of a removed destination's connections until it is back", async () => {
      await using bench = await open();
      const whole = state("-A -t V:80", "-a -t V:80 -r R1 -m");
      await bench.engine.apply(whole);
      await sees(bench, "C", SYN);
      const without = changed(whole, "-d -t V:80 -r R1");
      await bench.engine.apply(without);
      expect(await sees(bench, "C", ACK)).toEqual([]);
      expect(await sees(bench, "R1", "R1:80 > C:1000 .")).toEqual(["C: V:80 > C:1000 . ttl 63"]);
      await bench.engine.apply(changed(without, "-a -t V:80 -r R1 -m"));
      expect(await sees(bench, "C", ACK)).toEqual(["R1: C:1000 > R1:80 . ttl 63"]);
    });

    test("gives the packets of a deleted service back to the host", async () => {
      await using bench = await open();
      const both = state(...ONE, "-A -t V:443", "-a -t V:443 -r R1");
      await bench.engine.apply(both);
      expect(await sees(bench, "C", SYN)).toEqual([`R1: ${SYN} ttl 63`]);
      const another = "C:1001 > V:80 S";
      const refused = "C: V:80 > C:1001 R. df";
      await bench.engine.apply(changed(both, "-D -t V:80"));
      expect(await sees(bench, "C", another)).toEqual([refused]);
      await bench.engine.apply(EMPTY_STATE);
      expect(await sees(bench, "C", another)).toEqual([refused]);
      await bench.engine.apply(both);
      expect(await sees(bench, "C", another)).toEqual([`R1: ${another} ttl 63`]);
    });

    test("obeys the knobs, and tells how they stand", async () => {
      await using bench = await open();
      const strict = state(...ONE);
      await bench.engine.apply(setSysctl(strict, "sloppy_tcp", 1));
      expect(await bench.engine.sysctls()).toEqual({ ...DEFAULT_SYSCTLS, sloppy_tcp: 1 });
      expect(await sees(bench, "C", ACK)).toEqual([`R1: ${ACK} ttl 63`]);
      await bench.engine.apply(strict);
      expect(await bench.engine.sysctls()).toEqual(DEFAULT_SYSCTLS);
      expect(await sees(bench, "C", ACK)).toEqual([`R1: ${ACK} ttl 63`]);
      expect(await sees(bench, "C", "C:1001 > V:80 .")).not.toContain("R1: C:1001 > V:80 . ttl 63");
    });

    test("changes nothing when it refuses", async () => {
      await using bench = await open();
      const before = state(...ONE);
      await bench.engine.apply(before);
      expect(await sees(bench, "C", SYN)).toEqual([`R1: ${SYN} ttl 63`]);
      await expect(bench.engine.apply(impossible(before))).rejects.toThrow("of-nobody");
      const services = await bench.engine.services();
      expect(services.map(({ plan }) => formatServiceKey(plan.key))).toEqual(["TCP 10.9.0.100:80"]);
      expect(services[0]?.destinations).toHaveLength(1);
      expect(await sees(bench, "C", ACK)).toEqual([`R1: ${ACK} ttl 63`]);
      expect(await sees(bench, "C", "C:1000 > V:443 S")).toEqual(["C: V:443 > C:1000 R. df"]);
    });

    test("loses no packet while services come, change and go", async () => {
      await using bench = await open();
      let now = state(...ONE);
      await bench.engine.apply(now);
      let sent = 0;
      const changes = (async () => {
        for (let round = 0; round < 5 || sent < 20; round++) {
          for (const text of [
            "-a -t V:80 -r R2 -m",
            "-A -t V:443",
            "-a -t V:443 -r R1 -m",
            "-e -t V:80 -r R2 -m -w 3",
            "-D -t V:443",
            "-d -t V:80 -r R2",
          ]) {
            now = changed(now, text);
            await bench.engine.apply(now);
          }
        }
        return "done";
      })();
      while ((await Promise.race([changes, sleep(1)])) !== "done") {
        await bench.send("C", packet(`C:${1000 + sent++} > V:80 S`));
      }
      const arrived = (await bench.arrivals()).map(({ at }) => at);
      expect(arrived.filter((at) => at !== "R1" && at !== "R2")).toEqual([]);
      expect(arrived).toHaveLength(sent);
    });
  });
}

/** A state that no engine can run, though all but its last service could. */
function impossible(before: DesiredState): DesiredState {
  const next = changed(before, "-d -t V:80 -r R1", "-A -t V:443", "-A -u V:53", "-A -t V2:80");
  const services = [...next.services].map(([text, plan]) => {
    const isLast = text === "TCP 10.9.0.101:80";
    const scheduler = isLast ? ("of-nobody" as typeof plan.scheduler) : plan.scheduler;
    return [text, { ...plan, scheduler }] as const;
  });
  return { ...next, services: new Map(services) };
}
