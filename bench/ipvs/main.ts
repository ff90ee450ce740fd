/**
 * What does a packet cost the kernel's own IPVS, and what Sluice, in the same kernel?
 *
 * Asked: packets a second of known flows, and of new ones, from a generator through a director to where they are thrown
 * away, in a guest whose kernel has both; and what is left of a packet's time without the generator's.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../scripts/bundle.ts";
import { LabFailure } from "../../src/lab/failure.ts";
import { boot } from "../../test/conformance/machines/boot.ts";
import { Qemu } from "../../test/conformance/machines/qemu.ts";
import { median } from "../median.ts";

const ROUNDS = 3;
const MILLIS = 600;
const SERIES = "6.12";

/** What agent.py measures, and how it is set up. */
interface Variant {
  readonly name: string;
  readonly kind: "nothing" | "yardstick" | "ipvs" | "sluice";
  readonly method?: Method;
  /** Of `sluice daemon`. */
  readonly options?: readonly string[];
}

const METHODS = { route: "direct routing", masquerade: "NAT", tunnel: "tunnel" } as const;
type Method = keyof typeof METHODS;
const PLACES = [
  ["tc", "host"],
  ["tc", "wire"],
  ["xdp", "host"],
  ["xdp", "wire"],
] as const;
export const ALONE = "the generator alone";
const VARIANTS: readonly Variant[] = [
  { name: ALONE, kind: "nothing" },
  { name: "yardstick: frames rewritten, no more", kind: "yardstick" },
  ...(Object.keys(METHODS) as Method[]).flatMap((method): Variant[] => {
    const words = METHODS[method];
    return [
      { name: `IPVS, ${words}`, kind: "ipvs", method },
      ...PLACES.map(([hook, admission]) => ({
        name: `Sluice, ${hook}, ${admission}, ${words}`,
        kind: "sluice" as const,
        method,
        options: ["--engine", "kernel", "--hook", hook, "--admission", admission],
      })),
    ];
  }),
];

interface Programme {
  readonly rounds: number;
  /** How long a measurement takes, roughly. */
  readonly millis: number;
  readonly variants: readonly Variant[];
}

const TRAFFICS = ["known", "new"] as const;
export type Traffic = (typeof TRAFFICS)[number];

interface Sample {
  readonly name: string;
  readonly traffic: Traffic;
  readonly sent: number;
  readonly arrived: number;
  readonly nanoseconds: number;
}

/** A line of the agent's. */
type Told = { readonly processor: string } | { readonly failure: string } | Sample;

export interface BesideIpvs {
  readonly kernel: string;
  readonly processor: string;
  readonly rows: readonly BesideRow[];
}

export interface BesideRow {
  readonly name: string;
  readonly traffic: Traffic;
  /** A packet's time, the generator's included: a median. */
  readonly packetNs: number;
  /** Of packets that were sent, all rounds together. */
  readonly lostShare: number;
}

/** What the door, IPVS and the devices are made of. */
// biome-ignore format: a list
const MODULES = [
  "crc32c_generic", "veth", "pktgen", "sch_ingress", "cls_bpf", "act_bpf", "ip_vs", "ip_vs_rr", "nf_tables", "nft_dup_ipv4", "nft_dup_ipv6",
  "nft_dup_netdev", "nft_fwd_netdev", "nft_ct", "nft_fib_ipv4", "nft_fib_ipv6", "nft_limit", "nft_chain_nat", "nft_tproxy",
];

const ROOT = join(import.meta.dirname, "../..");
const TIMEOUT_MS = 3_600_000;

export async function measureBesideIpvs(progress: (text: string) => void): Promise<BesideIpvs> {
  const machine = new Qemu(SERIES, { needs: ["veth"], memory: "1536M" });
  const dist = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  try {
    await bundle(ROOT, dist, join(ROOT, "dist"));
    let heard = 0;
    const report = await boot(machine, {
      modules: MODULES,
      agent: [join(import.meta.dirname, "agent.py")],
      programme: JSON.stringify({
        rounds: ROUNDS,
        millis: MILLIS,
        variants: VARIANTS,
      } satisfies Programme),
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
        const lines = text.trim().split("\n");
        for (const line of lines.slice(heard)) progress(line);
        heard = lines.length;
      },
    });
    return figuresOf(machine.kernel.version, report);
  } finally {
    rmSync(dist, { recursive: true, force: true });
  }
}

function figuresOf(kernel: string, report: string): BesideIpvs {
  const told = report
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Told);
  let processor = "";
  const samples: Sample[] = [];
  for (const each of told) {
    if ("failure" in each) throw new LabFailure(`In the guest: ${each.failure}`);
    if ("processor" in each) ({ processor } = each);
    else samples.push(each);
  }
  const rows = TRAFFICS.flatMap((traffic) =>
    VARIANTS.map(({ name }): BesideRow => {
      const own = samples.filter((each) => each.name === name && each.traffic === traffic);
      const sum = (of: (each: Sample) => number): number =>
        own.reduce((total, each) => total + of(each), 0);
      const isForwarded = name !== ALONE;
      const packetNs = median(
        own.map(({ nanoseconds, sent, arrived }) => nanoseconds / (isForwarded ? arrived : sent)),
      );
      const lost = sum(({ sent }) => sent) - sum(({ arrived }) => arrived);
      return {
        name,
        traffic,
        packetNs,
        // A packet of the hosts' own may arrive besides.
        lostShare: isForwarded ? Math.max(0, lost) / sum(({ sent }) => sent) : 0,
      };
    }),
  );
  return { kernel, processor, rows };
}
