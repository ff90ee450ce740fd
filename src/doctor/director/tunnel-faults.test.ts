import { expect, test } from "vitest";
import { examination } from "../../../test/director-facts.ts";
import type { WireForwarding } from "../../control/wire.ts";
import { Address } from "../../net/address.ts";
import type { Rule } from "../host/firewall.ts";
import { tunnelFaults } from "./tunnel-faults.ts";

const IPIP = { kind: "tunnel", encapsulation: "ipip" } as const;
const GRE = { kind: "tunnel", encapsulation: "gre", checksum: "full" } as const;
const GUE = { kind: "tunnel", encapsulation: "gue", port: 6080, checksum: "none" } as const;

interface Case {
  readonly forwarding?: WireForwarding;
  readonly believed?: number;
  readonly carried?: number | undefined;
  readonly arriving?: number;
  readonly family?: "inet" | "inet6";
  readonly blocks?: boolean;
}

const BLOCKING: Rule = {
  hook: "output",
  effect: "drop",
  text: "-A OUTPUT -p icmp -m icmp --icmp-type 3/4 -j DROP",
  packets: 3,
  removal: "iptables -D OUTPUT -p icmp -m icmp --icmp-type 3/4 -j DROP",
};

function codes({ forwarding = IPIP, believed = 1500, family = "inet", ...more }: Case): string[] {
  const facts = examination({
    family,
    forwarding,
    believedMtu: believed,
    carriedMtu: more.carried,
    cardMtu: more.arriving ?? 1500,
    firewall: more.blocks === true ? [BLOCKING] : [],
  });
  return [...tunnelFaults(facts)].map(
    ({ code, evidence }) =>
      `${code} ${/header (\d+) of them: (\d+)/.exec(evidence)?.slice(1).join(" ")}`,
  );
}

// biome-ignore format: a table
const cases: [what: string, given: Case, codes: string[]][] = [
  ["clients are told what is left", {}, []],
  ["all of it is carried", { carried: 1500 }, []],
  ["nobody answers echoes", { carried: undefined }, []],
  ["a switch on the way takes less", { carried: 1400 }, ["tunnel-path-mtu 20 1380"]],
  ["the same, with a checksum in GRE", { carried: 1400, forwarding: GRE }, ["tunnel-path-mtu 28 1372"]],
  ["the same, with GUE", { carried: 1400, forwarding: GUE }, ["tunnel-path-mtu 32 1368"]],
  ["less than believed, and still enough", { believed: 9000, carried: 1600 }, []],
  ["no tunnel", { forwarding: { kind: "route" }, carried: 1400 }, []],
  ["ICMP is blocked", { blocks: true }, ["icmp-blocked 20 1480"]],
  ["ICMP is blocked, and no client has so large packets", { blocks: true, believed: 9000 }, []],
  ["IPv6's smallest does not fit", { family: "inet6", believed: 1300, arriving: 1500 }, ["tunnel-too-small 40 1260"]],
  ["it does", { family: "inet6", believed: 1320 }, []],
];

test.each(cases)("%s", (_, given, expected) => {
  expect(codes(given)).toEqual(expected);
});

test("what mends a narrow way is a route that says so", () => {
  const facts = examination({
    family: "inet",
    forwarding: IPIP,
    believedMtu: 1500,
    carriedMtu: 1400,
  });
  const [found] = tunnelFaults(facts);
  expect(found!.remedy).toEqual({
    kind: "commands",
    lines: ["ip route replace 10.0.0.2 dev eth0 mtu 1400"],
  });
  expect(found!.about).toBe(`TCP ${Address.parse("192.0.2.1")!}:80 -> 10.0.0.2`);
});
