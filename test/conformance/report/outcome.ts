/** One case on one engine: what differs from the kernel, and what of it is meant to. */
import type { Kernel } from "../machines/machine.ts";
import type { Difference } from "./compare.ts";
import { type KnownDifference, knownDifference } from "./known-differences.ts";

export type EngineName = "director" | "userspace" | "kernel";

/** Of the tables: an engine, and where it admits connections. */
export type Column = EngineName | "kernel-wire";

/** `admission`: of the kernel engine. */
export function columnOf(engine: EngineName, admission: "host" | "wire"): Column {
  return engine === "kernel" && admission === "wire" ? "kernel-wire" : engine;
}

export const ENGINE_TITLES: Readonly<Record<Column, string>> = {
  director: "bare director",
  userspace: "userspace engine",
  kernel: "kernel engine",
  "kernel-wire": "kernel engine, `--admission wire`",
};

export interface JudgedDifference extends Difference {
  readonly known: KnownDifference | undefined;
}

/** What there is to say of a case besides what came of it. */
export interface Described {
  readonly group: string;
  readonly name: string;
}

export interface Outcome {
  readonly case: Described;
  /** Steps that were compared. */
  readonly comparisons: number;
  readonly engine: Column;
  readonly differences: readonly JudgedDifference[];
}

export function judge(
  of: Described,
  comparisons: number,
  engine: Column,
  kernel: Kernel,
  differences: readonly Difference[],
): Outcome {
  return {
    case: of,
    comparisons,
    engine,
    differences: differences.map((each) => ({
      ...each,
      known: knownDifference(of, each, engine, kernel),
    })),
  };
}

/** `known`: every difference is a known one. */
export function verdictOf({ differences }: Outcome): "agrees" | "known" | "differs" {
  if (differences.length === 0) return "agrees";
  return differences.every(({ known }) => known !== undefined) ? "known" : "differs";
}
