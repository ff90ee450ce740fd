/** Firewall rules of the director that services suffer from. */
import { advice, type Finding, type Remedy } from "../finding.ts";
import { isAboutInvalid, mayMeet, type Rule, silencesTooBig } from "../host/firewall.ts";
import type { DirectorFacts } from "./facts.ts";
import type { ExaminedService } from "./service.ts";

export function* firewallFaults(facts: DirectorFacts): Generator<Finding> {
  const { told, firewall } = facts;
  for (const service of told.services) yield* droppedRequests(facts, service);
  const passesBy = told.services.some(({ servers }) =>
    servers.some(({ forwarding }) => forwarding.kind !== "masquerade"),
  );
  if (passesBy) yield* halfSeen(facts);
  const hasTunnel = told.services.some(({ servers }) =>
    servers.some(({ forwarding }) => forwarding.kind === "tunnel"),
  );
  if (!hasTunnel) return;
  for (const rule of firewall) {
    if ((rule.hook !== "output" && rule.hook !== "postrouting") || !silencesTooBig(rule)) continue;
    yield {
      code: "icmp-blocked",
      about: "tunnels",
      says: "this host's firewall keeps its 'fragmentation needed' from leaving",
      evidence: counted(rule),
      leadsTo:
        "clients are never told that tunnels take room: their full packets are dropped, small pages work, uploads hang",
      remedy: removal(rule, "let ICMP type 3 code 4 (ICMPv6 type 2) pass"),
    };
  }
}

function* droppedRequests(
  { told, firewall }: DirectorFacts,
  { name, vip, port, protocol }: ExaminedService,
): Generator<Finding> {
  if (vip === undefined) return;
  const vanished = told.findings.find(({ code, about }) => code === "filtered" && about === name);
  const rules = firewall.filter(
    (rule) =>
      rule.effect === "drop" &&
      (rule.hook === "prerouting" || rule.hook === "input") &&
      !isAboutInvalid(rule) &&
      (rule.packets ?? 1) > 0 &&
      mayMeet(rule, protocol, vip, port),
  );
  // A rule that nobody counts by may be about others.
  const sure = rules.filter(({ packets }) => packets !== undefined);
  const suspects = sure.length > 0 ? sure : vanished === undefined ? [] : rules;
  if (suspects.length === 0 && vanished === undefined) return;
  yield {
    code: "filtered",
    about: name,
    says: "this host's firewall drops clients' packets before the service gets them",
    evidence: [...suspects.map(counted), ...(vanished === undefined ? [] : [vanished.says])].join(
      "; ",
    ),
    leadsTo:
      "requests hang. They pass PREROUTING and INPUT, whatever FORWARD allows: the VIP is this host's own",
    remedy:
      suspects[0] === undefined
        ? advice(vanished?.remedy ?? "")
        : removal(suspects[0], "let the service's packets pass before it"),
  };
}

/** With direct routing and tunnels connection tracking sees no answers. */
function* halfSeen({ firewall, isTrackingLoose }: DirectorFacts): Generator<Finding> {
  for (const rule of firewall) {
    if (rule.effect !== "drop" || !isAboutInvalid(rule)) continue;
    if (rule.hook === "output" || rule.hook === "postrouting") continue;
    if ((rule.packets ?? 0) === 0 && isTrackingLoose !== false) continue;
    yield {
      code: "half-seen",
      about: "direct routing and tunnels",
      says: "the firewall drops what connection tracking takes for invalid, and that sees no answers",
      evidence: `${counted(rule)}${isTrackingLoose === false ? "; net.netfilter.nf_conntrack_tcp_loose=0" : ""}`,
      leadsTo: "the handshake succeeds, past this host, and what the client sends next is dropped",
      remedy: removal(rule, "let the services' packets pass before it, or untracked (NOTRACK)"),
    };
  }
}

function counted({ text, packets }: Rule): string {
  return packets === undefined ? text : `${text}: ${packets} packets`;
}

function removal(rule: Rule, otherwise: string): Remedy {
  return rule.removal === undefined
    ? advice(otherwise)
    : { kind: "commands", lines: [rule.removal] };
}
