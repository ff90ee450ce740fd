/**
 * What does a packet cost the kernel's own IPVS, and what Sluice, in the same kernel?
 *
 * Asked: how many instructions a guest's only processor executes for a packet of known flows, and of new ones, from a generator
 * through a director to where it is thrown away, in a kernel that has both; and what is left of them without the generator's.
 *
 * Instructions, since the guest's processor is emulated: how long it takes over them says how busy the host is, and varies by a half
 * from one time to the next. Its clock counts them instead (QEMU's -icount), and tells the same each time, to a thousandth, or to a few
 * hundredths where a daemon takes part. All that are executed count: the generator's, the balancer's, the kernel's, and those of
 * Sluice's daemon, also what it has still to do about the packets once they have gone. What a real processor makes of them
 * does not: caches, memory, branches, and how many it executes at once. So it tells who does less for a packet, and by how
 * much; it does not tell how many packets a second a machine forwards.
 *
 * From two generators. The kernel's own (pktgen) hands socket buffers to a veth device, of which XDP's programs get copies: no network
 * card's driver does that. So there is another, which has frames go out by that device as XDP sends them on: the other end then has
 * what a driver has, and who comes first is XDP; socket buffers are made of it for all that comes later. Where XDP sends frames on they
 * end in the last device's driver, as a card sends them without a socket buffer; socket buffers end in the IP layer there.
 */
import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../scripts/bundle.ts";
import { LabFailure } from "../../src/lab/failure.ts";
import { boot } from "../../test/conformance/machines/boot.ts";
import { Qemu } from "../../test/conformance/machines/qemu.ts";
import {
  type Generator,
  isForwarded,
  type Method,
  TRAFFICS,
  type Traffic,
  VARIANTS,
  type Variant,
} from "./variants.ts";

/** The second shows that the first's figures are to be had again. They run side by side, for neither feels the other. */
const GUESTS = 2;
/**
 * How many packets, one portion after the other was dealt with. Of known flows so many that what the daemon does now and then is
 * among it. Of new ones IPVS and Sluice keep each, so it is the same number for all; Sluice's programs tell its daemon of
 * them through a ring that has room for 40,000, and where it is stopped none may be lost.
 */
export const PORTIONS = { known: [200_000], new: [25_000, 25_000] } as const;
const SERIES = "6.12";

interface Programme {
  readonly portions: Readonly<Record<Traffic, readonly number[]>>;
  readonly variants: readonly Variant[];
}

interface Sample {
  readonly generator: Generator;
  readonly name: string;
  readonly traffic: Traffic;
  readonly sent: number;
  readonly arrived: number;
  /** A nanosecond is an instruction. */
  readonly nanoseconds: number;
  /** What the daemon did about new flows after the last packet had gone, unless it was to be left out. */
  readonly owedNanoseconds: number;
}

/** A line of the agent's. */
type Told = { readonly failure: string } | Sample;

export interface BesideIpvs {
  readonly kernel: string;
  /** By how much guests differ at most, of the smaller figure. */
  readonly spreadShare: number;
  readonly rows: readonly BesideRow[];
}

export interface BesideRow {
  readonly generator: Generator;
  readonly name: string;
  readonly traffic: Traffic;
  readonly method: Method | undefined;
  /** Executed for a packet, the generator's included: a mean. */
  readonly instructions: number;
  /** Of packets that were sent, in all guests together. */
  readonly lostShare: number;
}

/** What the door, IPVS and the devices are made of. */
// biome-ignore format: a list
const MODULES = [
  "crc32c_generic", "veth", "pktgen", "sch_ingress", "cls_bpf", "act_bpf", "ip_vs", "ip_vs_rr", "nf_tables", "nft_dup_ipv4", "nft_dup_ipv6",
  "nft_dup_netdev", "nft_fwd_netdev", "nft_ct", "nft_fib_ipv4", "nft_fib_ipv6", "nft_limit", "nft_chain_nat", "nft_tproxy",
];

const AGENT = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".py"))
  .map((name) => join(import.meta.dirname, name));
const ROOT = join(import.meta.dirname, "../..");
const TIMEOUT_MS = 3_600_000;

export async function measureBesideIpvs(progress: (text: string) => void): Promise<BesideIpvs> {
  const machine = new Qemu(SERIES, {
    needs: ["veth"],
    memory: "1536M",
    countsInstructions: true,
  });
  const dist = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  try {
    await bundle(ROOT, dist, join(ROOT, "dist"));
    const guests = Array.from({ length: GUESTS }, (_, index) =>
      measureIn(machine, dist, (text) => progress(`guest ${index + 1}: ${text}`)),
    );
    const ends = await Promise.allSettled(guests);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    return figuresOf(machine.kernel.version, await Promise.all(guests));
  } finally {
    rmSync(dist, { recursive: true, force: true });
  }
}

/** What a guest reports that has the bundle in `dist`. */
function measureIn(machine: Qemu, dist: string, progress: (line: string) => void): Promise<string> {
  let heard = 0;
  return boot(machine, {
    modules: MODULES,
    agent: AGENT,
    programme: JSON.stringify({ portions: PORTIONS, variants: VARIANTS } satisfies Programme),
    copies: {
      "sluice/dist": dist,
      "sluice/package.json": join(ROOT, "package.json"),
      "sluice/src": join(ROOT, "src"),
      "sluice/bpf": join(ROOT, "bpf"),
      "sluice/bench": join(ROOT, "bench"),
      // Where the host has these, the guest may have something else: /tmp is its own.
      "sluice/node": realpathSync(process.execPath),
      "sluice/node_modules/koffi": realpathSync(join(ROOT, "node_modules/koffi")),
      "sluice/node_modules/@koromix": realpathSync(join(ROOT, "node_modules/@koromix")),
    },
    timeoutMs: TIMEOUT_MS,
    onProgress: (text) => {
      const lines = text.split("\n").filter((line) => line !== "");
      for (const line of lines.slice(heard)) progress(line);
      heard = lines.length;
    },
  });
}

function figuresOf(kernel: string, reports: readonly string[]): BesideIpvs {
  const told = reports
    .flatMap((report) => report.split("\n"))
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Told);
  const samples: Sample[] = [];
  for (const each of told) {
    if ("failure" in each) throw new LabFailure(`In the guest: ${each.failure}`);
    samples.push(each);
  }
  let spreadShare = 0;
  const rows = TRAFFICS.flatMap((traffic) =>
    VARIANTS.filter(({ traffics }) => traffics.includes(traffic)).map((variant): BesideRow => {
      const { generator, name, method } = variant;
      const own = samples.filter(
        (each) => each.generator === generator && each.name === name && each.traffic === traffic,
      );
      const all = own.map((each) => instructionsOf(each, variant));
      spreadShare = Math.max(spreadShare, Math.max(...all) / Math.min(...all) - 1);
      const sent = sum(own.map((each) => each.sent));
      const lost = sent - sum(own.map((each) => each.arrived));
      return {
        generator,
        name,
        traffic,
        method,
        instructions: sum(all) / all.length,
        // A packet of the hosts' own may arrive besides.
        lostShare: isForwarded(variant) ? Math.max(0, lost) / sent : 0,
      };
    }),
  );
  return { kernel, spreadShare, rows };
}

/** For one packet. */
function instructionsOf(sample: Sample, variant: Variant): number {
  const { nanoseconds, owedNanoseconds, sent, arrived } = sample;
  return (nanoseconds + owedNanoseconds) / (isForwarded(variant) ? arrived : sent);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
