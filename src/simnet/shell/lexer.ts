/** A shell's line in words and operators: POSIX.1-2017, Shell Command Language, section 2.3, as far as learners go. */

export type Part =
  | { readonly kind: "text"; readonly text: string; readonly isQuoted: boolean }
  | { readonly kind: "variable"; readonly name: string; readonly isQuoted: boolean }
  | { readonly kind: "command"; readonly script: string; readonly isQuoted: boolean };

export type Token =
  | { readonly kind: "word"; readonly parts: readonly Part[]; readonly raw: string }
  | { readonly kind: "operator"; readonly text: string };

/** What a line cannot be; the message is the shell's. */
export class SyntaxFault extends Error {
  override readonly name = "SyntaxFault";
}

/** The longest first: `&>` before `&`. */
const OPERATORS = [
  "2>&1",
  "1>&2",
  "2>>",
  "&>>",
  "&&",
  "||",
  ";;",
  ">>",
  "2>",
  "1>",
  "&>",
  ">&2",
  ">&1",
  ">",
  "<",
  "|",
  "&",
  ";",
  "(",
  ")",
  "\n",
] as const;
const NAME = /^(?:[A-Za-z_]\w*|[!?#@$*0-9])/;
const SPECIAL = /[\s;&|<>()'"\\$`]/;

export function tokensOf(line: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < line.length) {
    const rest = line.slice(at);
    if (/^[ \t]/.test(rest)) {
      at++;
      continue;
    }
    if (rest.startsWith("#")) {
      const end = rest.indexOf("\n");
      at = end < 0 ? line.length : at + end;
      continue;
    }
    const operator = OPERATORS.find((each) => rest.startsWith(each));
    if (operator !== undefined) {
      tokens.push({ kind: "operator", text: operator });
      at += operator.length;
      continue;
    }
    const word = readWord(line, at);
    tokens.push({ kind: "word", parts: word.parts, raw: line.slice(at, word.end) });
    at = word.end;
  }
  return tokens;
}

interface ReadWord {
  readonly parts: readonly Part[];
  readonly end: number;
}

function readWord(line: string, start: number): ReadWord {
  const parts: Part[] = [];
  let at = start;
  while (at < line.length && !/[\s;&|<>()]/.test(line[at]!)) {
    const character = line[at]!;
    if (character === "'") {
      const end = endOf(line, "'", at + 1);
      parts.push({ kind: "text", text: line.slice(at + 1, end), isQuoted: true });
      at = end + 1;
    } else if (character === '"') {
      const quoted = readQuoted(line, at + 1);
      parts.push(...quoted.parts);
      at = quoted.end;
    } else if (character === "\\") {
      parts.push({ kind: "text", text: line[at + 1] ?? "", isQuoted: true });
      at += 2;
    } else if (character === "$" || character === "`") {
      const expansion = readExpansion(line, at, false);
      parts.push(expansion.part);
      at = expansion.end;
    } else {
      let end = at + 1;
      while (end < line.length && !SPECIAL.test(line[end]!)) end++;
      parts.push({ kind: "text", text: line.slice(at, end), isQuoted: false });
      at = end;
    }
  }
  return { parts, end: at };
}

function readQuoted(line: string, start: number): ReadWord {
  const parts: Part[] = [{ kind: "text", text: "", isQuoted: true }];
  let at = start;
  let text = "";
  const flush = (): void => {
    if (text !== "") parts.push({ kind: "text", text, isQuoted: true });
    text = "";
  };
  for (;;) {
    const character = line[at];
    if (character === undefined) throw unfinished('"');
    if (character === '"') break;
    if (character === "\\" && /["\\$`]/.test(line[at + 1] ?? "")) {
      text += line[at + 1];
      at += 2;
    } else if (character === "$" || character === "`") {
      flush();
      const expansion = readExpansion(line, at, true);
      parts.push(expansion.part);
      at = expansion.end;
    } else {
      text += character;
      at++;
    }
  }
  flush();
  return { parts, end: at + 1 };
}

function readExpansion(
  line: string,
  at: number,
  isQuoted: boolean,
): { readonly part: Part; readonly end: number } {
  if (line[at] === "`") {
    const end = endOf(line, "`", at + 1);
    return { part: { kind: "command", script: line.slice(at + 1, end), isQuoted }, end: end + 1 };
  }
  const next = line[at + 1];
  if (next === "(") {
    const end = endOfCommand(line, at + 2);
    const script = line.slice(at + 2, end);
    return { part: { kind: "command", script, isQuoted }, end: end + 1 };
  }
  if (next === "{") {
    const end = endOf(line, "}", at + 2);
    return { part: { kind: "variable", name: line.slice(at + 2, end), isQuoted }, end: end + 1 };
  }
  const [name] = NAME.exec(line.slice(at + 1)) ?? [];
  if (name === undefined) return { part: { kind: "text", text: "$", isQuoted }, end: at + 1 };
  return { part: { kind: "variable", name, isQuoted }, end: at + 1 + name.length };
}

/** Where the parenthesis closes that was opened before `start`. */
function endOfCommand(line: string, start: number): number {
  let depth = 1;
  for (let at = start; at < line.length; at++) {
    const character = line[at]!;
    if (character === "'" || character === '"') at = endOf(line, character, at + 1);
    else if (character === "(") depth++;
    else if (character === ")" && --depth === 0) return at;
  }
  throw unfinished(")");
}

function endOf(line: string, mark: string, start: number): number {
  const end = line.indexOf(mark, start);
  if (end < 0) throw unfinished(mark);
  return end;
}

function unfinished(mark: string): SyntaxFault {
  return new SyntaxFault(`unexpected EOF while looking for matching \`${mark}'`);
}
