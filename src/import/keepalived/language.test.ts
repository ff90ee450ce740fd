// biome-ignore-all lint/suspicious/noTemplateCurlyInString: keepalived writes its definitions as JavaScript its templates.
/** keepalived's language by its parts; whole configurations are in samples.test.ts. */
import { describe, expect, test } from "vitest";
import { Notes } from "../told.ts";
import { decomment } from "./comments.ts";
import { alternatives, type Files, glob } from "./glob.ts";
import { linesOf } from "./lines.ts";
import { repeatIn } from "./repeats.ts";
import { statementsOf } from "./statements.ts";
import { escapedWordsOf, wordsOf } from "./words.ts";

function read(texts: Readonly<Record<string, string>>, linesMax?: number) {
  const notes = new Notes();
  const files = {
    list: () => Object.keys(texts),
    exists: (path: string) => Object.hasOwn(texts, path),
    read: (path: string) => ({ text: texts[path]! }),
  };
  const options = { files, id: "lb1", notes, ...(linesMax === undefined ? {} : { linesMax }) };
  const lines = [...linesOf("main", texts.main!, options)];
  return {
    lines: lines.map(({ text }) => text),
    lineNumbers: lines.map(({ at }) => at.line),
    told: notes.all(),
  };
}

// biome-ignore format: a table
const comments: [line: string, left: string][] = [
  ["  weight 1  ",              "weight 1"],
  ["weight 1 # one",            "weight 1"],
  ["weight 1! one",             "weight 1"],
  ["! all of it",               ""],
  ['path "/a#b!c" # gone',      'path "/a#b!c"'],
  ["path /a\\#b\\!c",           "path /a#b!c"],
  ['"a\\"#" b # c',             '"a\\"#" b'],
  ["$A= one \\",                "$A= one\\"],
  ["one # two \\",              "one\\"],
  ["one \\ ",                   "one \\"],
];

test.for(comments)("%j without its comment", ([line, left]) => {
  expect(decomment(line)).toBe(left);
});

// biome-ignore format: a table
const plainWords: [text: string, words: string[]][] = [
  ["real_server  10.0.0.1\t80", ["real_server", "10.0.0.1", "80"]],
  ['abc"d e"f ""',              ["abc", "d e", "f", ""]],
  ['open "never closed',        ["open", "never closed"]],
];

test.for(plainWords)("%j in words", ([text, words]) => {
  expect(wordsOf(text)).toEqual(words);
});

// biome-ignore format: a table
const shellWords: [text: string, words: string[]][] = [
  ['abcd" efg h jkl "mnop',     ["abcd efg h jkl mnop"]],
  ['abcd "efg h jkl" mnop',     ["abcd", "efg h jkl", "mnop"]],
  ["'a \"b' \"c 'd\"",          ['a "b', "c 'd"]],
  ["a\\ b \\x41\\102\\n",       ["a b", "AB\n"]],
  ["\"\\x41\\\"\\cA\"",         ['A"\x01']],
  ["end\\",                     ["end"]],
];

test.for(shellWords)("%j in words as a shell has them", ([text, words]) => {
  expect(escapedWordsOf(text)).toEqual(words);
});

describe("definitions", () => {
  test("are replaced when they are used, not when they are made", () => {
    const main = "$B=10.2.${S}\n$S=0\n${B}.100/32\n$S=10\n${B}.100/32\n";
    expect(read({ main }).lines).toEqual(["10.2.0.100/32", "10.2.10.100/32"]);
  });

  test("without braces need a blank behind them; those that are not there stay", () => {
    const main = "$A=x\n$E=\na $A b\na $A.b ${A}.b\n$NO ${NO}\nempty $E end\n";
    expect(read({ main }).lines).toEqual(["a x b", "a $A.b x.b", "$NO ${NO}", "empty  end"]);
  });

  test("have many lines; the last one has no backslash, or is empty", () => {
    const main =
      "$M= \\\n one $A \\\n two\nthree\n$A=1\nbefore $M\n$M after\n$L= \\\n four \\\n\nfive\n$L\n";
    const { lines, lineNumbers } = read({ main });
    // The name of one with many lines has to end the line.
    expect(lines).toEqual(["three", "before one 1", "two", "$M after", "five", "four"]);
    expect(lineNumbers).toEqual([4, 6, 3, 7, 11, 12]);
  });

  test("may define, and stand for a condition", () => {
    const main =
      "$IF=@lb1\n$D=$X=5\n$IF yes\n$IF $X=4\nx $X\n@lb2 no\n@^lb1 no\n@^lb2 @lb1 both\n@lb1\n";
    expect(read({ main }).lines).toEqual(["yes", "x 4", "both"]);
  });

  test("that keepalived has itself", () => {
    const main = "${_INSTANCE} ${_HASH}a ${_BANG}b ${_RANDOM 5 9} ${_RANDOM} ${_PWD}\n";
    expect(read({ main }).lines).toEqual([`lb1 #a !b 5 0 ${process.cwd()}`]);
  });

  test("without an end are told", () => {
    const main = "$A=$A $A\n$B= \\\n x \\\n $B\nafter $A\n$B\nlast\n";
    const { lines, told } = read({ main });
    expect(lines.at(-1)).toBe("last");
    expect(told.map(({ at, why }) => [at.line, why])).toEqual([
      [4, "its definitions have no end"],
      [4, "its definitions have no end"],
      [5, "its definitions have no end"],
    ]);
  });
});

