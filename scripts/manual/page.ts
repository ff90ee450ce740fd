/** Manual pages, as man(7) has them, of what --help says and of pages in Markdown. */
import type { Help, Option, Part } from "./help-text.ts";

export interface Title {
  /** "sluice-plan" */
  readonly name: string;
  readonly section: number;
  readonly says: string;
  readonly version: string;
}

const SEE_ALSO = [
  "sluice(8)",
  "sluice-daemon(8)",
  "sluice.yaml(5)",
  "ipvsadm(8)",
  "systemctl(1)",
  "nft(8)",
];

export function pageOfHelp(title: Title, { usage, parts }: Help): string {
  const [before, after] = split(parts);
  return lines(
    ...head(title),
    ".SH SYNOPSIS",
    ...usage.flatMap((line, index) => [...(index > 0 ? [".br"] : []), synopsis(line)]),
    ".SH DESCRIPTION",
    ...before.flatMap(part),
    ...(after.length > 0 ? [".SH OPTIONS"] : []),
    ...after.flatMap(part),
    ...seeAlso(title),
  );
}

export function pageOfMarkdown(title: Title, text: string): string {
  return lines(...head(title), ".SH DESCRIPTION", ...markdown(text), ...seeAlso(title));
}

function head({ name, section, says, version }: Title): string[] {
  return [
    `.TH ${quoted(name.toUpperCase())} ${section} "" ${quoted(`Sluice ${version}`)} ${quoted("Sluice")}`,
    ".SH NAME",
    `${escaped(name)} \\- ${escaped(says)}`,
  ];
}

function seeAlso({ name, section }: Title): string[] {
  const others = SEE_ALSO.filter((each) => each !== `${name}(${section})`);
  return [
    ".SH SEE ALSO",
    others.map((each) => each.replace(/^(.+)(\(\d\))$/, "\\fB$1\\fR$2")).join(",\n"),
  ];
}

/** What comes before the options, and the options with what comes after. */
function split(parts: readonly Part[]): [Part[], Part[]] {
  const at = parts.findIndex(({ kind }) => kind === "options");
  const heading = /^(Options|Commands)?:?$/;
  const kept = (some: readonly Part[]): Part[] =>
    some.filter((each) => each.kind !== "paragraph" || !heading.test(each.text));
  return at < 0 ? [kept(parts), []] : [kept(parts.slice(0, at)), kept(parts.slice(at))];
}

function part(each: Part): string[] {
  switch (each.kind) {
    case "options":
      return each.options.flatMap(option);
    case "lines":
      return [".PP", ".RS 2", ".nf", ...each.lines.map(text), ".fi", ".RE"];
    case "paragraph": {
      const [, status] = /^Exit (?:status|code): (.*)$/s.exec(each.text) ?? [];
      if (status !== undefined) return [".SH EXIT STATUS", text(status)];
      return [".PP", text(each.text)];
    }
  }
}

function option({ names, argument, says }: Option): string[] {
  const bold = names.map((name) => `\\fB${escaped(name)}\\fR`).join(", ");
  const given = argument === undefined ? "" : ` \\fI${escaped(argument)}\\fR`;
  return [".TP", `${bold}${given}`, ...(says === "" ? [] : [text(says)])];
}

function synopsis(line: string): string {
  const [, name = "", rest = ""] = /^(\S+)(.*)$/.exec(line) ?? [];
  return `\\fB${escaped(name)}\\fR${escaped(rest)}`;
}

/** As much of Markdown as our own pages use. */
function markdown(source: string): string[] {
  const out: string[] = [];
  let inCode = false;
  let inTable = false;
  for (const line of source.replaceAll(/<!--.*?-->\n*/gs, "").split("\n")) {
    if (line.startsWith("```")) {
      out.push(...(inCode ? [".fi", ".RE"] : [".PP", ".RS 2", ".nf"]));
      inCode = !inCode;
      continue;
    }
    if (inCode) {
      out.push(text(line));
      continue;
    }
    const isRow = line.startsWith("|");
    // A table's first two lines are its head.
    if (isRow && (!inTable || /^\|[\s|-]+$/.test(line))) {
      inTable = true;
      continue;
    }
    inTable = isRow;
    if (isRow) out.push(...row(line));
    else if (line.startsWith("# ")) continue;
    else if (line.startsWith("## ")) out.push(`.SH ${inline(line.slice(3)).toUpperCase()}`);
    else if (line.startsWith("### ")) out.push(`.SS ${inline(line.slice(4))}`);
    else if (line.startsWith("- ")) out.push(".IP \\(bu 2", protect(inline(line.slice(2))));
    else if (line.trim() === "") out.push(".PP");
    else out.push(protect(inline(line.trim())));
  }
  return out.filter(
    (line, index) => line !== ".PP" || !/^\.(PP|SH|SS)/.test(out[index + 1] ?? ".PP"),
  );
}

function row(line: string): string[] {
  const [key = "", ...cells] = line
    .slice(1, -1)
    .split(" | ")
    .map((cell) => inline(cell.trim()));
  const [values, ...meaning] = cells;
  const isPair = meaning.length === 0;
  return [
    ".TP",
    protect(isPair ? key : `${key}: ${values}`),
    protect((isPair ? values : meaning.join(" ")) || "\\&"),
  ];
}

function inline(source: string): string {
  return escaped(source)
    .replaceAll(/\[([^\]]*)\]\(([^)]*)\)/g, "$1")
    .replaceAll(/\*\*(.+?)\*\*/g, "\\fB$1\\fR")
    .replaceAll(/`([^`]+)`/g, "\\fB$1\\fR");
}

function text(source: string): string {
  return protect(escaped(source));
}

function escaped(source: string): string {
  return source.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}

/** A line that begins with these would be a request. */
function protect(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

function quoted(source: string): string {
  return `"${source.replaceAll('"', '""')}"`;
}

function lines(...all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
