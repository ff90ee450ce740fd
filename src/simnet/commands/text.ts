/** Small programs on text and time, as far as lessons pipe into them. */

import { bytesOf, lettersOf } from "../http/bytes.ts";
import { sha256 } from "../http/digest.ts";
import { resolvePath } from "../shell/files.ts";
import type { Context } from "../shell/program.ts";
import { immediate, type Program, sleep as pause, waitFor } from "../shell/program.ts";
import type { Work } from "../time/waiting.ts";
import { readOptions } from "./options.ts";

const TIMED_OUT = 124;

function* inputLines(context: Context): Work<string | undefined> {
  const { input } = context;
  if (input === undefined) return undefined;
  yield* waitFor(context, { isDone: () => input.hasLine });
  return input.takeLine();
}

export const echo: Program = immediate((words, { out }) => {
  const [first] = words;
  const isOpen = first === "-n" || first === "-en" || first === "-ne";
  const interprets = first === "-e" || first === "-en" || first === "-ne";
  const shown = isOpen || interprets ? words.slice(1) : words;
  const text = shown.join(" ");
  out.write(
    (interprets ? text.replaceAll("\\n", "\n").replaceAll("\\t", "\t") : text) +
      (isOpen ? "" : "\n"),
  );
  return 0;
});

export const printf: Program = immediate(([format = "", ...values], { out }) => {
  let at = 0;
  out.write(
    format
      .replaceAll("\\n", "\n")
      .replaceAll("\\t", "\t")
      .replace(/%[sd]/g, () => values[at++] ?? ""),
  );
  return 0;
});

export function* cat(words: readonly string[], context: Context): Work<number> {
  const { out, err, files, shell } = context;
  if (words.length === 0) {
    for (
      let line = yield* inputLines(context);
      line !== undefined;
      line = yield* inputLines(context)
    )
      out.write(line);
    return 0;
  }
  let status = 0;
  for (const word of words) {
    const path = resolvePath(shell.directory, word);
    const content = files.read(path);
    if (content !== undefined) {
      out.write(content);
      continue;
    }
    err.write(
      `cat: ${word}: ${files.isDirectory(path) ? "Is a directory" : "No such file or directory"}\n`,
    );
    status = 1;
  }
  return status;
}

export function* grep(words: readonly string[], context: Context): Work<number> {
  const { values, operands, fault } = readOptions(words, "vcioEFqnwA:", { color: true });
  const [pattern, ...paths] = operands;
  if (fault !== undefined || pattern === undefined) {
    context.err.write(
      fault === undefined ? "Usage: grep [OPTION]... PATTERNS [FILE]...\n" : `grep: ${fault}\n`,
    );
    return 2;
  }
  const wanted = expressionOf(pattern, values);
  if (wanted === undefined) {
    context.err.write("grep: Invalid regular expression\n");
    return 2;
  }
  let count = 0;
  const look = (line: string): void => {
    const text = line.replace(/\n$/, "");
    const found = wanted.exec(text);
    if ((found !== null) === values.has("v")) return;
    count++;
    if (values.has("c") || values.has("q")) return;
    context.out.write(`${values.has("o") && found !== null ? found[0] : text}\n`);
  };
  if (paths.length === 0) {
    for (
      let line = yield* inputLines(context);
      line !== undefined;
      line = yield* inputLines(context)
    )
      look(line);
  }
  for (const path of paths) {
    const content = context.files.read(resolvePath(context.shell.directory, path));
    if (content === undefined) {
      context.err.write(`grep: ${path}: No such file or directory\n`);
      return 2;
    }
    for (const line of content.split("\n").slice(0, -1)) look(line);
  }
  if (values.has("c")) context.out.write(`${count}\n`);
  return count > 0 ? 0 : 1;
}

