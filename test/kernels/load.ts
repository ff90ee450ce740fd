/** Whether the committed objects load and run on a kernel of its own, in a guest. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { boot } from "../conformance/machines/boot.ts";
import type { Machine } from "../conformance/machines/machine.ts";
import type { Loaded } from "./guest.ts";

const ROOT = join(import.meta.dirname, "../..");
const MODULES = ["sch_ingress", "cls_bpf", "tun"];

export interface LoadedOn extends Loaded {
  readonly kernel: string;
}

/** Throws with what the guest said when they do not load. */
export async function loadOn(machine: Machine, timeoutMs: number): Promise<LoadedOn> {
  const report = await boot(machine, {
    modules: MODULES,
    agent: [join(import.meta.dirname, "agent.py")],
    programme: `/mnt/sluice/node --disable-warning=ExperimentalWarning /mnt/sluice/test/kernels/guest.ts one`,
    copies: {
      "sluice/package.json": join(ROOT, "package.json"),
      "sluice/src": join(ROOT, "src"),
      "sluice/bpf": join(ROOT, "bpf"),
      "sluice/test/kernels": import.meta.dirname,
      // Where the host has these, the guest may have something else: /tmp is its own.
      "sluice/node": realpathSync(process.execPath),
      "sluice/node_modules/koffi": realpathSync(join(ROOT, "node_modules/koffi")),
      "sluice/node_modules/@koromix": realpathSync(join(ROOT, "node_modules/@koromix")),
    },
    timeoutMs,
    onProgress: () => {},
  });
  const [said = "", queues = ""] = report.split("\n");
  if (!said.startsWith("{")) throw new Error(`${machine.name}: ${report}`);
  if (queues.includes("clsact")) throw new Error(`${machine.name}: something stayed: ${queues}`);
  return { kernel: machine.kernel.version, ...(JSON.parse(said) as Loaded) };
}
