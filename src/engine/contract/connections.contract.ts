/** Connections: one destination each, listed and counted while they live. */
import { describe, expect, test } from "vitest";
import { formatEndpoint } from "../../ipvs/desired/service.ts";
import type { OpenBench } from "../engine.contract.ts";
import type { ConnectionStatus, Engine } from "../engine.ts";
import { homesOf, sees, state, stationOf } from "./watching.contract.ts";

const TWO = ["-A -t V:80 -s rr", "-a -t V:80 -r R1", "-a -t V:80 -r R2"];

export function connections(open: OpenBench): void {
  describe("connections", () => {
    test("keep their destination", async () => {
      await using bench = await open();
      await bench.engine.apply(state(...TWO));
      const home = await stationOf(bench, "C:1000 > V:80 S");
      for (const flags of ["S", ".", "P.", "F."]) {
        expect(await stationOf(bench, `C:1000 > V:80 ${flags}`)).toBe(home);
      }
    });

    test("of one client go to different destinations, unless the service is persistent", async () => {
      await using bench = await open();
      await bench.engine.apply(
        state(...TWO, "-A -t V:443 -s rr -p 300", "-a -t V:443 -r R1", "-a -t V:443 -r R2"),
      );
      expect(await homesOf(bench, "V:80")).toEqual(new Set(["R1", "R2"]));
      expect((await homesOf(bench, "V:443")).size).toBe(1);
    });

    test("are listed", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1:8080 -m"));
      await sees(bench, "C", "C:1000 > V:80 S");
      await sees(bench, "R1", "R1:8080 > C:1000 S.");
      await sees(bench, "C", "C:1000 > V:80 .");
      const [connection, ...others] = await listed(bench.engine);
      expect(others).toEqual([]);
      expect(connection).toMatchObject({ protocol: "TCP", state: "ESTABLISHED" });
      const { client, virtual, destination } = connection!;
      expect([client, virtual, destination].map(formatEndpoint)).toEqual([
        "10.9.0.2:1000",
        "10.9.0.100:80",
        "10.1.0.21:8080",
      ]);
      expect(connection!.expiresInMs).toBeGreaterThan(890_000);
      expect(connection!.expiresInMs).toBeLessThanOrEqual(900_000);
    });

    test("are counted as active and inactive", async () => {
      await using bench = await open();
      await bench.engine.apply(state("-A -t V:80", "-a -t V:80 -r R1"));
      await sees(bench, "C", "C:1000 > V:80 S");
      await sees(bench, "C", "C:1001 > V:80 S");
      await sees(bench, "C", "C:1001 > V:80 F.");
      const [service] = await bench.engine.services();
      expect(service?.destinations).toMatchObject([
        { activeConnections: 1, inactiveConnections: 1 },
      ]);
    });

    test("of one-packet services are forgotten at once", async () => {
      await using bench = await open();
      await bench.engine.apply(
        state("-A -u V:53 -s rr -o", "-a -u V:53 -r R1", "-a -u V:53 -r R2"),
      );
      const row = "C:1000 > V:53 udp";
      const homes = [await stationOf(bench, row), await stationOf(bench, row)];
      expect(new Set(homes)).toEqual(new Set(["R1", "R2"]));
      expect(await listed(bench.engine)).toEqual([]);
    });
  });
}

async function listed(engine: Engine): Promise<ConnectionStatus[]> {
  const connections: ConnectionStatus[] = [];
  for await (const connection of engine.connections()) connections.push(connection);
  return connections;
}
