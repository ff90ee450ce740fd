/** The kernel's own IPVS as a side: writes the agent's programme (guest/agent.py), reads its report. */
import type { Case, Frame, Observation, Report, Side, Step } from "./case.ts";
import { readConnections, readServices } from "./kernel-files.ts";
import { DIRECTOR_HOST, INTERFACES } from "./laboratory.ts";
import { boot } from "./machines/boot.ts";
import type { Machine } from "./machines/machine.ts";
import { frameOf } from "./packets.ts";
import { Place } from "./place.ts";

// biome-ignore format: a list
const MODULES = [
  "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_wlc", "ip_vs_sed", "ip_vs_nq", "ip_vs_lblc", "ip_vs_lblcr",
  "ip_vs_dh", "ip_vs_sh", "ip_vs_mh", "ip_vs_fo", "ip_vs_ovf", "ip_vs_twos", "ip_vs_pe_sip", "sctp", "tun",
  // A checksum that some of them ask for by what it computes.
  "crc32c_generic",
].toReversed();

const PREPARATION = "prepare";

export interface KernelSideOptions {
  /** The guests are ended when they take longer. */
  readonly timeoutMs: number;
  /** Says on stderr now and then how far it is. */
  readonly isTalkative: boolean;
}

export class KernelSide implements Side {
  readonly #machine: Machine;
  readonly #timeoutMs: number;
  readonly #isTalkative: boolean;

  constructor(machine: Machine, { timeoutMs, isTalkative }: KernelSideOptions) {
    this.#machine = machine;
    this.#timeoutMs = timeoutMs;
    this.#isTalkative = isTalkative;
  }

  /**
   * Two guests at once: one works through command lines, which flush the table, the other through packets. Without
   * command lines they share the packets.
   */
  async perform(cases: readonly Case[]): Promise<Report[][]> {
    const numbered = cases.map((each, index) => ({ index, each }));
    const { true: commands = [], false: packets = [] } = Object.groupBy(numbered, ({ each }) =>
      each.steps.some(({ kind }) => kind === "begin") ? "true" : "false",
    );
    const reports = cases.map((): Report[] => []);
    await Promise.all(
      (commands.length === 0 ? halves(packets) : [commands, packets])
        .filter((share) => share.length > 0)
        .map((share) => this.#performIn(share, cases, reports)),
    );
    return reports;
  }

  async #performIn(
    share: readonly Numbered[],
    cases: readonly Case[],
    reports: Report[][],
  ): Promise<void> {
    const text = await boot(this.#machine, {
      modules: MODULES,
      programme: programme(share),
      timeoutMs: this.#timeoutMs,
      onProgress: (report) => {
        if (this.#isTalkative) process.stderr.write(progress(report, share, cases));
      },
    });
    for (const line of text.split("\n")) {
      const [name = "", step, at, kind = "", ...words] = line.split(" ");
      if (name === PREPARATION) checkPrepared(kind, words);
      const of = cases[Number(name)];
      if (of === undefined || name === "") continue;
      reports[Number(name)]![Number(step)] = {
        atMs: Number(at),
        observation: observed(kind, words, of.steps[Number(step)]!),
      };
    }
  }
}

/** Every second one: groups are in both. */
function halves(cases: readonly Numbered[]): Numbered[][] {
  return [0, 1].map((half) => cases.filter((_, index) => index % 2 === half));
}

function checkPrepared(kind: string, words: readonly string[]): void {
  if (kind !== "ran") return;
  const [code, , complaint] = words;
  if (code !== "0")
    throw new Error(`The guest cannot be prepared: ${unpacked(complaint).toString()}`);
}

/** How much of its share a guest has done, by its report so far. */
function progress(report: string, share: readonly Numbered[], cases: readonly Case[]): string {
  const [last = ""] = report.trimEnd().split("\n").slice(-1);
  const number = Number(last.split(" ")[0] || Number.NaN);
  const done = share.findIndex(({ index }) => index === number);
  const at = done < 0 ? "booting" : `case ${done + 1} of ${share.length}: ${cases[number]!.group}`;
  return `conformance: ${at}\n`;
}

interface Numbered {
  /** Among all cases: it is the case's name in the guest, and says its place. */
  readonly index: number;
  readonly each: Case;
}

/** Cases of one group wait together, so that the whole waits no longer than its most patient case. */
function programme(cases: readonly Numbered[]): string {
  const lines = [`case ${PREPARATION}`, ...preparation(cases)];
  let group = "";
  for (const { index, each } of cases) {
    if (each.group !== group) lines.push("together");
    group = each.group;
    lines.push(`case ${index}`);
    for (const [name, value] of Object.entries(each.sysctls)) {
      lines.push(`with net/ipv4/vs/${name} ${value}`);
    }
    const place = new Place(index);
    lines.push(...each.steps.map((step) => lineOf(step, place)));
  }
  return `${lines.join("\n")}\n`;
}

function preparation(cases: readonly Numbered[]): string[] {
  const { sysctls } = DIRECTOR_HOST;
  const batch = [...DIRECTOR_HOST.batch, ...cases.filter(usesInet6).map(inet6Vip)];
  return [
    ...INTERFACES.map(({ name }) => `wire ${name}`),
    ...Object.entries(sysctls).map(([path, value]) => `sysctl ${path} ${packed(value)}`),
    `run ${packed("ip\0-batch\0-")} ${packed(`${batch.join("\n")}\n`)}`,
  ];
}

function usesInet6({ each }: Numbered): boolean {
  return JSON.stringify(each.steps).includes("VIP6");
}

/** A local route is not enough: errors come from the VIP only where it is an address of an interface. */
function inet6Vip({ index }: Numbered): string {
  return `address add ${new Place(index).vip6}/128 dev lo nodad`;
}

function lineOf(step: Step, place: Place): string {
  switch (step.kind) {
    case "ipvsadm": {
      const words = ["ipvsadm", ...step.words.map((word) => place.fill(word))];
      return `run ${packed(words.join("\0"))} ${packed(place.fill(step.stdin))}`;
    }
    case "begin":
      return `begin ${packed(step.rules)}`;
    case "rules":
      return "rules";
    case "packet": {
      const { wire, bytes } = frameOf(place.fill(step.packet));
      return `send ${wire} ${Buffer.from(bytes).toString("hex")}`;
    }
    case "wait":
      return `wait ${step.ms}`;
    case "connections":
      return `connections ${place.needles.join(" ")}`;
    case "services":
      return `services ${place.needles.join(" ")}`;
  }
}

function observed(kind: string, words: readonly string[], step: Step): Observation {
  switch (kind) {
    case "ran": {
      const [code, output, complaint] = words;
      return {
        kind,
        exitCode: Number(code),
        stdout: unpacked(output).toString(),
        stderr: unpacked(complaint).toString(),
      };
    }
    case "sent":
      return { kind, frames: words.map(frame) };
    case "saw": {
      const text = unpacked(words[0]).toString();
      return { kind, lines: step.kind === "services" ? readServices(text) : readConnections(text) };
    }
    default:
      return { kind: "waited" };
  }
}

function frame(word: string): Frame {
  const [wire = "", digits] = word.split(":");
  return { wire, bytes: unpacked(digits) };
}

function packed(text: string): string {
  return Buffer.from(text).toString("hex") || "-";
}

function unpacked(word: string | undefined): Buffer {
  return Buffer.from(word === "-" || word === undefined ? "" : word, "hex");
}
