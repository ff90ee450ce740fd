/** Whether what comes out of a tunnel is taken: the reverse path filter. */
import { commands, type Finding } from "../finding.ts";
import type { ServerFacts } from "./facts.ts";

const STRICT = 1;
const LOOSE = 2;

export function* tunnelEnds({ question, interfaces, settingsOf }: ServerFacts): Generator<Finding> {
  // IPv6 has no such filter.
  if (question.forwarding !== "tunnel" || question.vip.family === "inet6") return;
  for (const { isTunnel, isUp, name, addresses } of interfaces) {
    if (!isTunnel || !isUp) continue;
    const { all, own, holds } = settingsOf(name).reversePathFilter;
    const evidence = `net.ipv4.conf.all.rp_filter=${all}, ${name}'s own ${own}: the larger, ${holds}, holds`;
    if (holds === STRICT) {
      yield {
        code: "rp-filter",
        about: name,
        says: `the reverse path filter of ${name} is strict`,
        evidence,
        leadsTo:
          "packets come out of the tunnel, and are dropped, because their clients would be answered by another interface ('nstat -az TcpExtIPReversePathFilter' counts)",
        remedy: commands(`sysctl -w net.ipv4.conf.${name}.rp_filter=${LOOSE}`),
      };
    } else if (holds === LOOSE && addresses.length === 0) {
      yield {
        code: "rp-filter",
        about: name,
        says: `${name} has no address, and so a loose reverse path filter takes nothing either`,
        evidence: `${evidence}; 'ip address show dev ${name}' has no address`,
        leadsTo: "packets come out of the tunnel, and are dropped",
        remedy: commands(`ip address add ${question.vip.toString()}/32 dev ${name}`),
      };
    }
  }
}
