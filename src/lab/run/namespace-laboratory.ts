/** A laboratory on network namespaces, held by the process that opened it until that one ends or lets it stay. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { LabFailure } from "../failure.ts";
import type { Laboratory } from "../laboratory.ts";
import { runLine } from "../network/host.ts";
import { HOST_NAMES, type HostName } from "../network/plan.ts";
import { hostEnvironment } from "../program.ts";
import type { BareOptions } from "./bare.ts";
import { MARK, needsUserNamespace, startInside } from "./box.ts";
import { follow, Interruption, leashOf, release } from "./held-inside.ts";
import { enterKept } from "./kept-lab.ts";
import { forgetKept, startTimeOf, writeKept } from "./state-file.ts";

export interface NamespaceLaboratory extends Laboratory {
  /** Lets it stay without us, remembered in `stateFile`. */
  keep(stateFile: string): void;
  /** While it is remembered, `sluice lab shell` finds it. */
  readonly remember: (stateFile: string) => Disposable;
  /** The exit code that a signal asks for, when one came. */
  readonly interrupted: () => number | undefined;
}

/** Throws a LabFailure when the machine grants no namespaces, or something does not start. */
export async function openLaboratory(options: BareOptions): Promise<NamespaceLaboratory> {
  const inUserNamespace = needsUserNamespace(process.getuid!() === 0);
  const mark = randomUUID();
  const words = ["sluice", "lab", "@bare", JSON.stringify(options)];
  const inside = startInside(inUserNamespace, mark, words);
  const interruption = new Interruption(inside);
  let where: { pid: number; hosts: Readonly<Record<HostName, number>> } | undefined;
  const { failure } = await follow(inside, (event, pid) => {
    if (event.kind === "kept") where = { pid, hosts: event.hosts as Record<HostName, number> };
  });
  if (where === undefined) {
    interruption[Symbol.dispose]();
    throw new LabFailure(failure ?? "The laboratory ended early");
  }
  // It may tell more, which nobody waits for.
  inside.stdout!.resume();
  const kept = { ...where, inUserNamespace };
  const write = (stateFile: string): void => {
    const startTime = startTimeOf(kept.pid) ?? "";
    writeKept(stateFile, { scenario: options.scenario, startTime, ...kept });
  };
  const env = { ...hostEnvironment(process.env), [MARK]: mark };
  return {
    hosts: HOST_NAMES,
    run: async (host, line) => {
      const argv = enterKept(kept, host as HostName, ["sh", "-c", line]);
      const { code, output } = await runLine(argv, LINE_TIMEOUT_MS, env);
      return { status: code, output };
    },
    close: async () => {
      interruption[Symbol.dispose]();
      if (inside.exitCode !== null || inside.signalCode !== null) return;
      const closed = once(inside, "exit");
      leashOf(inside).destroy();
      await closed;
    },
    remember: (stateFile) => {
      write(stateFile);
      return { [Symbol.dispose]: () => forgetKept(stateFile) };
    },
    keep: (stateFile) => {
      interruption[Symbol.dispose]();
      write(stateFile);
      release(inside);
    },
    interrupted: () => interruption.exitCode,
  };
}

const LINE_TIMEOUT_MS = 20_000;
