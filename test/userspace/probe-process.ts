/**
 * Probes from inside of a network namespace, for tests. A line of its standard input is a probe: `{type, target, settings,
 * timeoutMs}` as JSON, and is answered by one, its outcome. Ends with its standard input.
 */
import { createInterface } from "node:readline";
import type { Checker, ProbeTarget } from "../../src/health/checker.ts";
import { CHECKERS } from "../../src/health/checks/index.ts";
import type { CheckKind } from "../../src/health/checks/settings.ts";

interface Asked {
  readonly type: CheckKind;
  readonly target: ProbeTarget;
  readonly settings: object;
  readonly timeoutMs: number;
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const { type, target, settings, timeoutMs } = JSON.parse(line) as Asked;
  const check = (await CHECKERS[type]()) as Checker<object>;
  console.log(JSON.stringify(await check(target, settings, AbortSignal.timeout(timeoutMs))));
}
