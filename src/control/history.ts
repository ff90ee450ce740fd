/**
 * What was changed, by whom, when, and the way back: a line for each generation, in a file beside the journal.
 *
 *     {"generation":7,"at":"...","by":{...},"added":1,"changed":0,"removed":0,"says":["+ tcp:10.0.0.1:80 ..."],"undo":{...}}
 *
 * `undo` is what leads from the state after the change to the one before, as a record of the journal. Nothing waits for the
 * file: the journal itself has who and when, and is not begun anew before what it holds is here (state-file.ts). What is too
 * long ago is forgotten. docs/decisions/0013.
 */
import { type FileHandle, open, readFile } from "node:fs/promises";
import { Pauses } from "../base/pauses.ts";
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import { differences } from "../ipvs/desired/differences.ts";
import type { Author, HistoryEntry } from "./author.ts";
import { changeToJson, withChange } from "./change-json.ts";
import { describeDifference } from "./difference-text.ts";
import { replaceFile, writeAll } from "./regular-file.ts";
import { StateFileError } from "./state-file-error.ts";
import type { ChangeJson } from "./wire-schema.ts";

/** How much is kept: so many generations, and so many characters of their lines. */
const GENERATIONS_MAX = 1_000;
const LENGTH_MAX = 8 << 20;
/** The file is written anew when it is so much longer than what is kept. */
const FILE_SLACK = 4 << 20;
/** Differences of one generation that are put in words. */
const SAYS_MAX = 20;
/** Lines are written together. */
const WRITE_AFTER_MS = 250;

interface Line extends HistoryEntry {
  readonly undo: ChangeJson;
}

/** One that is kept: its number, and its text. */
interface Kept {
  readonly generation: number;
  readonly text: string;
}

/** What was done, and not put into words yet. */
export interface Step {
  readonly generation: number;
  readonly at: string;
  readonly by: Author;
  readonly before: DesiredState;
  readonly after: DesiredState;
}

/** A generation is asked for that is not known, or not any more. */
export class NoSuchGeneration extends Error {
  override readonly name = "NoSuchGeneration";
}

