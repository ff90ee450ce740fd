/** `npm run attack`: carries attacks out, one after the other, and prints what became of requests beside them. */
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { LabFailure } from "../../src/lab/failure.ts";
import { programLine } from "../../src/lab/program.ts";
import { needsUserNamespace, startInside } from "../../src/lab/run/box.ts";
import { type Attack, notCarriedOut, type Result } from "./attack.ts";
import { ATTACKS } from "./attacks/index.ts";
import { INSIDE, type Order, runInside, type Told } from "./inside.ts";
import { ENGINES } from "./stage.ts";
import { table } from "./table.ts";

const USAGE = `Usage: npm run attack -- [--short] [--json] [--engine ENGINE] [NAME...]
       npm run attack -- --list

Attacks a daemon in network namespaces of its own, with all attacks (some four minutes) or with those
that are named, and prints what became of ordinary clients' requests beside each. --short: less of
each, as npm test has it. --engine: userspace (the default) or kernel, which needs root. Exits with 1
when something did not hold.

${ATTACKS.map(({ name, title }) => `  ${name.padEnd(26)} ${title}`).join("\n")}
`;
const USAGE_EXIT_CODE = 2;
const OPTIONS = {
  short: { type: "boolean" },
  json: { type: "boolean" },
  list: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  engine: { type: "string", default: "userspace" },
} as const;

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  if (words[0] === INSIDE) return await runInside(JSON.parse(words[1] ?? "") as Order);
  const read = readWords(words);
  if (typeof read === "string") {
    process.stderr.write(`attack: ${read}\n${USAGE}`);
    return USAGE_EXIT_CODE;
  }
  const { options, names } = read;
  if (options.help) return say(USAGE, 0);
  if (options.list) return say(`${ATTACKS.map(({ name }) => name).join("\n")}\n`, 0);
  const { engine, short: isShort = false } = options;
  const wanted = ATTACKS.filter(({ name }) => names.length === 0 || names.includes(name));
  const results: Result[] = [];
  try {
    const inUserNamespace = needsUserNamespace(process.getuid?.() === 0);
    for (const attack of wanted) {
      process.stderr.write(`attack: ${attack.name}: ${attack.title}\n`);
      results.push(await carryOut(attack, { name: attack.name, engine, isShort }, inUserNamespace));
    }
  } catch (error) {
    if (!(error instanceof LabFailure)) throw error;
    process.stderr.write(`attack: ${error.message}\n`);
    return 1;
  }
  const code = results.some(({ faults }) => faults.length > 0) ? 1 : 0;
  return say(options.json ? `${JSON.stringify(results, null, 2)}\n` : table(results), code);
}

/** Or what is wrong with them. */
function readWords(words: readonly string[]) {
  try {
    const { values: options, positionals: names } = parseArgs({
      args: [...words],
      options: OPTIONS,
      allowPositionals: true,
    });
    const unknown = names.find((name) => !ATTACKS.some((attack) => attack.name === name));
    if (unknown !== undefined) return `'${unknown}' is no attack`;
    const engine = ENGINES.find((each) => each === options.engine);
    if (engine === undefined) return `--engine ${options.engine}: one of ${ENGINES.join(", ")}`;
    return { options: { ...options, engine }, names };
  } catch (error) {
    return (error as Error).message;
  }
}

/** In namespaces of its own; whatever ends, nothing stays. */
async function carryOut(attack: Attack, order: Order, inUserNamespace: boolean): Promise<Result> {
  const line = programLine(INSIDE, JSON.stringify(order));
  const inside = startInside(inUserNamespace, randomUUID(), line);
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
