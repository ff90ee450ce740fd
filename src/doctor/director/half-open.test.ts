import { expect, test } from "vitest";
import { examination } from "../../../test/director-facts.ts";
import type { WireConnection } from "../../control/wire.ts";
import { halfOpen } from "./half-open.ts";

type Each = readonly [state: string, ageSeconds: number | null];

function codes(connections: readonly Each[]): string[] {
  const facts = examination({ forwarding: { kind: "masquerade" } });
  const told = {
    ...facts.told,
    connections: connections.map(
      ([state, ageSeconds], index): WireConnection => ({
        protocol: "TCP",
        state,
        expiresInMs: 50_000,
        ageSeconds,
        client: { address: "10.0.0.9", port: 1_000 + index },
        virtual: { address: "192.0.2.1", port: 80 },
        destination: { address: "10.0.0.2", port: 80 },
        persistenceEngine: null,
      }),
    ),
  };
  return [...halfOpen({ ...facts, told, clientBeside: () => true })].map(({ code }) => code);
}

const FOUND = ["client-beside-server"];

// biome-ignore format: a table
const cases: [what: string, connections: Each[], codes: string[]][] = [
  ["none",                                     [],                                          []],
  ["one that is half open",                    [["SYN_RECV", 5]],                           FOUND],
  ["it may still be going on",                 [["SYN_RECV", 1]],                           []],
  ["it is younger than one that was whole",    [["ESTABLISHED", 9], ["SYN_RECV", 5]],       FOUND],
  // Ages are whole seconds of when they began: these two never differ, whenever they are looked at.
  ["it began in the second of a whole one",    [["TIME_WAIT", 5], ["SYN_RECV", 5]],         FOUND],
  ["one that is younger was whole",            [["SYN_RECV", 5], ["FIN_WAIT", 4]],          []],
  ["nobody knows how old it is",               [["SYN_RECV", null]],                        []],
];

test.for(cases)("%s", ([, connections, expected]) => {
  expect(codes(connections)).toEqual(expected);
});
