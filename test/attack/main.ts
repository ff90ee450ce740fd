/** `npm run attack`: carries attacks out, one after the other, and prints what became of requests beside them. */
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { LabFailure } from "../../src/lab/failure.ts";
import { programLine } from "../../src/lab/program.ts";
import { needsUserNamespace, startInside } from "../../src/lab/run/box.ts";
import { type Attack, notCarriedOut, type Result } from "./attack.ts";
import { ATTACKS } from "./attacks/index.ts";
import { INSIDE, runInside, type Told } from "./inside.ts";
import { KILL, KILL_USAGE, runKill } from "./kill.ts";
import { table } from "./table.ts";

const USAGE = `Usage: npm run attack -- [--short] [--json] [NAME...]
       npm run attack -- --list
${KILL_USAGE}
Attacks a daemon in network namespaces of its own, with all attacks (some four minutes) or with those
that are named, and prints what became of ordinary clients' requests beside each. --short: less of
each, as npm test has it. Exits with 1 when something did not hold.

${ATTACKS.map(({ name, title }) => `  ${name.padEnd(26)} ${title}`).join("\n")}
`;
const USAGE_EXIT_CODE = 2;
const OPTIONS = new Set(["--short", "--json", "--list", "--help", "-h"]);

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words[0] === INSIDE) return await runInside(words[1] ?? "", words[2] === "--short");
  const options = new Set(words.filter((word) => word.startsWith("-")));
  const names = words.filter((word) => !word.startsWith("-"));
  if (options.has("--help") || options.has("-h")) return say(USAGE, 0);
  if (words[0] === KILL) return (await runKill(words.slice(1))) ?? complain(USAGE);
  if (options.has("--list")) return say(`${ATTACKS.map(({ name }) => name).join("\n")}\n`, 0);
  const unknown =
    [...options].find((option) => !OPTIONS.has(option)) ??
    names.find((name) => !ATTACKS.some((attack) => attack.name === name));
  if (unknown !== undefined) {
    return complain(`attack: '${unknown}' is no attack and no option\n${USAGE}`);
  }
  const wanted = ATTACKS.filter(({ name }) => names.length === 0 || names.includes(name));
  const results: Result[] = [];
  try {
    const inUserNamespace = needsUserNamespace(process.getuid?.() === 0);
    for (const attack of wanted) {
      process.stderr.write(`attack: ${attack.name}: ${attack.title}\n`);
      results.push(await carryOut(attack, options.has("--short"), inUserNamespace));
    }
  } catch (error) {
    if (!(error instanceof LabFailure)) throw error;
    process.stderr.write(`attack: ${error.message}\n`);
    return 1;
  }
  const code = results.some(({ faults }) => faults.length > 0) ? 1 : 0;
  return say(
    options.has("--json") ? `${JSON.stringify(results, null, 2)}\n` : table(results),
    code,
  );
}

/** In namespaces of its own; whatever ends, nothing stays. */
async function carryOut(
  attack: Attack,
  isShort: boolean,
  inUserNamespace: boolean,
): Promise<Result> {
  const words = [INSIDE, attack.name, isShort ? "--short" : "--long"];
  const inside = startInside(inUserNamespace, randomUUID(), programLine(...words));
  inside.stderr?.pipe(process.stderr);
  let failure = "it ended early";
  for await (const line of createInterface({ input: inside.stdout! })) {
    if (!line.startsWith("{")) continue;
    const told = JSON.parse(line) as Told;
    if ("result" in told) return told.result;
    failure = told.failure;
  }
  return notCarriedOut(attack, failure);
}

function say(text: string, code: number): number {
  process.stdout.write(text);
  return code;
}

function complain(text: string): number {
  process.stderr.write(text);
  return USAGE_EXIT_CODE;
}
