/** `npm run bench`: runs the benchmarks and writes RESULTS.md. */
import { writeFileSync } from "node:fs";
import { LabFailure } from "../src/lab/failure.ts";
import { CONTROL } from "./control.ts";
import { END_TO_END } from "./end-to-end.ts";
import { measureKeepalived } from "./failover/keepalived.ts";
import { FAILOVER } from "./failover/main.ts";
import { HEALTH } from "./health.ts";
import { INSIDE, type InsideBenchmark, measureInside, runInside } from "./inside.ts";
import { measureBesideIpvs } from "./ipvs/main.ts";
import { measureKernel } from "./kernel/main.ts";
import { measureMemory } from "./memory.ts";
import { describeRun, type Figures, report } from "./report.ts";

const USAGE = `Usage: npm run bench -- [memory | kernel | ipvs | end-to-end | control | failover | health] [--json]

  memory       what the director costs a packet
  kernel       what the kernel engine's program costs a packet (needs root)
  ipvs         instructions a packet beside the kernel's own IPVS, in a guest (needs root)
  end-to-end   requests through Sluice beside HAProxy, on real packets
  control      restoring, starting, changing and listing with thousands of services
  failover     how long clients still come to a server that died, beside keepalived in a guest
  health       asking two thousand servers a second

Runs all of them, about an hour, and writes bench/RESULTS.md; or one of them, and writes
nothing. The figures go to standard output (--json: as JSON), progress to standard error.
`;
const USAGE_EXIT_CODE = 2;
const RESULTS = new URL("RESULTS.md", import.meta.url);

const NAMES = ["memory", "kernel", "ipvs", "end-to-end", "control", "failover", "health"] as const;
type Name = (typeof NAMES)[number];

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words[0] === INSIDE) await runInside(insideOf(words[1]));
  const wanted = words.filter((word) => word !== "--json");
  const one = NAMES.find((name) => name === wanted[0]);
  if (wanted.length > (one === undefined ? 0 : 1)) {
    process.stderr.write(USAGE);
    return wanted[0] === "--help" || wanted[0] === "-h" ? 0 : USAGE_EXIT_CODE;
  }
  const asks = (name: Name): boolean => one === undefined || one === name;
  try {
    const figures: Figures = {
      run: describeRun(),
      ...(asks("memory") ? { memory: measureMemory(say("memory")) } : {}),
      ...(asks("kernel") ? { kernel: measureKernel(say("kernel")) } : {}),
      ...(asks("ipvs") ? { ipvs: await measureBesideIpvs(say("ipvs")) } : {}),
      ...(asks("control") ? { control: await measureInside(CONTROL, say("control")) } : {}),
      ...(asks("failover")
        ? {
            failover: await measureInside(FAILOVER, say("failover")),
            keepalived: await measureKeepalived(say("failover")),
          }
        : {}),
      ...(asks("health") ? { health: await measureInside(HEALTH, say("health")) } : {}),
      ...(asks("end-to-end")
        ? { endToEnd: await measureInside(END_TO_END, say("end to end")) }
        : {}),
    };
    const text = report(figures);
    process.stdout.write(words.includes("--json") ? `${JSON.stringify(figures, null, 2)}\n` : text);
    if (one === undefined) writeFileSync(RESULTS, text);
    return 0;
  } catch (error) {
    if (!(error instanceof LabFailure)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    return 1;
  }
}

function insideOf(name: string | undefined): InsideBenchmark<unknown> {
  return [CONTROL, FAILOVER, HEALTH].find((each) => each.name === name) ?? END_TO_END;
}

function say(benchmark: string): (text: string) => void {
  return (text) => process.stderr.write(`bench: ${benchmark}: ${text}\n`);
}
