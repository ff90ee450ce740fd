/** Checks as files say them, by a name or in their place, as plans with all defaults in their places. */

import { nearest } from "../base/nearest.ts";
import { millisecondsOf } from "../base/period.ts";
import { CHECK_KINDS } from "../health/checks/settings.ts";
import { type CheckPlan, canonical } from "../ipvs/desired/health.ts";
import type { ConfigurationFile } from "./files.ts";
import { COMMON } from "./health-schema.ts";
import type { ConfigurationProblem, Path } from "./problem.ts";
import type { CheckContent, CheckKeys } from "./schema.ts";

const DEFAULT_MS = { interval: 5_000, timeout: 3_000, retry: 1_000 } as const;
const DEFAULT_RISE = 2;
const DEFAULT_FALL = 3;
const JITTER_PART = 10;

/** A part of a file that may say how destinations are checked. */
export interface CheckLevel {
  readonly file: ConfigurationFile;
  readonly path: Path;
  readonly content: CheckKeys | undefined;
}

export class Checks {
  readonly #named = new Map<string, { readonly plan: CheckPlan; readonly place: string }>();
  readonly #problems: ConfigurationProblem[];
  /** A level is looked at for each destination below it, and told of once. */
  readonly #known = new Map<CheckKeys, readonly CheckPlan[]>();

  constructor(files: readonly ConfigurationFile[], problems: ConfigurationProblem[]) {
    this.#problems = problems;
    for (const file of files) {
      for (const [name, content] of Object.entries(file.content.checks ?? {})) {
        this.#name(file, name, content);
      }
    }
  }

  /** What the nearest level says that says anything. */
  of(nearestFirst: readonly CheckLevel[]): readonly CheckPlan[] {
    const level = nearestFirst.find(
      ({ content }) => content?.check !== undefined || content?.checks !== undefined,
    );
    if (level === undefined) return [];
    const content = level.content!;
    let plans = this.#known.get(content);
    if (plans === undefined) {
      plans = this.#read(level, content);
      this.#known.set(content, plans);
    }
    return plans;
  }

  #name(file: ConfigurationFile, name: string, content: CheckContent): void {
    const known = this.#named.get(name);
    const path = ["checks", name];
    const { line } = file.document.problem(path, "");
    if (known === undefined) {
      const place = `${file.document.file}:${line}`;
      this.#named.set(name, { plan: checkPlan(content, name), place });
      return;
    }
    this.#problems.push(
      file.document.problem(path, `a check of this name stands at ${known.place} already`),
    );
  }

  #read({ file, path }: CheckLevel, { check, checks }: CheckKeys): readonly CheckPlan[] {
    if (check !== undefined && checks !== undefined) {
      const at = [...path, "check"];
      this.#problems.push(file.document.problem(at, "check and checks exclude each other"));
    }
    const all = checks ?? [check!];
    const plans = all.flatMap((each, index) => {
      if (typeof each !== "string") return [checkPlan(each, undefined)];
      const known = this.#named.get(each);
      if (known !== undefined) return [known.plan];
      const at = checks === undefined ? [...path, "check"] : [...path, "checks", index];
      const message = `no check is called ${amongOthers(each, [...this.#named.keys()])}`;
      this.#problems.push(file.document.problem(at, message));
      return [];
    });
    // One that is said twice is asked once.
    return [...new Map(plans.map((plan) => [canonical(plan), plan])).values()];
  }
}

/** A name that nothing has, and which one may be meant. */
export function amongOthers(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  const said = JSON.stringify(name);
  if (meant !== undefined) return `${said}, did you mean "${meant}"?`;
  return names.length === 0 ? `${said}: there is none` : `${said}: there are ${names.join(", ")}`;
}

/** Whether such a check needs a port that neither it nor the destination has. */
export function lacksPort({ type, port }: CheckPlan, destinationPort: number): boolean {
  const kind = CHECK_KINDS[type as keyof typeof CHECK_KINDS];
  return kind.hasPort && port === undefined && destinationPort === 0;
}

function checkPlan(content: CheckContent, name: string | undefined): CheckPlan {
  const { interval, jitter, timeout, retry, backoff } = content;
  const intervalMs = millisecondsOf(interval ?? DEFAULT_MS.interval / 1_000);
  return {
    name,
    type: content.type,
    settings: Object.fromEntries(
      Object.entries(content).filter(
        ([key, value]) => key !== "type" && !Object.hasOwn(COMMON, key) && value !== undefined,
      ),
    ),
    intervalMs,
    jitterMs: jitter === undefined ? Math.floor(intervalMs / JITTER_PART) : millisecondsOf(jitter),
    timeoutMs: millisecondsOf(timeout ?? DEFAULT_MS.timeout / 1_000),
    retryMs: retry === undefined ? Math.min(DEFAULT_MS.retry, intervalMs) : millisecondsOf(retry),
    backoffMs: Math.max(intervalMs, millisecondsOf(backoff ?? 0)),
    rise: content.rise ?? DEFAULT_RISE,
    fall: content.fall ?? DEFAULT_FALL,
    start: content.start ?? "up",
    address: content.address,
    port: content.port,
    via: content.via,
  };
}
