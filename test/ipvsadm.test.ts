import { afterAll, beforeAll, expect, test } from "vitest";
import { USAGE } from "../src/cli/ipvsadm/usage.ts";
import { VERSION } from "../src/cli/ipvsadm/version.ts";
import { type DesiredState, EMPTY_STATE } from "../src/ipvs/desired/desired-state.ts";
import { type ApiBench, openApiBench } from "./api-bench.ts";
import { readRecordings } from "./golden.ts";
import { ipvsadm } from "./ipvsadm-bench.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await openApiBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const recordings = [
  ...readRecordings("ipvsadm-lines.golden.txt"),
  ...readRecordings("ipvsadm-views.golden.txt"),
];

test.for(recordings)("ipvsadm $line", async ({ table, line, exitCode, stdout, stderr, after }) => {
  const base = await tableOf(table);
  await bench.control.change(() => base);
  const before = await saved();
  const outcome = await ipvsadm(bench.socketPath, line);
  expect(outcome).toEqual({ exitCode, stdout: text(stdout), stderr: text(stderr) });
  expect(difference(before, await saved())).toEqual(after.toSorted());
});

test.for(readRecordings("ipvsadm-restore.golden.txt"))(
  "ipvsadm -R of $line",
  async ({ line, exitCode, stdout, stderr, after }) => {
    await bench.control.change(() => EMPTY_STATE);
    const input = line.replaceAll(/\\(.)/g, (_, letter) => ESCAPE[letter] ?? letter);
    const outcome = await ipvsadm(bench.socketPath, "-R", input);
    expect(outcome).toEqual({ exitCode, stdout: text(stdout), stderr: text(stderr) });
    expect(await saved()).toEqual(after.map((rule) => rule.slice(2)));
  },
);

const ESCAPE: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

const tables = new Map<readonly string[], DesiredState>();

/** The state that the rules make, made once. */
async function tableOf(rules: readonly string[]): Promise<DesiredState> {
  const known = tables.get(rules);
  if (known !== undefined) return known;
  await bench.control.change(() => EMPTY_STATE);
  await ipvsadm(bench.socketPath, "-R", text(rules));
  tables.set(rules, bench.control.state);
  return bench.control.state;
}

async function saved(): Promise<string[]> {
  const { stdout } = await ipvsadm(bench.socketPath, "-S -n");
  return stdout.split("\n").slice(0, -1);
}

function difference(before: readonly string[], after: readonly string[]): string[] {
  const gone = before.filter((rule) => !after.includes(rule)).map((rule) => `- ${rule}`);
  const come = after.filter((rule) => !before.includes(rule)).map((rule) => `+ ${rule}`);
  return [...gone, ...come].toSorted();
}

function text(lines: readonly string[]): string {
  const whole = lines.map((line) => `${line}\n`).join("");
  return whole.replace("(usage)\n", VERSION + USAGE);
}
