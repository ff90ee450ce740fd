/** What commands share that are about an earlier generation. */

import type { Client } from "../../api/client.ts";
import type { Plan } from "../../api/messages.ts";
import { FLAG, readArguments } from "../arguments.ts";
import { namedChanges, renderPlan } from "../configuration/changes.ts";
import { serviceKeyNames } from "../names.ts";
import { type Around, UsageError } from "../question.ts";

export interface GenerationWords {
  readonly help: boolean;
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly generation: number | undefined;
}

/** Throws a UsageError. */
export function readWords(args: readonly string[]): GenerationWords {
  const { values, positionals } = readArguments(args, OPTIONS);
  const [word, ...more] = positionals;
  if (more.length > 0) {
    throw new UsageError(`expected one generation, got ${positionals.join(" ")}`);
  }
  if (word !== undefined && !/^\d{1,15}$/.test(word)) {
    throw new UsageError(`${word}: expected a generation's number: see sluice history`);
  }
  const { help, json } = values;
  const generation = word === undefined ? undefined : Number(word);
  return { help, json, dryRun: values["dry-run"], generation };
}

/** The one before that in force. */
export async function previous(client: Client): Promise<number> {
  const { generation } = await client.call("history", {}, undefined);
  if (generation > 0) return generation - 1;
  throw new UsageError("nothing was changed yet");
}

export async function print(
  plan: Plan,
  client: Client,
  around: Around,
  how: { readonly isJson: boolean; readonly isDone: boolean },
): Promise<void> {
  await around.write(renderPlan(namedChanges(plan, await serviceKeyNames(client)), how));
}

const OPTIONS = { "dry-run": FLAG, json: FLAG };
