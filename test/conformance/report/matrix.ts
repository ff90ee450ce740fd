/** docs/conformance.md: what was compared, and what came out. */
import { featureOf } from "../cases/index.ts";
import type { Summary } from "./outcome.ts";

export function matrix({ kernel, groups, differences }: Summary, on: Date): string {
  const rows = Object.entries(groups).map(([name, { cases, steps, agree, known, differ }]) => {
    const verdict =
      differ > 0 ? `${differ} differ` : known > 0 ? `same, but ${known} known differences` : "same";
    return `| ${featureOf(name)} | ${cases} | ${steps} | ${agree} | ${verdict} |`;
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
    `Reference: the IPVS of Linux ${kernel.version} in User Mode Linux with the ipvsadm of Debian's package. Compared: the bare`,
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
