import { expect, test } from "vitest";
import { address } from "../../../test/builders.ts";
import { MemoryEngine } from "../../../test/memory-engine.ts";
import type { ConnectionStatus } from "../../engine/engine.ts";
import { toPort } from "../../net/port.ts";
import { sampleOf } from "./sample.ts";

test("each entry has the same chance to be in a sample", async () => {
  const engine = new MemoryEngine();
  engine.entries = Array.from({ length: 20 }, (_, index): ConnectionStatus => {
    const endpoint = { address: address("10.0.0.1"), port: toPort(80) };
    return {
      protocol: "TCP",
      state: "ESTABLISHED",
      expiresInMs: 1_000,
      ageMs: 10,
      client: { ...endpoint, port: toPort(1_000 + index) },
      virtual: endpoint,
      destination: endpoint,
      persistenceEngine: undefined,
    };
  });
  const counts = new Map<number, number>();
  let seed = 1;
  const chance = (): number => {
    seed = (seed * 48_271) % 0x7fff_ffff;
    return seed / 0x7fff_ffff;
  };
  for (let round = 0; round < 400; round++) {
    const { of, sample } = await sampleOf(engine, 5, chance);
    expect([of, sample.length]).toEqual([20, 5]);
    for (const { client } of sample) counts.set(client.port, (counts.get(client.port) ?? 0) + 1);
  }
  expect(counts.size).toBe(20);
  // A hundred each, give or take four standard deviations.
  for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(36);
});
