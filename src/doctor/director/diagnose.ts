/** What is wrong with a director, from what is known of it: pure. */
import type { Finding } from "../finding.ts";
import type { DirectorFacts } from "./facts.ts";
import { firewallFaults } from "./firewall-faults.ts";
import { halfOpen } from "./half-open.ts";
import { markFaults } from "./mark-faults.ts";
import { reversePathFaults } from "./reverse-path-faults.ts";
import { serverFaults } from "./server-faults.ts";
import { serviceFaults } from "./service-faults.ts";
import { tunnelFaults } from "./tunnel-faults.ts";
import { vipFaults } from "./vip-faults.ts";

/** By any of these handshakes are not completed either: what is behind it is said then. */
const EXPLAINS_HALF_OPEN = new Set(["filtered", "half-seen", "not-forwarding", "rp-filter"]);

export function diagnose(facts: DirectorFacts): readonly Finding[] {
  const findings = [
    ...vipFaults(facts),
    ...markFaults(facts),
    ...reversePathFaults(facts),
    ...firewallFaults(facts),
    ...tunnelFaults(facts),
    ...serverFaults(facts),
    ...serviceFaults(facts),
  ];
  if (findings.some(({ code }) => EXPLAINS_HALF_OPEN.has(code))) return findings;
  return [...findings, ...halfOpen(facts)];
}
