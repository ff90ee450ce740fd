import { expect, test } from "vitest";
import { address } from "../../../test/builders.ts";
import { destinationFromWire, keyFromWire, serviceFromWire } from "../../control/wire.ts";
import type { Family } from "../../net/address.ts";
import { addDestination, addService, EMPTY_STATE } from "../desired/desired-state.ts";
import { diagnose, type Facts } from "./diagnose.ts";
import { identityOf, wordingOf } from "./finding.ts";

const VIP = "10.0.0.1";
const LOCAL = "10.0.0.9";
const NOWHERE = "10.9.0.1";
const BEHIND_GATEWAY = "10.8.0.1";
const GATEWAY = "10.0.0.254";

interface Circumstances {
  readonly vip?: string;
  readonly servers: readonly [address: string, forwarding: "masquerade" | "route"][];
  readonly isForwarding?: boolean;
  readonly silent?: string;
  readonly vanished?: number;
  readonly comesFromHere?: boolean;
}

function facts({
  isForwarding = true,
  silent,
  vanished = 0,
  comesFromHere = false,
}: Circumstances) {
  return {
    isLocal: (asked) => asked.toString() === VIP || asked.toString() === LOCAL,
    isForwarding: (_family: Family) => isForwarding,
    route: (asked) => {
      if (asked.toString() === LOCAL) return "local";
      if (asked.toString() === NOWHERE) return "unreachable";
      const nextHop = asked.toString() === BEHIND_GATEWAY ? address(GATEWAY) : asked;
      return { interfaceIndex: 2, nextHop, source: address(LOCAL), mtu: 1500 };
    },
    isSilent: (_index, nextHop) => nextHop.toString() === silent,
    interfaceName: () => "eth0",
    arrivals: { vanished: () => vanished, comesFromHere: () => comesFromHere },
  } satisfies Facts;
}

function plan({ vip = VIP, servers }: Circumstances) {
  const key = keyFromWire({
    kind: "endpoint",
    protocol: "tcp",
    endpoint: { address: vip, port: 80 },
  });
  let state = addService(
    EMPTY_STATE,
    serviceFromWire({
      key: { kind: "endpoint", protocol: "tcp", endpoint: { address: vip, port: 80 } },
      scheduler: "rr",
      schedulerFlags: [],
      onePacket: false,
      persistence: null,
      persistenceEngine: null,
    }),
  );
  for (const [server, forwarding] of servers) {
    const destination = destinationFromWire({
      endpoint: { address: server, port: 80 },
      forwarding: { kind: forwarding },
      weight: 1,
      upperThreshold: 0,
      lowerThreshold: 0,
    });
    state = addDestination(state, key, destination);
  }
  return [...state.services.values()][0]!;
}

// biome-ignore format: a table
const cases: [what: string, circumstances: Circumstances, found: string[]][] = [
  ["all is well", { servers: [["10.0.0.21", "route"], ["10.0.0.22", "masquerade"]] }, []],
  ["the VIP is nobody's", { vip: "10.0.0.77", servers: [] },
    ["vip-not-local TCP 10.0.0.77:80: 10.0.0.77 is no address of this host, and no local route makes it one: no packet reaches the service; ip address add 10.0.0.77/32 dev eth0"]],
  ["the VIP is on no network of the host's", { vip: BEHIND_GATEWAY, servers: [] },
    [`vip-not-local TCP ${BEHIND_GATEWAY}:80: ${BEHIND_GATEWAY} is no address of this host, and no local route makes it one: no packet reaches the service; ip address add ${BEHIND_GATEWAY}/32 dev INTERFACE`]],
  ["forwarding is off", { isForwarding: false, servers: [["10.0.0.21", "masquerade"], ["10.0.0.22", "masquerade"]] },
    ["not-forwarding IPv4 services with -m: this host does not forward IPv4 packets: what masqueraded servers answer does not reach the clients; sysctl -w net.ipv4.ip_forward=1"]],
  ["forwarding is off, and nobody needs it", { isForwarding: false, servers: [["10.0.0.21", "route"], [LOCAL, "masquerade"]] }, []],
  ["a server is nowhere", { servers: [[NOWHERE, "route"], ["10.0.0.21", "route"]] },
    [`no-route TCP ${VIP}:80 -> ${NOWHERE}: no route leads to the server ${NOWHERE}; add one; 'ip route get ${NOWHERE}' tells when there is`]],
  ["a server is silent", { silent: "10.0.0.21", servers: [["10.0.0.21", "route"], ["10.0.0.22", "route"]] },
    [`neighbour-silent TCP ${VIP}:80 -> 10.0.0.21: the server 10.0.0.21 does not answer ARP on eth0; see that it is up and on that link; 'ip neighbour show 10.0.0.21' tells what is known of it`]],
  ["a gateway is silent", { silent: GATEWAY, servers: [[BEHIND_GATEWAY, "masquerade"]] },
    [`neighbour-silent TCP ${VIP}:80 -> ${BEHIND_GATEWAY}: the gateway ${GATEWAY} to the server ${BEHIND_GATEWAY} does not answer ARP on eth0; see that it is up and on that link; 'ip neighbour show ${GATEWAY}' tells what is known of it`]],
  ["a client is on the director", { comesFromHere: true, servers: [["10.0.0.21", "route"]] },
    [`local-client TCP ${VIP}:80: a client on this host itself asks it: what a server of direct routing or a tunnel answers never reaches that one, because the service's address is also the server's own; test from another host, or use -m`]],
  ["a client is on the director, and masqueraded", { comesFromHere: true, servers: [["10.0.0.21", "masquerade"], [LOCAL, "route"]] }, []],
];

test.for(cases)("%s", ([, circumstances, found]) => {
  const findings = [...diagnose(plan(circumstances), facts(circumstances))];
  const told = findings.map((finding) => {
    const { says, remedy } = wordingOf(finding);
    return `${identityOf(finding)}: ${says}; ${remedy}`;
  });
  expect([...new Set(told)]).toEqual(found);
});

test("a firewall is between clients and service", () => {
  const circumstances: Circumstances = { vanished: 9, servers: [["10.0.0.21", "route"]] };
  const [finding] = diagnose(plan(circumstances), facts(circumstances));
  expect(finding).toMatchObject({ code: "filtered", packets: 9 });
  expect(wordingOf(finding!)).toMatchObject({
    about: `TCP ${VIP}:80`,
    says: expect.stringContaining("9 first packets of clients arrived, and none came as far as"),
    remedy: expect.stringContaining("nft list ruleset"),
  });
});
