import { expect, test } from "vitest";
import type { LabEvent } from "../event.ts";
import { planOf } from "../network/plan.ts";
import { parseLabArguments } from "../options.ts";
import { simulate } from "../simulated/network.ts";
import { performOn } from "./simulated.ts";

const LABORATORIES = [
  "dr",
  "dr --ipv6",
  "dr --scheduler sh",
  "nat",
  "nat --ipv6",
  "tun --tunnel gre",
  "tun --tunnel ipip --ipv6",
  "tun --tunnel gue --seed 7",
];

test.for(LABORATORIES)("sluice lab %s --simulated: every statement holds", async (line) => {
  const command = parseLabArguments([...line.split(" "), "--simulated"], "/");
  if (command.kind !== "simulated") throw new Error(`not simulated: ${command.kind}`);
  const { options, seed } = command;
  const events: LabEvent[] = [];
  const simulation = simulate(planOf(options.scenario, options.family), seed);
  await performOn(simulation, options, (event) => events.push(event));
  const statements = events.filter((event) => event.kind === "statement");
  expect(statements.filter(({ ok }) => !ok)).toEqual([]);
  expect(statements.length).toBeGreaterThan(20);
});
