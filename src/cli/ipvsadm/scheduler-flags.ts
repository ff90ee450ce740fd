/** The names of a scheduler's flags: sh and mh have their own for the first two. */
import type { SchedulerFlagName } from "../../control/wire.ts";
import { mistake } from "./failure.ts";

interface FlagSpelling {
  readonly text: string;
  readonly flag: SchedulerFlagName;
  /** The one scheduler that knows it by this name; undefined for all. */
  readonly scheduler: string | undefined;
}

// biome-ignore format: a table
const SPELLINGS: readonly FlagSpelling[] = [
  { text: "flag-1",      flag: "fallback", scheduler: undefined },
  { text: "flag-2",      flag: "port",     scheduler: undefined },
  { text: "flag-3",      flag: "third",    scheduler: undefined },
  { text: "sh-fallback", flag: "fallback", scheduler: "sh" },
  { text: "sh-port",     flag: "port",     scheduler: "sh" },
  { text: "mh-fallback", flag: "fallback", scheduler: "mh" },
  { text: "mh-port",     flag: "port",     scheduler: "mh" },
];

/** `sh-fallback,sh-port`. Empty parts between commas are skipped; a list of nothing but commas is refused. */
export function readSchedulerFlags(list: string, scheduler: string): SchedulerFlagName[] {
  if (list === "") return [];
  const texts = list.split(",").filter((text) => text !== "");
  if (texts.length === 0) throw mistake(`invalid scheduler flag \`${list}'`);
  const flags = texts.map((text) => readSchedulerFlag(text, scheduler));
  return [...new Set(flags)];
}

/** As listings and `-S` print them: third has no name with sh and mh. Empty for none. */
export function formatSchedulerFlags(
  flags: readonly SchedulerFlagName[],
  scheduler: string,
): string {
  const own = SPELLINGS.filter((spelling) => spelling.scheduler === scheduler);
  const spellings = own.length > 0 ? own : SPELLINGS.filter((spelling) => !spelling.scheduler);
  return spellings
    .filter(({ flag }) => flags.includes(flag))
    .map(({ text }) => text)
    .join(",");
}

function readSchedulerFlag(text: string, scheduler: string): SchedulerFlagName {
  const spelling = SPELLINGS.find((each) => each.text === text);
  if (spelling === undefined) throw mistake(`invalid scheduler flag \`${text}'`);
  if (spelling.scheduler !== undefined && spelling.scheduler !== scheduler) {
    throw mistake(`incompatible scheduler flag \`${text}'`);
  }
  return spelling.flag;
}
