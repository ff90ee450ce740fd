/** The kernel's own IPVS as a side: writes the agent's programme (guest/agent.py), reads its report. */
import {
  type Case,
  type Frame,
  type Observation,
  type Report,
  type Side,
  type SideOptions,
  type Step,
  timesOf,
} from "./case.ts";
import { readConnections, readServices, readTotals } from "./kernel-files.ts";
import { DIRECTOR_HOST, INTERFACES } from "./laboratory.ts";
import { boot } from "./machines/boot.ts";
import type { Machine } from "./machines/machine.ts";
import { frameOf } from "./packets.ts";
import { Place } from "./place.ts";
import { companies, type PlacedCase, placed, shares } from "./shares.ts";
import { vip6Lines } from "./vip6.ts";

// biome-ignore format: a list
const MODULES = [
  "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_wlc", "ip_vs_sed", "ip_vs_nq", "ip_vs_lblc", "ip_vs_lblcr",
  "ip_vs_dh", "ip_vs_sh", "ip_vs_mh", "ip_vs_fo", "ip_vs_ovf", "ip_vs_twos", "ip_vs_pe_sip", "tun",
  // A checksum that some of them ask for by what it computes.
  "crc32c_generic",
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
  if (code !== "0")
    throw new Error(`The guest cannot be prepared: ${unpacked(complaint).toString()}`);
}

/** How many cases a report tells of. */
function begun(report: string): number {
  return new Set(report.match(/^\d+ /gm)).size;
}

/** Cases that keep each other company wait together, so that the whole waits no longer than its most patient case. */
function programme(cases: readonly PlacedCase[]): string {
  const lines = [`case ${PREPARATION}`, ...preparation(cases)];
  for (const company of companies(cases)) {
    lines.push("together", ...company.flatMap(linesOf));
  }
  return `${lines.join("\n")}\n`;
}

function linesOf({ index, each }: PlacedCase): string[] {
  const place = new Place(index);
  const verb = each.keepsSysctls === true ? "keep" : "with";
  return [
    `case ${index}`,
    ...Object.entries(each.sysctls).map(([name, value]) => `${verb} net/ipv4/vs/${name} ${value}`),
    ...each.steps.map((step) => lineOf(step, place)),
  ];
}

function preparation(cases: readonly PlacedCase[]): string[] {
  const { sysctls } = DIRECTOR_HOST;
  const batch = [...DIRECTOR_HOST.batch, ...vip6Lines(cases)];
  return [
    ...INTERFACES.map(({ name }) => `wire ${name}`),
    ...Object.entries(sysctls).map(([path, value]) => `sysctl ${path} ${packed(value)}`),
    `run ${packed("ip\0-batch\0-")} ${packed(`${batch.join("\n")}\n`)}`,
  ];
}

function lineOf(step: Step, place: Place): string {
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
      return `send ${sent(place.fill(step.packet))} ${timesOf(step.packet)}`;
    }
    case "round":
      return `round ${sent(place.fill(step.packet))}`;
    case "totals":
      return "totals";
    case "wait":
      return `wait ${step.ms}`;
    case "connections":
      return `connections ${place.needles.join(" ")}`;
    case "services":
      return `services ${place.needles.join(" ")}`;
  }
}

/** Wire and digits of a frame. */
function sent(packet: string): string {
  const { wire, bytes } = frameOf(packet);
  return `${wire} ${Buffer.from(bytes).toString("hex")}`;
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
      if (step.kind === "sysctl") return { kind, lines: text.split("\n") };
      return { kind, lines: READERS[step.kind as keyof typeof READERS](text) };
    }
    default:
      return { kind: "waited" };
  }
}

const READERS = { services: readServices, connections: readConnections, totals: readTotals };

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
