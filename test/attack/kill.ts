/** `npm run attack -- kill`: the daemon is killed so many times under load, and what clients noticed is printed. */
import { parseArgs } from "node:util";
import { killUnderLoad, type RestartFigures } from "./restart.ts";

/** The word by which it is asked for. */
export const KILL = "kill";

export const KILL_USAGE = `       npm run attack -- kill [--times N] [--engine kernel|userspace] [--runs-ms MS] [--json]

kill: ends a daemon by SIGKILL N times (1000), every third time while it runs, for MS milliseconds at most (300), else at one
system call of its start after the other, beside connections that are held and a request after the other, and prints
what of them was lost. A thousand times take some twenty-five minutes on an idle machine. Needs root.
`;

const PROGRESS_EVERY = 50;

/** The exit code: 1 when something was lost; undefined when the words make no sense. */
export async function runKill(words: readonly string[]): Promise<number | undefined> {
  const options = read(words);
  if (options === undefined) return undefined;
  const { times, engine, runsMs, isJson } = options;
  const begin = performance.now();
  const figures = await killUnderLoad(times, {
    engine,
    runsMs,
    onRound(round) {
      const seconds = Math.round((performance.now() - begin) / 1_000);
      if (round % PROGRESS_EVERY === 0) {
        process.stderr.write(`attack: killed ${round + 1} times in ${seconds} s\n`);
      }
    },
  });
  const text = isJson ? JSON.stringify({ engine, ...figures }, null, 2) : wordsOf(engine, figures);
  process.stdout.write(`${text}\n`);
  return isWhole(figures) ? 0 : 1;
}

function isWhole({ lost, failed, hostResets }: RestartFigures): boolean {
  return Object.keys(lost).length === 0 && Object.keys(failed).length === 0 && hostResets === 0;
}

function wordsOf(engine: string, figures: RestartFigures): string {
  const { rounds, held, lost, requests, failed, slowestMs, hostResets } = figures;
  return [
    `The daemon (${engine} engine) was killed ${rounds} times under load.`,
    `Connections held all the time: ${held}, lost: ${tally(lost)}.`,
    `Requests, a connection each: ${requests}, failed: ${tally(failed)}; the slowest waited ${Math.round(slowestMs)} ms.`,
    `Of the times that it ran, requests were answered while no daemon lived: ${figures.servedWhileDead}.`,
    `Refused by the director's own stack: ${hostResets}.`,
    `Connections that daemons went on with: ${figures.adopted}, half written: ${figures.damaged}.`,
    `From a start to the first packet: ${figures.startMedianMs} ms (median), ${figures.startSlowestMs} ms (slowest).`,
  ].join("\n");
}

function tally(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([what, count]) => `${count} (${what})`);
  return parts.join(", ") || "0";
}

function read(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        times: { type: "string", default: "1000" },
        engine: { type: "string", default: "kernel" },
        "runs-ms": { type: "string", default: "300" },
        json: { type: "boolean", default: false },
      },
    });
    const [times, runsMs] = [Number(values.times), Number(values["runs-ms"])];
    const { engine } = values;
    if (engine !== "kernel" && engine !== "userspace") return undefined;
    if (!Number.isInteger(times) || times < 1 || !Number.isInteger(runsMs) || runsMs < 0) {
      return undefined;
    }
    return { times, engine, runsMs, isJson: values.json } as const;
  } catch {
    return undefined;
  }
}
