/** The kernel's own IPVS as a side: writes the agent's programme (guest/agent.py), reads its report. */
import type { Case, Frame, Observation, Report, Side, SideOptions, Step } from "./case.ts";
import { readConnections, readServices } from "./kernel-files.ts";
import { MARK_MODULES, markPreparation, markScript } from "./kernel-marks.ts";
import { DIRECTOR_HOST, INTERFACES } from "./laboratory.ts";
import { boot } from "./machines/boot.ts";
import type { Machine } from "./machines/machine.ts";
import { frameOf } from "./packets.ts";
import { Place } from "./place.ts";
import { type PlacedCase, placed, shares } from "./shares.ts";
import { vip6Lines } from "./vip6.ts";

// biome-ignore format: a list
const MODULES = [
  "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_wlc", "ip_vs_sed", "ip_vs_nq", "ip_vs_lblc", "ip_vs_lblcr",
  "ip_vs_dh", "ip_vs_sh", "ip_vs_mh", "ip_vs_fo", "ip_vs_ovf", "ip_vs_twos", "ip_vs_pe_sip", "sctp", "tun",
  // A checksum that some of them ask for by what it computes.
  "crc32c_generic",
  ...MARK_MODULES,
].toReversed();

const PREPARATION = "prepare";

/** Guests that share the packets: the work of a machine's processors, less what our own sides need. */
const PACKET_GUESTS = 2;

export class KernelSide implements Side {
  readonly #machine: Machine;
  readonly #options: SideOptions;

  constructor(machine: Machine, options: SideOptions) {
    this.#machine = machine;
    this.#options = options;
  }

  /** In several guests at once. */
  async perform(cases: readonly Case[]): Promise<Report[][]> {
    const reports = cases.map((): Report[] => []);
    const done: number[] = [];
    await Promise.all(
      shares(placed(cases), PACKET_GUESTS).map((share, guest) =>
        this.#performIn(share, cases, reports, (count) => {
          done[guest] = count;
          this.#options.onDone(done.reduce((sum, each) => sum + each, 0));
        }),
      ),
    );
    return reports;
  }

  async #performIn(
    share: readonly PlacedCase[],
    cases: readonly Case[],
    reports: Report[][],
    onDone: (count: number) => void,
  ): Promise<void> {
    const text = await boot(this.#machine, {
      modules: MODULES,
      programme: programme(share),
      timeoutMs: this.#options.timeoutMs,
      onProgress: (report) => onDone(begun(report)),
    });
    onDone(share.length);
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

function checkPrepared(kind: string, words: readonly string[]): void {
  if (kind !== "ran") return;
  const [code, , complaint] = words;
  checkRan("The guest cannot be prepared", code, complaint);
}

function checkRan(trouble: string, code: string | undefined, complaint: string | undefined): void {
  if (code !== "0") throw new Error(`${trouble}: ${unpacked(complaint).toString()}`);
}

/** How many cases a report tells of. */
function begun(report: string): number {
  return new Set(report.match(/^\d+ /gm)).size;
}

/** Cases of one group wait together, so that the whole waits no longer than its most patient case. */
function programme(cases: readonly PlacedCase[]): string {
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
    lines.push(...each.steps.map((step) => lineOf(step, each, place)));
  }
  return `${lines.join("\n")}\n`;
}

function preparation(cases: readonly PlacedCase[]): string[] {
  const { sysctls } = DIRECTOR_HOST;
  const batch = [...DIRECTOR_HOST.batch, ...vip6Lines(cases)];
  return [
    ...INTERFACES.map(({ name }) => `wire ${name}`),
    ...Object.entries(sysctls).map(([path, value]) => `sysctl ${path} ${packed(value)}`),
    `run ${packed("ip\0-batch\0-")} ${packed(`${batch.join("\n")}\n`)}`,
    ...markPreparation(cases).map((script) => `run ${packed(`sh\0-ec\0${script}`)} -`),
  ];
}

function lineOf(step: Step, of: Case, place: Place): string {
  switch (step.kind) {
    case "ipvsadm": {
      const words = ["ipvsadm", ...step.words.map((word) => place.fill(word))];
      return `run ${packed(words.join("\0"))} ${packed(place.fill(step.stdin))}`;
    }
    case "sysctl":
      return `knob ${step.name} ${packed(step.value)}`;
    case "sysctl-command":
      return `knobs ${packed(["sysctl", ...step.words].join("\0"))} ${packed(step.stdin)}`;
    case "begin":
      return `begin ${packed(step.rules)}`;
    case "rules":
      return "rules";
    case "packet": {
      const { wire, bytes } = frameOf(place.fill(step.packet));
      return `send ${wire} ${Buffer.from(bytes).toString("hex")}`;
    }
    case "marks":
      return `run ${packed(`sh\0-ec\0${markScript(step.rules, of, place)}`)} -`;
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
      if (step.kind === "marks") {
        checkRan("Rules cannot be set in the guest", code, complaint);
        return { kind: "waited" };
      }
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
      if (step.kind === "sysctl") return { kind, lines: text.split("\n") };
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