export class History {
  readonly #path: string | undefined;
  readonly #warn: (message: string) => void;
  #steps: Step[] = [];
  #kept: Kept[] = [];
  #length = 0;
  #fileLength = 0;
  #isLoaded = false;
  #hasFailed = false;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** `path` undefined: it lives as long as the process. */
  constructor(path: string | undefined, warn: (message: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  /** Costs next to nothing: what it takes is done when packets leave time. */
  note(step: Step): void {
    this.#steps.push(step);
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_AFTER_MS).unref();
  }

  /** Resolves when all that was noted is on disk. Never rejects: a history that cannot be written is said once. */
  flush(): Promise<void> {
    return this.#inTurn(() => this.#write());
  }

  /** Newest first. */
  async entries(): Promise<readonly HistoryEntry[]> {
    await this.flush();
    return this.#kept.toReversed().map(({ text }) => {
      const { undo: _, ...entry } = JSON.parse(text) as Line;
      return entry;
    });
  }

  /** The state as of `generation`, by the way back from `now`, which is that of generation `newest`. */
  async stateAt(generation: number, now: DesiredState, newest: number): Promise<DesiredState> {
    await this.flush();
    if (generation === newest) return now;
    // What was changed while this waited is not in `now`.
    const undone = this.#kept.filter(
      (each) => each.generation > generation && each.generation <= newest,
    );
    const [oldest] = undone;
    if (generation > newest || oldest?.generation !== generation + 1) {
      throw new NoSuchGeneration(this.#unknown(generation, newest));
    }
    const pauses = new Pauses();
    let state = now;
    for (const { text, generation: from } of undone.toReversed()) {
      await pauses.ifDue();
      const { undo } = JSON.parse(text) as Line;
      state = withChange(
        state,
        undo,
        (why) => new StateFileError(`The way back from generation ${from} is not known: ${why}`),
      );
    }
    return state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.flush();
  }

  #unknown(generation: number, newest: number): string {
    const [first] = this.#kept;
    const oldest = first === undefined ? newest : first.generation - 1;
    return `There is no generation ${generation} to go back to: those from ${oldest} to ${newest} are known`;
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#load();
    const steps = this.#steps;
    this.#steps = [];
    const pauses = new Pauses();
    let lines = "";
    for (const step of steps) {
      // Of a journal that is read again, some may be here already.
      if (step.generation <= (this.#kept.at(-1)?.generation ?? -1)) continue;
      await pauses.ifDue();
      const text = JSON.stringify(lineOf(step));
      this.#keep({ generation: step.generation, text });
      lines += `${text}\n`;
    }
    if (lines !== "" && this.#path !== undefined) await this.#append(this.#path, lines);
  }

  #keep(kept: Kept): void {
    // A state that was put back from a copy counts anew: what was after it is no way back.
    const last = this.#kept.at(-1);
    if (last !== undefined && kept.generation !== last.generation + 1) {
      this.#kept = [];
      this.#length = 0;
    }
    this.#kept.push(kept);
    this.#length += kept.text.length;
    while (
      this.#kept.length > GENERATIONS_MAX ||
      (this.#length > LENGTH_MAX && this.#kept.length > 1)
    ) {
      this.#length -= this.#kept.shift()!.text.length;
    }
  }

  async #append(path: string, lines: string): Promise<void> {
    try {
      const bytes = Buffer.from(lines);
      if (this.#fileLength + bytes.length > this.#length + FILE_SLACK) {
        const all = Buffer.from(this.#kept.map(({ text }) => `${text}\n`).join(""));
        await using _file = await replaceFile(path, (file) => writeAll(file, all, 0));
        this.#fileLength = all.length;
      } else {
        await using file = await openToAppend(path);
        await file.appendFile(bytes);
        await file.datasync();
        this.#fileLength += bytes.length;
      }
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) {
        this.#warn(
          `Cannot write the history of changes to ${path}: ${(error as Error).message}. Changes are in force and kept all the same`,
        );
      }
      this.#hasFailed = true;
      // What is missing there goes with the next line: the file is then written anew.
      this.#fileLength = Number.POSITIVE_INFINITY;
    }
  }

  /** What an earlier process noted. A line that is not whole, and what was before it, is left out. */
  async #load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    if (this.#path === undefined) return;
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        this.#warn(`Cannot read the history of changes: ${(error as Error).message}`);
      }
      return;
    }
    this.#fileLength = Buffer.byteLength(text);
    if (text !== "" && !text.endsWith("\n")) this.#fileLength = Number.POSITIVE_INFINITY;
    const pauses = new Pauses();
    for (const line of text.split("\n")) {
      await pauses.ifDue();
      const generation = generationOf(line);
      if (generation !== undefined) this.#keep({ generation, text: line });
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function lineOf({ generation, at, by, before, after }: Step): Line {
  const all = differences(before, after);
  const count = (action: string): number => all.filter((each) => each.action === action).length;
  return {
    generation,
    at,
    by,
    added: count("add"),
    changed: count("change"),
    removed: count("remove"),
    says: all.slice(0, SAYS_MAX).map(describeDifference),
    undo: changeToJson(after, before),
  };
}

/** Undefined for what is no line of ours. */
function generationOf(line: string): number | undefined {
  try {
    const { generation, by, undo } = JSON.parse(line) as Partial<Line>;
    const isWhole = typeof by?.name === "string" && typeof undo === "object";
    return isWhole && Number.isSafeInteger(generation) ? generation : undefined;
  } catch {
    return undefined;
  }
}

/** Only the daemon's own user reads it: it tells what a site runs. */
function openToAppend(path: string): Promise<FileHandle> {
  return open(path, "a", 0o600);
}
