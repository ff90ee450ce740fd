/** The kernel's IPVS and Sluice side by side. */
import { table } from "../table.ts";
import { type BesideIpvs, type BesideRow, PORTIONS } from "./main.ts";
import { ALONE, TRAFFICS, type Traffic } from "./variants.ts";

const METHOD = `\
A guest of one emulated processor, in which the kernel has IPVS and compiles BPF, and whose clock counts executed instructions:
the generator's, the balancer's, the kernel's, and those of Sluice's daemon where it takes part. They are the same each time, which
the time that the emulation takes is not; caches, memory, and how many of them a real processor executes at once are not among it. The
kernel's generator (pktgen) sends UDP datagrams of 60 bytes, with checksums, by a veth pair to the director, which sends them on by
another to where they are thrown away: each is sent when the one before has been. Of that the generator alone is what it takes
when the first device it comes to throws them away. Net of it, a packet costs what director and second pair take. Known flows: a
thousand, ${words(PORTIONS.known)} packets; new ones: another client's each, ${words(PORTIONS.new)}, which IPVS and Sluice keep. What the daemon
has still to do about them afterwards is among it, too, unless it is stopped: then what is done in the kernel is left. By turns, each
time with a network and a balancer of its own.`;

/** What is beside those that use no method. */
const FIRST = "route";

const TITLES: Readonly<Record<Traffic, string>> = {
  known: "Known flows",
  new: "New flows",
};

export function besideIpvsReport({ kernel, spreadShare, rows }: BesideIpvs): string[] {
  return [
    "## Beside the kernel's IPVS",
    METHOD,
    `Linux ${kernel}. Each was measured twice, and the two differ by ${(spreadShare * 100).toFixed(1)} % at most.`,
    ...TRAFFICS.flatMap((traffic) => {
      const own = rows.filter((row) => row.traffic === traffic);
      return [`### ${TITLES[traffic]}`, trafficTable(own)];
    }),
  ];
}

function trafficTable(rows: readonly BesideRow[]): string {
  const alone = rows.find(({ name }) => name === ALONE)!.instructions;
  return table(
    ["", "instructions", "× IPVS", "net", "IPVS's ÷ that", "lost"],
    rows.map(({ name, method = FIRST, instructions, lostShare }) => {
      const ipvs = rows.find((row) => row.name.startsWith("IPVS") && row.method === method)!;
      const net = instructions - alone;
      return [
        name,
        whole(instructions),
        (ipvs.instructions / instructions).toFixed(2),
        name === ALONE ? "" : whole(net),
        name === ALONE ? "" : ((ipvs.instructions - alone) / net).toFixed(2),
        `${(lostShare * 100).toFixed(1)} %`,
      ];
    }),
  );
}

function words(portions: readonly number[]): string {
  return whole(portions.reduce((total, each) => total + each, 0));
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
