/** What went through is counted, once, where it belongs. */
import { describe, expect, test } from "vitest";
import { formatServiceKey } from "../../ipvs/desired/service.ts";
import type { Counters } from "../../ipvs/services/statistics.ts";
import type { Bench, OpenBench } from "../engine.contract.ts";
import { changed, sees, state } from "./watching.contract.ts";

/** Counters are shown as of the last estimation, up to 2 s ago. */
const ESTIMATED = { timeout: 5_000, interval: 100 };
const HTTP = "TCP 10.9.0.100:80";
const HTTPS = "TCP 10.9.0.100:443";

export function counting(open: OpenBench): void {
  describe("counters", () => {
    test("count a connection once, and both directions of NAT", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1 -m"));
      await sees(bench, "C", "C:1000 > V:80 S");
      await sees(bench, "R1", "R1:80 > C:1000 S.");
      await sees(bench, "C", "C:1000 > V:80 .");
      await sees(bench, "C", "C:1000 > V:80 P. len 100");
      const counters: Counters = {
        connections: 1,
        inPackets: 3,
        inBytes: 180,
        outPackets: 1,
        outBytes: 40,
      };
      await expect.poll(() => countersOf(bench, HTTP), ESTIMATED).toEqual(counters);
      const [service] = await bench.engine.services();
      expect(service?.destinations[0]?.counters).toEqual(counters);
      expect((await bench.engine.totals()).counters).toEqual(counters);
    });

    test("restart when they are told to, one service's or all; totals outlive services", async () => {
      await using bench = await open();
      const both = state("-A -t V:80", "-a -t V:80 -r R1", "-A -t V:443", "-a -t V:443 -r R1");
      await bench.engine.apply(both);
      await sees(bench, "C", "C:1000 > V:80 S");
      await sees(bench, "C", "C:1000 > V:443 S");
      const one = { connections: 1, inPackets: 1 };
      const none = { connections: 0, inPackets: 0 };
      await expect.poll(() => countersOf(bench, HTTPS), ESTIMATED).toMatchObject(one);
      await bench.engine.zero(both.services.get(HTTP)!.key);
      expect(await countersOf(bench, HTTP)).toMatchObject(none);
      expect(await countersOf(bench, HTTPS)).toMatchObject(one);
      await bench.engine.apply(changed(both, "-D -t V:80"));
      await expect(bench.engine.zero(both.services.get(HTTP)!.key)).rejects.toThrow(
        "No such service",
      );
      const total = async () => (await bench.engine.totals()).counters.connections;
      expect(await total()).toBe(2);
      await bench.engine.zero(undefined);
      expect(await countersOf(bench, HTTPS)).toMatchObject(none);
      expect(await total()).toBe(0);
    });

    test("say for which reasons packets left", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1"));
      const before = await bench.engine.reasons();
      await sees(bench, "C", "C:1000 > V:80 S");
      await sees(bench, "C", "C:1000 > V:80 .");
      const after = await bench.engine.reasons();
      expect(after["forward-route"]! - before["forward-route"]!).toBe(2);
    });
  });
}

async function countersOf(bench: Bench, service: string): Promise<Counters | undefined> {
  const services = await bench.engine.services();
  return services.find(({ plan }) => formatServiceKey(plan.key) === service)?.counters;
}
