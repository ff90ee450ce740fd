/** The command line of `npm run conformance`. */
import { parseArgs } from "node:util";
import { ADMISSIONS, type Admission } from "../../src/daemon/options.ts";
import type { EngineName } from "./report/outcome.ts";

export interface Options {
  readonly kernel: KernelChoice;
  readonly engines: readonly EngineName[];
  /** Where the kernel engine opens connections. */
  readonly admission: Admission;
  /** Only cases whose "group: name" holds this text. */
  readonly filter: string;
  readonly isJson: boolean;
  readonly seed: number;
  /** How many command lines are composed. */
  readonly generated: number;
  readonly timeoutMs: number;
  /** A file for what --json says. */
  readonly report: string | undefined;
  /** A file with what the kernel did in host cases: what it holds is not asked again, what it lacks is kept there. */
  readonly kernelAnswers: string | undefined;
  /** Keeps the results in docs/conformance.json and writes docs/conformance.md from it. */
  readonly writesDocs: boolean;
  /** Also where the processor does not ask for it (machines/xstate.c). */
  readonly completesXstate: boolean;
  readonly isHelp: boolean;
}

export type KernelChoice =
  | { readonly name: "uml" }
  /** Of Debian's stock kernels the newest of a series ("6.12"), or the newest of all. */
  | { readonly name: "qemu"; readonly series: string | undefined };

/** User Mode Linux runs all cases in some three minutes; QEMU emulates every instruction. */
const TIMEOUT_SECONDS = { uml: 600, qemu: 1800 } as const;

export const HELP = `\
npm run conformance -- [OPTION]...
Runs every case on the kernel's own IPVS and on ours, and shows what differs.

  --kernel uml      Linux 6.1 in User Mode Linux (default)
  --kernel qemu     Debian's newest stock kernel under QEMU's emulation, --kernel qemu-6.12 that of a series: for the
                    scheduler twos and the rules of 6.12. Without --filter a selection of groups. Installs QEMU and
                    unpacks the kernel into ~/.cache/sluice (180 MB) when they are not there
  --engine NAME     of ours: director, userspace, kernel (these need root), or director and userspace (default)
  --admission WHERE where the kernel engine opens connections: host (default), behind the firewall, or wire
  --filter TEXT     only cases with TEXT in "group: name"; all that the kernel has what it takes for
  --json            one JSON object on stdout instead of text
  --report FILE     writes that object into a file, besides
  --seed N          for the composed command lines (default 1)
  --generated N     how many command lines are composed (default 2000)
  --timeout S       seconds after which the guest is ended (default 600, with QEMU 1800)
  --kernel-answers FILE   keeps there what the kernel did in host cases, and does not ask it again
  --write-docs      keeps the results of a whole run in docs/conformance.json, and writes docs/conformance.md from it; with
                    --engine that engine's column
  --complete-xstate loads a library before User Mode Linux that it needs on processors with AMX, on others, too
  --help
Exit code: 0 no difference but known ones (docs/differences.md), 1 differences or, without --filter, known ones that
no longer occur, 2 it could not run.
`;

export function readOptions(words: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    options: {
      kernel: { type: "string", default: "uml" },
      engine: { type: "string" },
      admission: { type: "string", default: "host" },
      filter: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      generated: { type: "string", default: "2000" },
      timeout: { type: "string" },
      report: { type: "string" },
      "kernel-answers": { type: "string" },
      "write-docs": { type: "boolean", default: false },
      "complete-xstate": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const kernel = kernelChoice(values.kernel);
  const engines = enginesOf(values.engine);
  if (values["write-docs"] && values.filter !== "")
    throw new RangeError("--write-docs: only a whole run, without --filter, is kept");
  return {
    kernel,
    engines,
    admission: admissionOf(values.admission, engines),
    filter: values.filter,
    isJson: values.json,
    seed: count("seed", values.seed),
    generated: count("generated", values.generated),
    timeoutMs: 1000 * count("timeout", values.timeout ?? String(TIMEOUT_SECONDS[kernel.name])),
    report: values.report,
    kernelAnswers: values["kernel-answers"],
    writesDocs: values["write-docs"],
    completesXstate: values["complete-xstate"],
    isHelp: values.help,
  };
}

function kernelChoice(text: string): KernelChoice {
  if (text === "uml") return { name: "uml" };
  const [, name, series] = /^(qemu)(?:-(\d+\.\d+))?$/.exec(text) ?? [];
  if (name === undefined)
    throw new RangeError(`--kernel ${text}: expected uml, qemu or qemu-VERSION, such as qemu-6.12`);
  return { name: "qemu", series };
}

const ENGINES: readonly EngineName[] = ["director", "userspace"];

function enginesOf(text: string | undefined): readonly EngineName[] {
  if (text === undefined) return ENGINES;
  const engine = ([...ENGINES, "kernel"] as const).find((name) => name === text);
  if (engine === undefined)
    throw new RangeError(`--engine ${text}: expected director, userspace or kernel`);
  return [engine];
}

function admissionOf(text: string, engines: readonly EngineName[]): Admission {
  const admission = ADMISSIONS.find((name) => name === text);
  if (admission === undefined)
    throw new RangeError(`--admission ${text}: expected ${ADMISSIONS.join(" or ")}`);
  if (admission === "wire" && !engines.includes("kernel"))
    throw new RangeError("--admission wire: only with --engine kernel");
  return admission;
}

function count(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`--${name} ${text}: expected a whole number`);
  return Number(text);
}
