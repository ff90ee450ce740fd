/** Whether packets with a service's firewall mark come as far as the service. */
import { advice, commands, type Finding } from "../finding.ts";
import type { DirectorFacts } from "./facts.ts";

const TABLE = 100;

export function* markFaults({ marks }: DirectorFacts): Generator<Finding> {
  for (const { service, mark, rules, targets } of marks) {
    if (rules.length === 0) {
      yield {
        code: "mark-unset",
        about: service.name,
        says: `no firewall rule sets the mark ${mark}`,
        evidence: "neither 'iptables-save' nor 'nft list ruleset' has one",
        leadsTo: "no packet is the service's",
        remedy: advice(
          `as 'iptables -t mangle -A PREROUTING -p tcp -d VIP --dport 80 -j MARK --set-mark ${mark}'`,
        ),
      };
    }
    for (const { address, route } of targets) {
      if (route.kind === "local") continue;
      const about = address.toString();
      const any = address.family === "inet" ? "0.0.0.0/0" : "::/0";
      const flag = address.family === "inet" ? "" : "-6 ";
      yield {
        code: "mark-not-local",
        about: service.name,
        says: `packets to ${about} get the mark ${mark}, but are not for this host`,
        evidence: `'ip route get ${about} mark ${mark}' does not say "local"`,
        leadsTo:
          "they are forwarded or dropped before the input hook, where the service would take them",
        remedy: commands(
          `ip ${flag}rule add fwmark ${mark} lookup ${TABLE}`,
          `ip ${flag}route add local ${any} dev lo table ${TABLE}`,
        ),
      };
    }
  }
}
