import { expect, test } from "vitest";
import { NETFILTER_FAMILY, netfilterNumber } from "../host/netlink/netfilter-socket.ts";
import { type Attribute, emitAttributes } from "../host/netlink/netlink-message.ts";
import { PassedByReader } from "./passed-by.ts";

const { inet, netdev } = NETFILTER_FAMILY;
const BRIDGE = 7;
const HOOK = { ingress: 0, input: 1, forward: 2 } as const;
const POLICY = { drop: 0, accept: 1 } as const;

type Told = readonly [kind: "chain" | "rule", body: Uint8Array];

const rule = (table = "filter"): Told => ["rule", message(inet, table, [[2, "input"]])];

const rows: [what: string, told: Told[], chains: string[]][] = [
  ["nothing", [], []],
  ["a chain without rules", [chain({})], []],
  ["rules", [chain({}), rule(), rule()], ["inet filter input (2 rules)"]],
  [
    "a policy",
    [chain({ policy: POLICY.drop }), rule()],
    ["inet filter input (policy drop, 1 rule)"],
  ],
  ["what comes later", [chain({ hook: HOOK.forward }), rule()], []],
  ["our own", [chain({ table: "sluice-0" }), rule("sluice-0")], []],
  ["a chain that others jump to", [chain({ hook: undefined }), rule()], []],
  ["a bridge", [chain({ family: BRIDGE, policy: POLICY.drop })], []],
  [
    "an interface's ingress",
    [chain({ family: netdev, hook: HOOK.ingress, policy: POLICY.drop })],
    ["netdev filter input (policy drop, 0 rules)"],
  ],
];

test.for(rows)("of a ruleset with %s", ([, told, chains]) => {
  const reader = new PassedByReader();
  for (const [kind, body] of told) reader[kind](body);
  expect(reader.result).toEqual(chains);
});

interface ChainParts {
  readonly family?: number;
  readonly table?: string;
  readonly hook?: number | undefined;
  readonly policy?: number;
}

function chain(parts: ChainParts): Told {
  const { family = inet, table = "filter", policy = POLICY.accept } = parts;
  const hook = "hook" in parts ? parts.hook : HOOK.input;
  const place: readonly Attribute[] =
    hook === undefined
      ? []
      : [
          [4, [[1, netfilterNumber(hook)]]],
          [5, netfilterNumber(policy)],
        ];
  return ["chain", message(family, table, [[3, "input"], ...place])];
}

/** With struct nfgenmsg before it. */
function message(family: number, table: string, more: readonly Attribute[]): Uint8Array {
  return Uint8Array.of(family, 0, 0, 0, ...emitAttributes([[1, table], ...more]));
}
