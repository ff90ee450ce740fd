/** How a laboratory's run is shown: to people, or to programs. */
import { url } from "../endpoint.ts";
import type { LabEvent } from "../event.ts";
import type { LabPlan } from "../network/plan.ts";

/** Each call gives the text to print now, possibly none. */
export interface Presenter {
  begin(plan: LabPlan): string;
  show(event: LabEvent): string;
  /** After the last event. */
  finish(): string;
}

/** Statements that hold and that do not. A failure that ended the run counts as one that does not. */
export interface Tally {
  passed: number;
  failed: number;
}

interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  red(text: string): string;
}

const escapeCode =
  (code: number) =>
  (text: string): string =>
    `\x1b[${code}m${text}\x1b[0m`;
const plain = (text: string): string => text;

const COLOURS: Paint = {
  bold: escapeCode(1),
  dim: escapeCode(2),
  green: escapeCode(32),
  red: escapeCode(31),
};
const NO_COLOURS: Paint = { bold: plain, dim: plain, green: plain, red: plain };

/** What is said around steps; what they themselves say comes with them. */
const PHRASES = {
  en: {
    step: (number: number, title: string) => `Step ${number}: ${title}`,
    allHold: (total: number) => `All ${total} statements hold.`,
    someFail: (failed: number, total: number) => `${failed} of ${total} statements fail.`,
  },
  zh: {
    step: (number: number, title: string) => `第 ${number} 步：${title}`,
    allHold: (total: number) => `全部 ${total} 项都成立。`,
    someFail: (failed: number, total: number) => `${total} 项中有 ${failed} 项不成立。`,
  },
} as const;

/** `command`: how `sluice` is called. */
export function humanPresenter(
  hasColours: boolean,
  command: string,
  language: keyof typeof PHRASES = "en",
): Presenter {
  const phrases = PHRASES[language];
  const paint = hasColours ? COLOURS : NO_COLOURS;
  const tally: Tally = { passed: 0, failed: 0 };
  let address = "";
  return {
    begin: ({ title, hosts, vip, prefixLength }) => {
      address = vip;
      const rows = hosts.map(({ name, role, cards }) => {
        const addresses = cards.map((card) => `${card.name} ${card.address}/${prefixLength}`);
        return `  ${name.padEnd(8)}${addresses.join(", ").padEnd(50)}${role}\n`;
      });
      return `${paint.bold(title)}\n${rows.join("")}  ${"VIP".padEnd(8)}${vip}\n`;
    },
    show: (event) => {
      switch (event.kind) {
        case "heading":
          return `\n${paint.bold(`${event.title}  (${event.name})`)}\n`;
        case "text":
          return `${wrapped(event.text)}\n`;
        case "step":
          return `\n${paint.bold(phrases.step(event.number, event.title))}\n`;
        case "command":
          return `${paint.dim(`[root@${event.host} ~]#`)} ${event.command}\n${withEnd(event.output)}`;
        case "statement": {
          tally[event.ok ? "passed" : "failed"]++;
          const mark = event.ok ? paint.green("✔") : paint.red("✘");
          return `  ${mark} ${event.says}\n${paint.dim(indent(event.evidence))}\n`;
        }
        case "progress":
          return `${paint.dim(`  … ${event.text.trim()}`)}\n`;
        case "failure":
          tally.failed++;
          return `  ${paint.red("✘")} the laboratory cannot go on\n`;
        case "kept":
          return kept(address, command);
        case "end":
          return "";
      }
    },
    finish: () => {
      const total = tally.passed + tally.failed;
      return tally.failed === 0
        ? `\n${paint.green(phrases.allHold(total))}\n`
        : `\n${paint.red(phrases.someFail(tally.failed, total))}\n`;
    },
  };
}

const kept = (vip: string, command: string): string => `
The laboratory stays. Play:
  ${command} lab shell node01                            the director: ipvsadm -ln, ipvsadm -lnc
  ${command} lab shell client curl ${url(vip)}
  ${command} lab down                                    removes everything
`;

interface StatementReport {
  readonly says: string;
  readonly ok: boolean;
  readonly evidence: string;
}

interface StepReport {
  readonly step: number;
  readonly says: string;
  readonly statements: StatementReport[];
}

/** One JSON object a line for each step, when it is done, and the summary, which counts steps. */
export function jsonPresenter(): Presenter {
  const tally: Tally = { passed: 0, failed: 0 };
  let report: StepReport | undefined;
  let mistake: string | undefined;
  const flush = (): string => {
    if (report === undefined) return "";
    const { step, says, statements } = report;
    const ok = statements.every((one) => one.ok);
    const evidence = statements.map((one) => `${one.says}: ${one.evidence}`).join("\n");
    const line = `${JSON.stringify({ mistake, step, says, ok, evidence, statements })}\n`;
    tally[ok ? "passed" : "failed"]++;
    report = undefined;
    return line;
  };
  return {
    begin: () => "",
    show: (event) => {
      switch (event.kind) {
        case "step": {
          const line = flush();
          report = { step: event.number, says: event.title, statements: [] };
          return line;
        }
        case "statement":
        case "failure": {
          // A failure before the first step is step 0: building the hosts.
          report ??= { step: 0, says: "The hosts and their wires", statements: [] };
          const { says, ok, evidence } =
            event.kind === "statement"
              ? event
              : { says: "the laboratory can go on", ok: false, evidence: event.why };
          report.statements.push({ says, ok, evidence });
          return "";
        }
        case "heading": {
          const line = flush();
          mistake = event.name;
          return line;
        }
        case "command":
        case "text":
        case "progress":
        case "kept":
        case "end":
          return "";
      }
    },
    finish: () => `${flush()}${JSON.stringify({ summary: tally })}\n`,
  };
}

const WIDTH = 100;

/** Words of a paragraph, two columns in. Chinese has none that are set apart, and each sign of it is two columns wide. */
export function wrapped(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<= )|(?<=[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef])/u)) {
    if (columns(line + word.trimEnd()) > WIDTH && !/^[，。；：、？！）”]/u.test(word)) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += word;
  }
  return [...lines, line].map((one) => `  ${one}`).join("\n");
}

export function columns(text: string): number {
  return text.length + (text.match(/[\u3000-\uffef]/gu)?.length ?? 0);
}

function indent(text: string): string {
  return text
    .trim()
    .split("\n")
    .map((line) => `      ${line}`)
    .join("\n");
}

function withEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
