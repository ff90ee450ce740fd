/** Firewall rules of the director that services suffer from. */
import { advice, type Finding } from "../finding.ts";
import { isAboutInvalid, mayMeet } from "../host/firewall.ts";
import type { DirectorFacts } from "./facts.ts";
import { dropsByReversePath } from "./reverse-path-faults.ts";
import { counted, removal } from "./rule-words.ts";
import type { ExaminedService } from "./service.ts";

export function* firewallFaults(facts: DirectorFacts): Generator<Finding> {
  const { told } = facts;
  for (const service of told.services) yield* droppedRequests(facts, service);
  const passesBy = told.services.some(({ servers }) =>
    servers.some(({ forwarding }) => forwarding.kind !== "masquerade"),
  );
  if (passesBy) yield* halfSeen(facts);
}

function* droppedRequests(
  { told, firewall, arrivals }: DirectorFacts,
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
  // What vanishes between the card and the service may be another filter's doing.
  if (suspects.length === 0 && arrivals.some(dropsByReversePath)) return;
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
