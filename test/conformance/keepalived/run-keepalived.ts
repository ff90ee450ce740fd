/** Runs keepalived's and ldirectord's configurations on both sides at once, and says after which step the rules differ. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeConfiguration } from "../../../src/configuration/write.ts";
import { KINDS } from "../../../src/import/kinds.ts";
import { TEST_NAMES } from "../../names.ts";
import { serveIpvsadm } from "../host/ipvsadm-server.ts";
import { ldirectordFolder, ldirectordWords } from "../ldirectord/perl.ts";
import { boot } from "../machines/boot.ts";
import type { Machine } from "../machines/machine.ts";
import type { Difference } from "../report/compare.ts";
import { judge, type Outcome, verdictOf } from "../report/outcome.ts";
import type { KeepalivedCase } from "./case.ts";

export interface KeepalivedRunOptions {
  readonly machine: Machine;
  readonly timeoutMs: number;
}

const AGENT_FOLDER = join(import.meta.dirname, "agent");
const BIN = join(import.meta.dirname, "../../../bin");
const CONFIGURATION = "sluice.yaml";

// biome-ignore format: a list
const MODULES = [
  "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_wlc", "ip_vs_sh", "ip_vs_mh", "ip_vs_dh", "ip_vs_sed", "ip_vs_nq",
  "ip_vs_lblc", "ip_vs_lblcr", "ip_vs_fo", "ip_vs_ovf", "ip_vs_pe_sip", "veth",
].toReversed();

// biome-ignore format: words and their values
const KEEPALIVED = [
  "keepalived", "--dont-fork", "--log-console", "--check", "--dont-respawn",
  "--use-file", "{folder}/keepalived.conf", "--pid", "{folder}/pid", "--checkers_pid", "{folder}/checkers-pid",
];

// biome-ignore format: words and their values
const SLUICE = [
  join(BIN, "sluice"), "daemon", "--engine", "userspace", "--no-state", "--grace", "0", "--connections", "4096",
  "--log-level", "warn", "--socket", "{folder}/socket", "--config", `{folder}/${CONFIGURATION}`,
];

/** What keepalived tells by this, a program tells of ours in the same words. */
const TELLING = "global_defs {\n  lvs_notify_fifo {folder}/fifo\n}\n";
const TELL = '#!/bin/sh\necho "$*" > {folder}/fifo\n';
const TELLER = { exec: "{folder}/tell.sh", events: ["destination-", "quorum-"] };

/** Where the guest has it. */
const GUEST_LDIRECTORD = "/mnt/ldirectord";

/** Cases at once; they mostly wait. ldirectord starts programs all the time, which takes the guest's one processor a while. */
const PARALLEL = { keepalived: 6, ldirectord: 2, ours: 3 } as const;

/** What differs is run once more, alone and more patiently: a busy machine's time is not twice the same. */
export async function runKeepalived(
  given: readonly KeepalivedCase[],
  options: KeepalivedRunOptions,
): Promise<Outcome[]> {
  const ldirectord = given.some(({ program }) => program === "ldirectord")
    ? ldirectordFolder()
    : undefined;
  const cases = given.filter(({ program }) => program === "keepalived" || ldirectord !== undefined);
  if (cases.length < given.length) {
    process.stderr.write(
      "ldirectord is not there (scripts/setup conformance): its cases are left out\n",
    );
  }
  if (cases.length === 0) return [];
  const outcomes = await runOnce(cases, options);
  const differing = outcomes.flatMap((each, index) =>
    verdictOf(each) === "differs" ? [{ ...cases[index]!, quietMs: 2 * cases[index]!.quietMs }] : [],
  );
  if (differing.length === 0) return outcomes;
  const again = await runOnce(differing, options);
  return outcomes.map((first) => again.find((each) => each.case.name === first.case.name) ?? first);
}

interface Told {
  readonly number: number;
  readonly rules?: readonly string[];
  /** What it told of servers, a line each, after each step. */
  readonly news?: readonly string[];
  readonly log?: string;
  readonly why?: string;
}

async function runOnce(
  cases: readonly KeepalivedCase[],
  { machine, timeoutMs }: KeepalivedRunOptions,
): Promise<Outcome[]> {
  const hasLdirectord = cases.some(({ program }) => program === "ldirectord");
  const [theirs, ours] = await Promise.all([
    boot(machine, {
      agent: readdirSync(AGENT_FOLDER).map((name) => join(AGENT_FOLDER, name)),
      modules: MODULES,
      copies: hasLdirectord ? { ldirectord: ldirectordFolder()! } : {},
      programme: programmeOf(
        cases.map((each, number) => ({
          ...common(each, number),
          balancer: each.program === "keepalived" ? KEEPALIVED : ldirectordWords(GUEST_LDIRECTORD),
          ipvsadm: null,
        })),
        PARALLEL[hasLdirectord ? "ldirectord" : "keepalived"],
      ),
      timeoutMs,
      onProgress: () => {},
    }),
    performOnOurs(cases, timeoutMs),
  ]);
  const [left, right] = [readReport(theirs), readReport(ours)];
  return cases.map((each, number) =>
    judge(
      each,
      each.steps.length + 1,
      "userspace",
      machine.kernel,
      differencesOf(each, left.get(number), right.get(number)),
    ),
  );
}

