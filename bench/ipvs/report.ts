/** The kernel's IPVS and Sluice side by side. */
import { table } from "../table.ts";
import { type BesideIpvs, type BesideRow, PORTIONS } from "./main.ts";
import { ALONE, GENERATORS, type Generator, TRAFFICS, type Traffic } from "./variants.ts";

const METHOD = `\
A guest of one emulated processor, in which the kernel has IPVS and compiles BPF, and whose clock counts executed instructions:
the generator's, the balancer's, the kernel's, and those of Sluice's daemon where it takes part. They are the same each time, which
the time that the emulation takes is not; caches, memory, and how many of them a real processor executes at once are not among it.
UDP datagrams of 60 bytes, with checksums, come by a veth pair to the director, which sends them on by another to where they
are thrown away. Of that the generator alone is what it takes when the first device they come to throws them away. Net of it, a
packet costs what director and second pair take. Known flows: a thousand, ${words(PORTIONS.known)} packets; new ones: another client's
each, ${words(PORTIONS.new)}, which IPVS and Sluice keep. What the daemon has still to do about them afterwards is among it, too, unless it is
stopped: then what is done in the kernel is left. Each has a network and a balancer of its own.`;

/** Whose packets they are, and what those are made of. */
const SOURCES: Readonly<Record<Generator, { readonly title: string; readonly method: string }>> = {
  pktgen: {
    title: "from the socket buffer on",
    method: `\
The kernel's generator (pktgen) hands over socket buffers, each when the one before has been thrown away. XDP's programs get
copies of them, which veth makes: no network card's driver does that.`,
  },
  frames: {
    title: "from the driver's frame on",
    method: `\
A program of BPF's test run writes each datagram over a frame and has it go out as XDP sends frames on, 64 at a time: at the
director's device they are what a network card's driver has. XDP's programs get them as they are; for tc and IPVS
the kernel makes socket buffers of them first, which is among what they cost. The generator alone is what it takes when the
director's driver throws frames away. What XDP sends on ends in the last driver, what else is sent on in the IP layer behind it.`,
  },
};

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
    `Linux ${kernel}. All was measured in two guests, and they differ by ${(spreadShare * 100).toFixed(1)} % at most.`,
    ...GENERATORS.flatMap((generator) => {
      const { title, method } = SOURCES[generator];
      const tables = TRAFFICS.flatMap((traffic) => {
        const own = rows.filter((row) => row.generator === generator && row.traffic === traffic);
        return [`### ${TITLES[traffic]}, ${title}`, trafficTable(own)];
      });
      return [method, ...tables];
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
