/** The kernel's IPVS and Sluice side by side. */
import { table } from "../table.ts";
import { ALONE, type BesideIpvs, type BesideRow, type Traffic } from "./main.ts";

const METHOD = `\
A guest of one processor, in which the kernel has IPVS and compiles BPF. The kernel's generator (pktgen) sends UDP datagrams of 60
bytes, with checksums, by a veth pair to the director, which sends them on by another to where they
are thrown away: each is sent when the one before has been. Of that the generator alone is what it takes when the first
device it comes to throws them away. Net of it, a packet costs what director and second pair take. Known flows: a
thousand; new ones: another client's each. By turns, each time with a network and a balancer of its own; medians.`;

/** What is beside those that use no method. */
const FIRST = "IPVS, direct routing";

const TITLES: Readonly<Record<Traffic, string>> = {
  known: "Known flows",
  new: "New flows",
};

export function besideIpvsReport({ kernel, processor, rows }: BesideIpvs): string[] {
  return [
    "## Beside the kernel's IPVS",
    METHOD,
    `Linux ${kernel} on ${processor}.`,
    ...(["known", "new"] as const).flatMap((traffic) => {
      const own = rows.filter((row) => row.traffic === traffic);
      return [`### ${TITLES[traffic]}`, trafficTable(own)];
    }),
  ];
}

function trafficTable(rows: readonly BesideRow[]): string {
  const nsOf = (name: string): number => rows.find((row) => row.name === name)!.packetNs;
  const alone = nsOf(ALONE);
  return table(
    ["", "packets/s", "× IPVS", "ns, net", "IPVS's ÷ that", "lost"],
    rows.map(({ name, packetNs, lostShare }) => {
      const method = /, ([^,]+)$/.exec(name)?.[1];
      const ipvs = nsOf(rows.find((row) => row.name === `IPVS, ${method}`)?.name ?? FIRST);
      const net = packetNs - alone;
      return [
        name,
        Math.round(1e9 / packetNs).toLocaleString("en"),
        (ipvs / packetNs).toFixed(2),
        name === ALONE ? "" : net.toFixed(0),
        name === ALONE ? "" : ((ipvs - alone) / net).toFixed(2),
        `${(lostShare * 100).toFixed(1)} %`,
      ];
    }),
  );
}
