/** Lines as a person or a script types them, and what a terminal shows; /bin/sh says the same of each (see the last test). */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { PROGRAMS } from "../commands/index.ts";
import { Simulation } from "../simulation.ts";

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: a shell's
// biome-ignore format: a table
const lines: [line: string, shows: string, status: number][] = [
  ["echo one   two", "one two\n", 0],
  ["echo 'one   two' \"three  four\"", "one   two three  four\n", 0],
  ["echo one\\ two 'it'\\''s'", "one two it's\n", 0],
  ["echo \"a \\\"b\\\" \\$c\"", "a \"b\" $c\n", 0],
  ["echo # nothing of this", "\n", 0],
  ["echo a#b", "a#b\n", 0],
  ["echo a; echo b", "a\nb\n", 0],
  ["true && echo yes || echo no", "yes\n", 0],
  ["false && echo yes || echo no", "no\n", 0],
  ["false || false && echo no", "", 1],
  ["! false && echo inverted", "inverted\n", 0],
  ["printf 'b\\na\\nb\\n' | sort | uniq -c | wc -l", "2\n", 0],
  ["echo a | grep b", "", 1],
  ["echo a > /run/file; echo b >> /run/file; cat /run/file", "a\nb\n", 0],
  ["echo lost > /dev/null", "", 0],
  ["ls /nowhere 2> /dev/null", "", 2],
  ["ls /nowhere > /dev/null 2>&1 || echo failed", "failed\n", 0],
  ["x=5; echo $x ${x}th \"$x\" '$x'", "5 5th 5 $x\n", 0],
  ["echo \"[$nothing]\"", "[]\n", 0],
  ["for i in 1 2 3; do echo $i; done", "1\n2\n3\n", 0],
  ["for i in $(seq 2); do for j in a b; do echo $i$j; done; done", "1a\n1b\n2a\n2b\n", 0],
  ["echo $(echo inner $(echo innermost))", "inner innermost\n", 0],
  ["echo `echo old`", "old\n", 0],
  ["if true; then echo then; else echo else; fi", "then\n", 0],
  ["if false; then echo then; elif true; then echo elif; fi", "elif\n", 0],
  ["while false; do echo never; done", "", 0],
  ["(cd /run; pwd); pwd", "/run\n/root\n", 0],
  ["cd /run && pwd", "/run\n", 0],
  ["{ echo a; echo b; } | wc -l", "2\n", 0],
  ["false; echo $?", "1\n", 0],
  ["sleep 0.1 & wait; echo done", "done\n", 0],
  ["timeout 1 sleep 5; echo $?", "124\n", 0],
  ["if false; then echo then; fi; echo $?", "0\n", 0],
  ["if echo a | grep -q a; then for i in 1 2; do echo $i; done; fi", "1\n2\n", 0],
  ["echo \"now: `echo old`\"", "now: old\n", 0],
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: a shell's

async function typed(line: string): Promise<{ status: number; output: string }> {
  const simulation = new Simulation({ seed: 1, programs: PROGRAMS });
  simulation.addHost("host");
  const { status, output } = await simulation.run("host", line);
  return { status, output };
}

test.each(lines)("%s", async (line, shows, status) => {
  expect(await typed(line)).toEqual({ output: shows, status });
});

// biome-ignore format: a table
const refused: [line: string, shows: RegExp, status: number][] = [
  ["nonsense", /^bash: nonsense: command not found\n$/, 127],
  ["/bin/nonsense", /^bash: \/bin\/nonsense: No such file or directory\n$/, 127],
  ["echo 'open", /^bash: .*unexpected EOF/, 2],
  ["for i in 1; do echo $i", /^bash: syntax error/, 2],
  ["| wc", /^bash: syntax error near unexpected token `\|'/, 2],
  ["cd /nowhere", /^bash: cd: \/nowhere: No such file or directory\n$/, 1],
];

test.each(refused)("%s is refused as by bash", async (line, shows, status) => {
  const ran = await typed(line);
  expect(ran.output).toMatch(shows);
  expect(ran.status).toBe(status);
});

test("a real shell says the same", () => {
  // Where root's home is another, or /run is not ours to write into, the lines are the same elsewhere.
  for (const [line, shows] of lines.filter(([each]) => !/\/run|\/root|pwd|timeout/.test(each))) {
    const said = execFileSync("/bin/sh", ["-c", `${line}; true`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect([line, said]).toEqual([line, shows]);
  }
});

test("a loop that never ends is interrupted", async () => {
  const simulation = new Simulation({ seed: 1, programs: PROGRAMS });
  simulation.addHost("host");
  const { status } = await simulation.run("host", "while true; do sleep 1; done", 5_000);
  expect(status).toBe(130);
});