function common({ program, files, conf, begin, steps, quietMs }: KeepalivedCase, number: number) {
  const own =
    program === "keepalived"
      ? { "keepalived.conf": `${TELLING}${conf}` }
      : { "ldirectord.cf": conf };
  return {
    number,
    files: { ...files, ...own },
    begin,
    steps: steps.map(({ actions }) => actions),
    quietMs,
  };
}

function programmeOf(cases: readonly object[], parallel: number): string {
  return JSON.stringify({ parallel, cases });
}

/** `sluice daemon` with what `sluice import` makes of each. */
async function performOnOurs(cases: readonly KeepalivedCase[], timeoutMs: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-keepalived-"));
  try {
    const ipvsadm = join(folder, "ipvsadm");
    await using _served = await serveIpvsadm(ipvsadm);
    const imported = await Promise.all(
      cases.map(async (each, number) => {
        const { files, ...others } = common(each, number);
        const options = { names: TEST_NAMES, id: undefined };
        const { content } = await KINDS[each.program](each.program, each.conf, options);
        // ldirectord tells nobody.
        const tellers = each.program === "keepalived" ? [TELLER] : [];
        const notify = [...(content.notify ?? []), ...tellers];
        const text = writeConfiguration({ ...content, notify }, []);
        const all = { ...files, [CONFIGURATION]: text, "tell.sh": TELL };
        return { ...others, files: all, balancer: SLUICE, ipvsadm };
      }),
    );
    // No modules: this kernel has its own.
    writeFileSync(join(folder, "programme"), `\n${programmeOf(imported, PARALLEL.ours)}`);
    return await untilDone(folder, timeoutMs);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function untilDone(folder: string, timeoutMs: number): Promise<string> {
  const [programme, report] = [join(folder, "programme"), join(folder, "report")];
  const agent = join(AGENT_FOLDER, "agent.py");
  // Everything that it starts ends when what started it does.
  const words = ["--pdeathsig", "KILL", "--", "python3", "-S", "-B", agent, programme, report];
  const child = spawn("setpriv", words, {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, TMPDIR: folder },
  });
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints += chunk;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        if (code === 0) resolve();
        else
          reject(
            new Error(`The agent of keepalived's cases ended (${signal ?? code}): ${complaints}`),
          );
      });
    });
  } finally {
    clearTimeout(timer);
  }
  return readFileSync(report, "utf8");
}

function readReport(text: string): ReadonlyMap<number, Told> {
  const told = text.split("\n").filter((line) => line.startsWith("{"));
  return new Map(
    told.map((line) => {
      const each = JSON.parse(line) as Told;
      return [each.number, each];
    }),
  );
}

function differencesOf(
  { steps, conf }: KeepalivedCase,
  theirs: Told | undefined,
  ours: Told | undefined,
): Difference[] {
  return ["it starts", ...steps.map(({ title }) => title)].flatMap((what, step) => {
    const [left, right] = [linesAfter(theirs, step), inWordsOf(conf, linesAfter(ours, step))];
    const isSame =
      left.join("\n") === right.join("\n") && !left.some((line) => line.startsWith("("));
    return isSame ? [] : [{ step, what, theirs: left, ours: right }];
  });
}

/** keepalived tells of a group as one, by its name; ours of each of its services, which are up and down together. */
function inWordsOf(conf: string, lines: readonly string[]): string[] {
  const [, group] = /^virtual_server group (\S+)/m.exec(conf) ?? [];
  if (group === undefined) return [...lines];
  const named = lines.map((line) =>
    line
      .replace(/^(told: (?:RS \S+ |VS ))(?:FWM \d+|\S+) (UP|DOWN)$/, `$1[${group}]:0 $2`)
      .replace(/^(told: RS \S+):none:/, "$1:tcp:"),
  );
  return [...new Set(named)].toSorted();
}

/**
 * What was told in the last of these steps that is not as it was before: a busy machine's checks fail now and then, and what
 * went down and up again by that says nothing.
 */
function newsOf(steps: readonly string[]): string[] {
  const states = new Map<string, string>();
  let news: string[] = [];
  for (const step of steps) {
    const before = new Map(states);
    for (const line of step.split("\n")) {
      const [, about, state] = /^(.*) (up|down)$/i.exec(line) ?? [];
      if (about !== undefined && state !== undefined) states.set(about, state);
    }
    news = [...states].flatMap(([about, state]) =>
      before.get(about) === state ? [] : [`${about} ${state}`],
    );
  }
  return news;
}

/** Each line names its service: their order says nothing. What was told of servers is among them. */
function linesAfter(told: Told | undefined, step: number): string[] {
  const rules = told?.rules?.[step];
  if (rules === undefined) return [`(no rules: ${told?.why ?? "no report"})`];
  const news = newsOf(told?.news?.slice(0, step + 1) ?? [])
    .map((line) => `told: ${line}\n`)
    .join("");
  return `${rules}\n${news}`
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .toSorted();
}
