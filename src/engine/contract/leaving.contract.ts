/** What is no service's is the host's, and nobody else's. */
import { describe, expect, test } from "vitest";
import { EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import type { OpenBench } from "../engine.contract.ts";
import { sees, state } from "./watching.contract.ts";

const SYN = "C:1000 > V:80 S";
/** What the host's own stack says to a segment for a port that nobody listens on. */
const HOST_REFUSES = "C: V:80 > C:1000 R. df";

export function leaving(open: OpenBench): void {
  describe("leaves to the host", () => {
    test("every packet, without a service", async () => {
      await using bench = await open();
      expect(await sees(bench, "C", SYN)).toEqual([HOST_REFUSES]);
      await bench.engine.apply(EMPTY_STATE);
      expect(await sees(bench, "C", SYN)).toEqual([HOST_REFUSES]);
      expect(await bench.engine.services()).toEqual([]);
    });

    test("other ports, addresses and protocols than a service's", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1"));
      expect(await sees(bench, "C", "C:1000 > V:81 S")).toEqual(["C: V:81 > C:1000 R. df"]);
      expect(await sees(bench, "C", "C:1000 > V2:80 S")).toEqual(["C: V2:80 > C:1000 R. df"]);
      expect(await sees(bench, "C", "C:1000 > V:80 udp")).toEqual([
        "C: V > C unreachable-port about C:1000 > V:80 udp",
      ]);
      expect(await sees(bench, "C", "C > V echo")).toEqual(["C: V > C echo-reply"]);
    });

    test("a segment that opens no connection and belongs to none", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1"));
      expect(await sees(bench, "C", "C:1000 > V:80 .")).toEqual(["C: V:80 > C:1000 R df"]);
    });

    test("everything, when it is disposed", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1"));
      expect(await sees(bench, "C", SYN)).toEqual([`R1: ${SYN} ttl 63`]);
      await bench.engine[Symbol.asyncDispose]();
      expect(await sees(bench, "C", SYN)).toEqual([HOST_REFUSES]);
    });
  });
}
