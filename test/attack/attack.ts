/** An attack is data: what it is, and how it is carried out on a stage. What it did is measured alike for all. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "./prober.ts";
import { type EngineName, Stage, type StageSettings } from "./stage.ts";

export interface Extent {
  readonly engine: EngineName;
  /** As `npm test` has it; else as `npm run attack`. */
  readonly isShort: boolean;
}

export interface Attack {
  /** By which it is asked for. */
  readonly name: string;
  readonly title: string;
  readonly stage?: StageSettings;
  /** Not part of `npm test`. */
  readonly isLong?: boolean;
  /** What part of the requests beside it may fail: 1 where the daemon is away. */
  readonly mayFail: number;
  /** Whether connections that were established before must all live on. */
  readonly breaksConnections?: boolean;
  /** By how many MB the daemon's memory may be larger after it; undefined: nobody judges. */
  readonly memoryMayGrow?: number;
  /** Resolves, when the attack is over, with how much of it there was. */
  carryOut(stage: Stage, extent: Extent): Promise<string>;
}

export interface Result {
  readonly attack: string;
  readonly title: string;
  /** How much of it there was. */
  readonly rate: string;
  /** Requests of ordinary clients beside it. */
  readonly asked: number;
  readonly failed: number;
  /** Connections that were established before and did not outlive it. */
  readonly broken: number;
  /** Milliseconds. */
  readonly p99Before: number;
  readonly p99Beside: number;
  /** The daemon's resident memory in MB. */
  readonly memoryBefore: number;
  readonly memoryAfter: number;
  /** How long after its end requests failed or took half a second; undefined: they never recovered. */
  readonly recoveryMs: number | undefined;
  /** What the daemon counted meanwhile, by reason: all but what it forwarded or passed. */
  readonly counted: Readonly<Record<string, number>>;
  /** What should not have happened; empty when all held. */
  readonly faults: readonly string[];
}

const CALM_MS = { long: 3_000, short: 1_000 };
const RECOVERY_POLL_MS = 1_000;
const RECOVERY_POLLS_MAX = 30;

export async function measure(attack: Attack, extent: Extent): Promise<Result> {
  await using stage = await Stage.open(attack.stage ?? {}, extent.engine);
  await sleep(CALM_MS[extent.isShort ? "short" : "long"]);
  const before = await stage.clients();
  const memoryBefore = stage.memory();
  const reasonsBefore = await stage.reasons();
  const rate = await attack.carryOut(stage, extent);
  const end = Date.now();
  const beside = await stage.clients();
  const { recovered, troubles, broken } = await recover(stage);
  const memoryAfter = stage.memory();
  const reasonsAfter = await stage.reasons();
  const lastTrouble = Math.max(beside.lastTrouble, ...troubles);
  const result = {
    attack: attack.name,
    title: attack.title,
    rate,
    asked: beside.asked,
    failed: beside.failed,
    broken: beside.broken + broken,
    p99Before: before.p99,
    p99Beside: beside.p99,
    memoryBefore,
    memoryAfter,
    counted: growth(reasonsBefore, reasonsAfter),
    recoveryMs: recovered ? Math.max(lastTrouble - end, 0) : undefined,
  };
  return { ...result, faults: faultsOf(result, attack, before, stage) };
}

/** A daemon that was started anew counts from 0. */
function growth(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): Record<string, number> {
  const changes = Object.entries(after).flatMap(([reason, count]) => {
    const change = count - (before[reason] ?? 0);
    const isOrdinary = /^(forward|pass)-/.test(reason);
    return isOrdinary || change === 0 ? [] : [[reason, change < 0 ? count : change] as const];
  });
  return Object.fromEntries(changes);
}

/** What is told of an attack for which the stage broke down. */
export function notCarriedOut({ name, title }: Attack, why: string): Result {
  return {
    attack: name,
    title,
    rate: "",
    asked: 0,
    failed: 0,
    broken: 0,
    p99Before: 0,
    p99Beside: 0,
    memoryBefore: 0,
    memoryAfter: 0,
    recoveryMs: undefined,
    counted: {},
    faults: [`not carried out: ${why}`],
  };
}

/** Until a second passes in which every request is answered. */
async function recover(stage: Stage) {
  const troubles: number[] = [];
  let broken = 0;
  for (let poll = 0; poll < RECOVERY_POLLS_MAX; poll++) {
    await sleep(RECOVERY_POLL_MS);
    const report = await stage.clients();
    troubles.push(report.lastTrouble);
    broken += report.broken;
    const isCalm = report.asked > 0 && report.failed === 0 && report.lastTrouble === 0;
    if (isCalm) return { recovered: true, troubles, broken };
  }
  return { recovered: false, troubles, broken };
}

function faultsOf(
  result: Omit<Result, "faults">,
  { mayFail, breaksConnections, memoryMayGrow = Number.POSITIVE_INFINITY }: Attack,
  before: Report,
  stage: Stage,
): string[] {
  const { asked, failed, broken, recoveryMs } = result;
  const faults: string[] = [];
  if (before.asked === before.failed) faults.push("no request was answered before it");
  if (!stage.isRunning) faults.push(`the daemon ended: ${stage.lastWords}`);
  if (failed > asked * mayFail) faults.push(`${failed} of ${asked} requests failed beside it`);
  const grown = result.memoryAfter - result.memoryBefore;
  if (grown > memoryMayGrow) faults.push(`the daemon's memory grew by ${grown} MB`);
  if (recoveryMs === undefined) faults.push("requests did not recover");
  if (broken > 0 && breaksConnections !== true) faults.push(`${broken} connections were broken`);
  return faults;
}
