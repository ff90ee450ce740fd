/** Laboratories as a person starts them, and what is left of them on the machine. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";

export const CHECKOUT = resolve(import.meta.dirname, "..");
export const SLUICE = join(CHECKOUT, "bin/sluice");
/** Goes down to every process that these tests start, so that other laboratories of the machine are left alone. */
const MARK = `LAB_TEST=${randomUUID()}`;
const STATE_FILE = "/run/sluice/lab.json";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface StepReport {
  readonly step: number;
  readonly says: string;
  readonly ok: boolean;
  readonly evidence: string;
}

export function start(
  file: string,
  args: readonly string[],
): ChildProcess & { readonly ended: Promise<Ended> } {
  const [name, value] = MARK.split("=") as [string, string];
  const env = { ...process.env, [name]: value };
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, "close").then(([code]): Ended => ({ code, stdout, stderr }));
  return Object.assign(child, { ended });
}

/** Where nobody else's kept laboratory is seen, which would be in the way: other tests keep one meanwhile. */
const APART = "mkdir -p /run/sluice && mount -t tmpfs tmpfs /run/sluice";
export const scriptApart = (script: string, ...args: readonly string[]): ReturnType<typeof start> =>
  start("unshare", ["--mount", "sh", "-c", `${APART} && ${script}`, SLUICE, ...args]);
export const startApart = (...args: readonly string[]): ReturnType<typeof start> =>
  scriptApart('exec "$0" "$@"', ...args);
export const sluiceApart = (...args: readonly string[]): Promise<Ended> =>
  startApart(...args).ended;

export const sluice = (...args: readonly string[]): Promise<Ended> => start(SLUICE, args).ended;

/** As the user nobody, who reaches the checkout wherever it is, because it is also mounted below /mnt. */
const AS_NOBODY = `mount --bind "$0" /mnt && cd /mnt &&
  exec setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/ XDG_RUNTIME_DIR= bin/sluice "$@"`;
export const sluiceAsNobody = (...args: readonly string[]): Promise<Ended> =>
  start("unshare", ["--mount", "sh", "-c", AS_NOBODY, CHECKOUT, ...args]).ended;

export function reports({ stdout }: Ended): { steps: StepReport[]; summary: unknown } {
  const objects = stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  return { steps: objects.slice(0, -1) as StepReport[], summary: objects.at(-1) };
}

/** Every statement held: on a failure the report shows the evidence. */
export function expectAllOk(ended: Ended, stepCount: number): void {
  expect(ended.stderr).toBe("");
  const { steps, summary } = reports(ended);
  expect(steps.filter(({ ok }) => !ok)).toEqual([]);
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: stepCount }, (_, i) => i + 1));
  expect(summary).toEqual({ summary: { passed: stepCount, failed: 0 } });
  expect(ended.code).toBe(0);
}

/** Processes that these tests' laboratories started: their command lines by process id. */
export function labProcesses(): Map<number, string> {
  const found = new Map<number, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      if (!environment.includes(MARK)) continue;
      found.set(Number(pid), readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** What a laboratory's namespaces, cards and addresses look like. Of the machine's own things none does. */
const TRACES =
  /sluice|node0[123]|02:00:(c0:a8:96|cb:00:71|01:50:00|0d:b8:00)|192\.168\.150\.1|203\.0\.113\.1|fd00:150::|2001:db8::1/;

/** Where a laboratory that is kept is remembered. */
export const KEPT = [STATE_FILE, "/tmp/sluice-65534/lab.json"];

/** What laboratories left on the machine; `kept`: those that may be kept, too, which one file of tests does at a time. */
export function traces(kept: readonly string[] = []): readonly string[] {
  const shown = [
    ["ip", "netns", "list"],
    ["ip", "-o", "link"],
    ["ip", "-o", "address"],
    ["nft", "list", "ruleset"],
  ] as const;
  return [
    ...shown
      .flatMap(([file, ...args]) => execFileSync(file, args, { encoding: "utf8" }).split("\n"))
      .filter((line) => TRACES.test(line)),
    ...kept.filter((path) => existsSync(path)),
    ...labProcesses().values(),
  ];
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    if (condition()) return;
    await delay(20);
  }
  throw new Error(`Waited 20 s in vain: ${what}`);
}

/** A run that has come to the step that begins with `title`. */
export async function runTo(title: string): Promise<ReturnType<typeof start>> {
  const lab = startApart("lab", "dr");
  let text = "";
  lab.stdout!.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await until(() => text.includes(title), title);
  return lab;
}
