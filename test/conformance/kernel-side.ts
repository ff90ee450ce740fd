/** The kernel's own IPVS as a side: writes the agent's programme (guest/agent.py), reads its report. */
import {
  type Case,
  type OnReports,
  type PlacedCase,
  type Side,
  type Step,
  timesOf,
} from "./case.ts";
import { GuestReport, PREPARATION } from "./guest-report.ts";
import { DIRECTOR_HOST, INTERFACES } from "./laboratory.ts";
import { boot } from "./machines/boot.ts";
import type { Machine } from "./machines/machine.ts";
import { MARK_MODULES, markPreparation, markScript } from "./mark-chains.ts";
import { frameOf } from "./packets.ts";
import { Place } from "./place.ts";
import { shares, turns } from "./shares.ts";
import { vip6Lines } from "./vip6.ts";

// biome-ignore format: a list
const MODULES = [
  "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_lc", "ip_vs_wlc", "ip_vs_sed", "ip_vs_nq", "ip_vs_lblc", "ip_vs_lblcr",
  "ip_vs_dh", "ip_vs_sh", "ip_vs_mh", "ip_vs_fo", "ip_vs_ovf", "ip_vs_twos", "ip_vs_pe_sip", "tun",
  // A checksum that some of them ask for by what it computes.
  "crc32c_generic",
  ...MARK_MODULES,
].toReversed();

export interface KernelSideOptions {
  /** The guests are ended when they take longer. */
  readonly timeoutMs: number;
}

/**
 * Guests wait for themselves a good deal of the time, so that there may be more of them than processors. Packets and
 * command lines take about the same time.
 */
const GUESTS = { packets: 2, commands: 2 } as const;

export class KernelSide implements Side {
  readonly #machine: Machine;
  readonly #options: KernelSideOptions;

  constructor(machine: Machine, options: KernelSideOptions) {
    this.#machine = machine;
    this.#options = options;
  }

  /** In several guests at once. */
  async perform(cases: readonly PlacedCase[], onReports: OnReports): Promise<void> {
    await Promise.all(
      shares(cases, GUESTS).map(async (share) => {
        const report = new GuestReport(share, onReports);
        const text = await boot(this.#machine, {
          modules: MODULES,
          programme: programme(share),
          timeoutMs: this.#options.timeoutMs,
          onProgress: (soFar) => report.read(soFar),
        });
        report.read(text);
      }),
    );
  }
}

/** Cases of one turn wait together, so that the whole waits no longer than its most patient case. */
function programme(share: readonly PlacedCase[]): string {
  const lines = turns(share).flatMap((turn) => ["together", ...turn.flatMap(linesOf)]);
  return `${[`case ${PREPARATION}`, ...preparation(share), ...lines].join("\n")}\n`;
}

function linesOf({ index, each }: PlacedCase): string[] {
  const { sysctls, keepsSysctls, steps } = each;
  const place = new Place(index);
  const verb = keepsSysctls === true ? "keep" : "with";
  return [
    `case ${index}`,
    ...Object.entries(sysctls).map(([name, value]) => `${verb} net/ipv4/vs/${name} ${value}`),
    ...steps.map((step) => lineOf(step, each, place)),
  ];
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
      if (isOwnRules(step)) return `restore ${packed(place.fill(step.stdin))}`;
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

/** Adds services and servers of this case alone: the guest may do so for several cases at once. */
function isOwnRules({ words, stdin }: Extract<Step, { kind: "ipvsadm" }>): boolean {
  return words.length === 1 && words[0] === "-R" && /^(-[Aa] .*\n)+$/.test(stdin);
}

/** Wire and digits of a frame. */
function sent(packet: string): string {
  const { wire, bytes } = frameOf(packet);
  return `${wire} ${Buffer.from(bytes).toString("hex")}`;
}

function packed(text: string): string {
  return Buffer.from(text).toString("hex") || "-";
}
