/** What a command's --help says, as parts: how it is used, what it takes, and the words between. */

export interface Option {
  /** "-h", "--help": as they are typed. */
  readonly names: readonly string[];
  /** Of its argument: "FILE"; undefined when it has none. */
  readonly argument: string | undefined;
  readonly says: string;
}

export type Part =
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "lines"; readonly lines: readonly string[] }
  | { readonly kind: "options"; readonly options: readonly Option[] };

export interface Help {
  /** "sluice plan [--json] FILE", each way of its own. */
  readonly usage: readonly string[];
  readonly parts: readonly Part[];
}

const OPTION = /^ {2,}(-[^\s,|]*(?:(?:, ?| |\|)\S.*?)?)(?: {2,}(\S.*))?$/;
/** How far the words go in that belong to the option above. */
const HANGING = 8;

export function parseHelp(text: string): Help {
  const [first = "", ...blocks] = text.trimEnd().split(/\n\n+/);
  return { usage: usageOf(first), parts: blocks.flatMap(partsOf) };
}

export function optionsOf({ parts }: Help): readonly Option[] {
  return parts.flatMap((part) => (part.kind === "options" ? part.options : []));
}

function usageOf(block: string): string[] {
  const lines = block.split("\n").map((line) => line.replace(/^Usage:/, "").trim());
  return lines.filter((line) => line !== "");
}

function partsOf(block: string): Part[] {
  const parts: Part[] = [];
  let words: string[] = [];
  let rows: string[] = [];
  let options: Option[] = [];
  const settle = (): void => {
    if (words.length > 0) parts.push({ kind: "paragraph", text: words.join(" ") });
    if (rows.length > 0) parts.push({ kind: "lines", lines: unindented(rows) });
    if (options.length > 0) parts.push({ kind: "options", options });
    [words, rows, options] = [[], [], []];
  };
  for (const line of block.split("\n")) {
    const indent = line.length - line.trimStart().length;
    const option = OPTION.exec(line);
    if (option !== null) {
      if (words.length + rows.length > 0) settle();
      options.push(...optionOf(...columns(option[1]!, option[2] ?? "")));
    } else if (options.length > 0 && indent >= HANGING) {
      const last = options.pop()!;
      options.push({ ...last, says: `${last.says} ${line.trim()}`.trim() });
    } else if (indent > 0) {
      if (words.length + options.length > 0) settle();
      rows.push(line);
    } else {
      if (rows.length + options.length > 0) settle();
      words.push(line);
    }
  }
  settle();
  return parts;
}

/** ipvsadm's help has a column more: "--scheduler    -s scheduler         one of ...". */
function columns(spec: string, rest: string): [spec: string, says: string] {
  const [, more, says] = /^(\S.*?) {2,}(\S.*)$/.exec(rest) ?? [];
  return more === undefined ? [spec, rest] : [`${spec} ${more}`, says!];
}

/** "-p, -f, --load FILE" of ours, "--fwmark-service|-f fwmark" and "--set tcp tcpfin udp" of ipvsadm's. */
function optionOf(spec: string, says: string): Option[] {
  const names: string[] = [];
  let rest = spec;
  for (;;) {
    const [whole, name] = /^(-[-\w]+)(?:, *|\||\s+|$)/.exec(rest) ?? [];
    if (name === undefined || whole === undefined) break;
    names.push(name);
    rest = rest.slice(whole.length);
  }
  if (names.length === 0) return [];
  return [{ names, argument: rest === "" ? undefined : rest, says }];
}

function unindented(lines: readonly string[]): string[] {
  const indents = lines.map((line) => line.length - line.trimStart().length);
  const least = Math.min(...indents);
  return lines.map((line) => line.slice(least));
}
