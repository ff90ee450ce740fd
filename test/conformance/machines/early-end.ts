/** What is said of a guest that ended before its programme did. */

export type GuestEnd =
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "exit"; readonly code: number }
  /** It was ended, having taken longer. */
  | { readonly kind: "time"; readonly limitMs: number };

export interface EarlyEnd {
  /** What it was. */
  readonly guest: string;
  readonly end: GuestEnd;
  readonly afterMs: number;
  readonly logs: GuestLogs;
  /** What to do where such a guest does not run. */
  readonly instead: string;
}

export interface GuestLogs {
  /** What the agent printed: a traceback. */
  readonly agent: string;
  /** The whole kernel's log, if the guest came to write it. */
  readonly kernel: string;
  /** What the machine printed, and the kernel: its warnings, its panic. */
  readonly console: string;
}

const LINES_MAX = 15;

export function wordsOf({ guest, end, afterMs, logs, instead }: EarlyEnd): string {
  const agent = lastLines(logs.agent);
  const rest = lastLines(logs.kernel === "" ? logs.console : logs.kernel);
  return [
    `The guest, ${guest}, did not finish: ${how(end)}, after ${(afterMs / 1000).toFixed(1)} s.`,
    ...(agent.length === 0 ? [] : ["Its agent's last lines:", ...agent]),
    ...(rest.length === 0 ? ["Its kernel said nothing."] : ["Its kernel's last lines:", ...rest]),
    ...(end.kind === "time" ? ["--timeout SECONDS gives it longer."] : []),
    instead,
  ].join("\n");
}

function how(end: GuestEnd): string {
  switch (end.kind) {
    case "signal":
      return `it was ended by ${end.signal}`;
    case "exit":
      return `it ended with exit code ${end.code}`;
    case "time":
      return `it had ${end.limitMs / 1000} s and was ended`;
  }
}

function lastLines(log: string): string[] {
  const lines = log.split(/\r?\n/).map((line) => line.trimEnd());
  const telling = lines.filter((line) => !isOfStack(line));
  return telling.slice(-LINES_MAX).map((line) => `  ${line}`);
}

/** A panic's words come before its stack: dozens of frames such as ` [<600931e5>] panic+0x197/0x376`. */
const STACK = [
  /\+0x[\da-f]+\/0x[\da-f]+/,
  /^( [\da-f]{8}){1,4}$/,
  /^(\[ *[\d.]+\])?\s*(Stack:|Call Trace:|<\/?TASK>)?$/,
];

function isOfStack(line: string): boolean {
  return STACK.some((pattern) => pattern.test(line));
}