// biome-ignore format: a table
const repeats: [text: string, rounds: string | undefined][] = [
  ["~SEQ(N, 0, 3) x",               "N=0 N=1 N=2 N=3"],
  ["~SEQ(N,3) x",                   "N=1 N=2 N=3"],
  ["~SEQ(N, -2) x",                 "N=-1 N=-2"],
  ["~SEQ(N, 3, 1) x",               "N=3 N=2 N=1"],
  ["~SEQ(N, 0, 5, 12) x",           "N=0 N=5 N=10"],
  ["~SEQx(N, 0x90, 0x10, 0xb0) x",  "N=90 N=a0 N=b0"],
  ["~SEQ (N, 010, 012) x",          "N=8 N=9 N=10"],
  ["~LST(N, a, b) x",               "N=a N=b"],
  ["~LST({A, B}, {1,2},{3,4}) x",   "A=1,B=2 A=3,B=4"],
  ["~SEQ(N, 1, 0, 3) x",            undefined],
  ["~SEQ(N, 1, -1, 3) x",           undefined],
  ["~SEQ(N) x",                     undefined],
  ["~SEQ(5, 1, 2) x",               undefined],
  ["~SEQ(N, one) x",                undefined],
  ["~LST(N) x",                     undefined],
  ["~LST({A,B}, {1}) x",            undefined],
  ["~OTHER(N, 1) x",                undefined],
];

test.for(repeats)("%j", ([text, expected]) => {
  const rounds = [...(repeatIn(text)?.rounds ?? [])].map((round) =>
    [...round].map(([name, value]) => `${name}=${value}`).join(),
  );
  expect(rounds.length === 0 ? undefined : rounds.join(" ")).toBe(expected);
});

test("lists and sequences stand in each other, and before definitions", () => {
  const main = "$D=is ${A}-${B}\n~LST(A, x, y) ~SEQ(B, 2) $D\n";
  expect(read({ main }).lines).toEqual(["is x-1", "is x-2", "is y-1", "is y-2"]);
});

test("sequences that are too long end, and say so", () => {
  const main = "~SEQ(A, 1000000) ~SEQ(B, 1000000) ${A} ${B}\nlast\n";
  const { lines, told } = read({ main }, 100);
  expect(lines.length).toBeLessThanOrEqual(100);
  expect(told[0]?.why).toContain("too many lines");
});

const FILES: Files = {
  list: (folder) =>
    ({
      ".": ["b", "a", ".c"],
      d: ["1.conf", "2.conf", ".3.conf", "x"],
      "/e": ["d"],
      "/e/d": ["y[1]"],
    })[folder],
  exists: () => true,
};

// biome-ignore format: a table
const patterns: [pattern: string, found: string[]][] = [
  ["*",                ["a", "b"]],
  [".*",               [".c"]],
  ["d/*.conf",         ["d/1.conf", "d/2.conf"]],
  ["d/?.c[!x]nf",      ["d/1.conf", "d/2.conf"]],
  ["d/[2-9].conf",     ["d/2.conf"]],
  ["d/[z-a]*",         []],
  ["{d/x,a}",          ["d/x", "a"]],
  ["/e/*/y*",          ["/e/d/y[1]"]],
  ["none/*",           []],
];

test.for(patterns)("%s finds %j", ([pattern, found]) => {
  expect(glob(pattern, FILES)).toEqual(found);
});

test("braces have alternatives, also within each other", () => {
  expect(alternatives("{foo/{,cat,dog},bar}")).toEqual(["foo/", "foo/cat", "foo/dog", "bar"]);
  expect(alternatives("a{b")).toEqual(["a{b"]);
});

// biome-ignore format: a table
const blocks: [text: string, statements: string, told: number][] = [
  ["a { b c\n}\nd",            "a[b c] d", 0],
  ["a\n{\nb { c } d }",        "a[b[c] d]", 0],
  ['a "{" { b ${C} }',         "a {[b ${C}]", 0],
  ["a { } }",                  "a[]", 1],
  ["a { b {",                  "a[b[]]", 2],
  ["{ a }",                    "{[a]", 1],
];

test.for(blocks)("%j as statements", ([text, expected, told]) => {
  const notes = new Notes();
  const lines = text.split("\n").map((line) => ({ text: line, at: { file: "f", line: 1 } }));
  const format = (all: ReturnType<typeof statementsOf>): string =>
    all.map(({ words, block }) => words.join(" ") + (block ? `[${format(block)}]` : "")).join(" ");
  expect(format(statementsOf(lines, notes))).toBe(expected);
  expect(notes.all()).toHaveLength(told);
});
