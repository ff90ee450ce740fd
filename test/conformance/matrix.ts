/** docs/conformance.md: what was compared, and what came out. */
import type { Summary } from "./outcome.ts";

/** What a group of cases is about, in an operator's words. */
// biome-ignore format: a table
const FEATURES: Readonly<Record<string, string>> = {
  "TCP states":                            "TCP states, timers and counts, segment by segment, both directions, conn_reuse_mode 0 to 3, sloppy_tcp",
  "SCTP states":                           "SCTP states, timers and counts, chunk by chunk, both directions, bundles, damaged packets, checksums",
  "on the wire":                           "Frames on the wire: NAT, DR, TUN (ipip, gue, gre), IPv4 and IPv6, TTL, MTU, fragments, ICMP both ways, refusals",
  "on the wire, rare headers":             "Extension headers, options, long fragmented datagrams, smallest TTL, cut packets and quotes, strange sources, FTP's ports",
  "errors about tunnels":                  "ICMP errors about tunnels' own packets, path MTU, in every tunnel and mix of families",
  "removed servers":                       "Connections of removed servers, and their return",
  "removed servers, expire_nodest_conn":   "The same with expire_nodest_conn",
  "persistence and UDP":                   "Persistence templates, UDP, one-packet scheduling",
  "what time does":                        "Expiry of entries and templates, thresholds over time, counters",
  "statistics":                            "Counters and rates of services, servers and all, round by round of the estimator; -Z; --exact; large numbers",
  "schedulers":                            "The server of each new connection: 13 schedulers (all but twos) with their flags",
  "ipvsadm":                               "ipvsadm: stdout, stderr, exit code, rules left; -R; every view",
  "ipvsadm, generated":                    "ipvsadm: command lines composed from its grammar",
};

export function matrix({ kernel, groups, differences }: Summary, on: Date): string {
  const rows = Object.entries(groups).map(([name, { cases, steps, agree, known, differ }]) => {
    const verdict =
      differ > 0 ? `${differ} differ` : known > 0 ? `same, but ${known} known differences` : "same";
    return `| ${FEATURES[name] ?? name} | ${cases} | ${steps} | ${agree} | ${verdict} |`;
  });
  const titles = new Map<string, number>();
  for (const { known } of differences) {
    if (known !== undefined) titles.set(known, (titles.get(known) ?? 0) + 1);
  }
  return [
    "# Conformance",
    "",
    "Written by `npm run conformance -- --write-docs`; every number is from that run.",
    "",
    `Reference: the IPVS of Linux ${kernel} in User Mode Linux with the ipvsadm of Debian's package. Compared: the bare`,
    `director (\`src/ipvs\`) below control, the API and Sluice's ipvsadm. Run on ${on.toISOString().slice(0, 10)}.`,
    "",
    "| feature | cases | comparisons | cases that agree | bare director beside the kernel |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "Known differences, each explained in [differences.md](differences.md):",
    "",
    ...[...titles].map(([title, count]) => `- ${title}: ${count} case${count === 1 ? "" : "s"}`),
    "",
  ].join("\n");
}
