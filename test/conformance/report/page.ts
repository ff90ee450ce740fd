/** docs/conformance.md, from the results of all kernels. */
import { count, matrixOf } from "./matrix.ts";
import { type Column, ENGINE_TITLES } from "./outcome.ts";
import type { Result } from "./results.ts";

const MACHINES = {
  uml: "User Mode Linux",
  qemu: "Debian's stock kernel under QEMU's emulation",
} as const;

const ENGINES: Readonly<Record<Column, string>> = {
  director: "`src/ipvs` alone, on a clock moved by hand",
  userspace: "real frames on network devices, in real time",
  kernel:
    "the same, and programs in the kernel open connections behind the host's firewall and forward what belongs to them",
  "kernel-wire":
    "the same, and connections are opened where packets arrive, before the host's firewall; its groups about the host say what that gives up",
};

export function page(results: readonly Result[]): string {
  return [
    "# Conformance",
    "",
    "Written by `npm run conformance -- --write-docs` from the results in [conformance.json](conformance.json); every",
    "cell is from a run. The same cases are carried out by the kernel's own IPVS, with the ipvsadm of Debian's package,",
    "and by each of Sluice's engines below control, the API and Sluice's ipvsadm. Cases that a kernel has not what it takes",
    "for are left out beside it. What differs is carried out once more before it counts: time on a busy machine makes",
    "differences, too. Where the host's settings are what matters, each case has a host of its own, and Sluice is the daemon",
    "with its ipvsadm.",
    "",
    ...results.map(runLine),
    "",
    ...Object.entries(ENGINES).map(
      ([name, says]) => `- ${capitalized(ENGINE_TITLES[name as Column])}: ${says}`,
    ),
    "",
    ...markdown(matrixOf(results)),
    "",
    "Known differences, each explained in [differences.md](differences.md), in how many cases:",
    "",
    ...markdown(knownTable(results)),
    "",
  ].join("\n");
}

function runLine({ kernel, date, groups, engines }: Result): string {
  const of = Object.values(groups);
  const sum = (of_: readonly number[]): number => of_.reduce((total, each) => total + each, 0);
  const cases = count(sum(of.map((group) => group.cases)), "case");
  const comparisons = count(sum(of.map((group) => group.comparisons)), "comparison");
  const on = count(engines.length, "engine");
  return `- Linux ${kernel.version}, ${MACHINES[kernel.name]}: ${cases}, ${comparisons}, on ${on}; run on ${date}`;
}

function knownTable(results: readonly Result[]): string[][] {
  const titles = [...new Set(results.flatMap(({ known }) => Object.keys(known)))].toSorted();
  return [
    [
      "difference",
      ...results.flatMap(({ kernel, engines }) =>
        engines.map((engine) => `${ENGINE_TITLES[engine]}, Linux ${kernel.version}`),
      ),
    ],
    ...titles.map((title) => [
      title,
      ...results.flatMap(({ known, engines }) =>
        engines.map((engine) => String(known[title]?.[engine] ?? "-")),
      ),
    ]),
  ];
}

function markdown([heading = [], ...rows]: readonly (readonly string[])[]): string[] {
  return [heading, heading.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
