/** Files by a shell pattern, as glob(3) with GLOB_BRACE finds them. */
import { join } from "node:path";

/** What one needs to know about files. */
export interface Files {
  /** Undefined when it is no folder, or may not be read. */
  list(folder: string): readonly string[] | undefined;
  exists(path: string): boolean;
}

const ALTERNATIVES_MAX = 1_000;

/** In the order of the alternatives in braces, and of the names. */
export function glob(pattern: string, files: Files): string[] {
  return alternatives(pattern).flatMap((each) => matching(each, files));
}

export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/** `a{b,{c,d}}` is `ab`, `ac` and `ad`. A brace without its other one stands for itself. */
export function alternatives(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0 && done.length + open.length < ALTERNATIVES_MAX) {
    const text = open.shift()!;
    const group = firstGroup(text);
    if (group === undefined) done.push(text);
    else open.unshift(...group.parts.map((part) => group.before + part + group.after));
  }
  return done;
}

interface Group {
  readonly before: string;
  readonly parts: readonly string[];
  readonly after: string;
}

function firstGroup(text: string): Group | undefined {
  const start = text.indexOf("{");
  if (start < 0) return undefined;
  const parts = [""];
  let depth = 1;
  for (let index = start + 1; index < text.length; index++) {
    const character = text[index]!;
    if (character === "{") depth++;
    if (character === "}") depth--;
    if (depth === 0) return { before: text.slice(0, start), parts, after: text.slice(index + 1) };
    if (character === "," && depth === 1) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return undefined;
}

function matching(pattern: string, files: Files): string[] {
  const isAbsolute = pattern.startsWith("/");
  let found = [isAbsolute ? "/" : ""];
  for (const part of pattern.split("/").filter((each) => each !== "")) {
    if (!isPattern(part)) {
      found = found.map((folder) => join(folder, part));
      continue;
    }
    const expression = expressionOf(part);
    found = found.flatMap((folder) =>
      (files.list(folder === "" ? "." : folder) ?? [])
        .filter((name) => expression.test(name) && (!name.startsWith(".") || part.startsWith(".")))
        .toSorted()
        .map((name) => join(folder, name)),
    );
  }
  return found.filter((path) => path !== "" && path !== "/" && files.exists(path));
}

/** `*`, `?` and `[...]` of one name. */
function expressionOf(part: string): RegExp {
  // Stars that follow each other would make the expression slow, and mean no more than one.
  const source = part.replaceAll(/\*+|\?|\[[!^]?\]?[^\]]*\]|[\\^$.+()[\]{}|]/g, (piece) => {
    if (piece.startsWith("*")) return "[^/]*";
    if (piece === "?") return "[^/]";
    if (piece.length === 1) return `\\${piece}`;
    const isNot = /^\[[!^]/.test(piece);
    const inside = piece.slice(isNot ? 2 : 1, -1).replaceAll(/[\\[\]^]/g, "\\$&");
    return `[${isNot ? "^" : ""}${inside}]`;
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    // "[z-a]" matches nothing.
    return /$^/;
  }
}