/** A basic regular expression says with a backslash what an extended one says without. */
function expressionOf(pattern: string, options: ReadonlyMap<string, string>): RegExp | undefined {
  const flags = options.has("i") ? "i" : "";
  let source = pattern;
  if (options.has("F")) source = pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  else if (!options.has("E")) {
    source = pattern.replace(
      /\\([|+?(){}])|([|+?(){}])/g,
      (_, special, plain) => special ?? `\\${plain}`,
    );
  }
  if (options.has("w")) source = `\\b(?:${source})\\b`;
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

export function* head(words: readonly string[], context: Context): Work<number> {
  const letters = readOptions(words, "c:n:q").values.get("c");
  if (letters !== undefined) return headOfFile(Number(letters), words.at(-1) ?? "", context);
  let most = countIn(words);
  for (let line = yield* inputLines(context); line !== undefined && most > 0; ) {
    context.out.write(line);
    most--;
    if (most > 0) line = yield* inputLines(context);
  }
  return 0;
}

function headOfFile(
  count: number,
  path: string,
  { files, out, err, host, shell }: Context,
): number {
  const device: Readonly<Record<string, () => number>> = {
    "/dev/zero": () => 0,
    "/dev/urandom": () => host.random.below(256),
  };
  const next = device[path];
  const content = next === undefined ? files.read(resolvePath(shell.directory, path)) : undefined;
  if (next !== undefined) {
    const bytes = new Uint8Array(count);
    for (let index = 0; index < count; index++) bytes[index] = next();
    out.write(lettersOf(bytes));
    return 0;
  }
  if (content === undefined) {
    err.write(`head: cannot open '${path}' for reading: No such file or directory\n`);
    return 1;
  }
  out.write(content.slice(0, count));
  return 0;
}

export const sha256sum: Program = immediate((words, { files, out, err, shell }) => {
  let status = 0;
  for (const word of words) {
    const content = files.read(resolvePath(shell.directory, word));
    if (content === undefined) {
      err.write(`sha256sum: ${word}: No such file or directory\n`);
      status = 1;
    } else out.write(`${sha256(bytesOf(content))}  ${word}\n`);
  }
  return status;
});

export function* tail(words: readonly string[], context: Context): Work<number> {
  const lines: string[] = [];
  for (let line = yield* inputLines(context); line !== undefined; line = yield* inputLines(context))
    lines.push(line);
  context.out.write(lines.slice(-countIn(words)).join(""));
  return 0;
}

function countIn(words: readonly string[]): number {
  const digits = /-n? ?(\d+)/.exec(words.join(" "))?.[1];
  return digits === undefined ? 10 : Number(digits);
}

export function* wc(words: readonly string[], context: Context): Work<number> {
  let count = 0;
  for (
    let line = yield* inputLines(context);
    line !== undefined;
    line = yield* inputLines(context)
  ) {
    count += words.includes("-c") ? line.length : 1;
  }
  context.out.write(`${count}\n`);
  return 0;
}

export function* sort(words: readonly string[], context: Context): Work<number> {
  const lines: string[] = [];
  for (let line = yield* inputLines(context); line !== undefined; line = yield* inputLines(context))
    lines.push(line);
  const sorted = lines.toSorted();
  const shown = words.includes("-u") ? [...new Set(sorted)] : sorted;
  context.out.write((words.includes("-r") ? shown.toReversed() : shown).join(""));
  return 0;
}

export function* uniq(words: readonly string[], context: Context): Work<number> {
  const runs: { line: string; count: number }[] = [];
  for (
    let line = yield* inputLines(context);
    line !== undefined;
    line = yield* inputLines(context)
  ) {
    const last = runs.at(-1);
    if (last?.line === line) last.count++;
    else runs.push({ line, count: 1 });
  }
  for (const { line, count } of runs) {
    context.out.write(words.includes("-c") ? `${`${count}`.padStart(7)} ${line}` : line);
  }
  return 0;
}

export const seq: Program = immediate((words, { out, err }) => {
  const numbers = words.map(Number);
  if (numbers.length === 0 || numbers.some(Number.isNaN)) {
    err.write(
      words.length === 0
        ? "seq: missing operand\n"
        : `seq: invalid floating point argument: ‘${words.find((word) => Number.isNaN(Number(word)))}’\n`,
    );
    return 1;
  }
  const [first, last] = numbers.length === 1 ? [1, numbers[0]!] : [numbers[0]!, numbers.at(-1)!];
  const step = numbers.length === 3 ? numbers[1]! : 1;
  for (let number = first; step > 0 && number <= last; number += step) out.write(`${number}\n`);
  return 0;
});

export function* sleep(words: readonly string[], context: Context): Work<number> {
  const seconds = Number((words[0] ?? "").replace(/s$/, ""));
  if (words.length === 0 || Number.isNaN(seconds)) {
    context.err.write(
      words.length === 0
        ? "sleep: missing operand\n"
        : `sleep: invalid time interval ‘${words[0]}’\n`,
    );
    return 1;
  }
  return (yield* pause(context, seconds * 1_000)) ? 0 : 130;
}

export function* timeout(words: readonly string[], context: Context): Work<number> {
  const rest =
    words[0] === "-s"
      ? words.slice(2)
      : words.filter((word, index) => index > 0 || !word.startsWith("-"));
  const [limit = "", ...command] = rest;
  const seconds = Number(limit.replace(/s$/, ""));
  if (command.length === 0 || Number.isNaN(seconds)) {
    context.err.write(
      command.length === 0
        ? "timeout: missing operand\n"
        : `timeout: invalid time interval ‘${limit}’\n`,
    );
    return 125;
  }
  const child = context.shell.spawn(command, context);
  const untilMs = context.host.agenda.now() + seconds * 1_000;
  yield* waitFor(context, { untilMs, isDone: () => child.status !== undefined });
  if (child.status !== undefined) return child.status;
  child.interrupt();
  while (child.status === undefined) yield { isDone: () => child.status !== undefined };
  return context.process.isInterrupted ? 130 : TIMED_OUT;
}

export const rm: Program = immediate((words, { files, err, shell }) => {
  const { values, operands } = readOptions(words, "rf");
  for (const word of operands) {
    if (files.remove(resolvePath(shell.directory, word)) || values.has("f")) continue;
    err.write(`rm: cannot remove '${word}': No such file or directory\n`);
    return 1;
  }
  return 0;
});

export const ls: Program = immediate((words, { files, out, err, shell }) => {
  const [word = "."] = words.filter((each) => !each.startsWith("-"));
  const path = resolvePath(shell.directory, word);
  if (!files.isDirectory(path)) {
    const isFile = files.read(path) !== undefined;
    if (isFile) out.write(`${word}\n`);
    else err.write(`ls: cannot access '${word}': No such file or directory\n`);
    return isFile ? 0 : 2;
  }
  const start = path === "/" ? 1 : path.length + 1;
  const names = files
    .paths()
    .filter((each) => each.startsWith(path === "/" ? path : `${path}/`))
    .map((each) => each.slice(start).split("/")[0]!);
  for (const name of [...new Set(names)].toSorted()) out.write(`${name}\n`);
  return 0;
});

export const hostname: Program = immediate((_words, { host, out }) => {
  out.write(`${host.name}\n`);
  return 0;
});

export const succeed: Program = immediate(() => 0);
export const fail: Program = immediate(() => 1);
