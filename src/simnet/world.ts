/** What all hosts of a simulation share. */
import type { Prng } from "../base/prng.ts";
import type { Journal } from "./journal.ts";
import type { Agenda } from "./time/agenda.ts";

export interface World {
  readonly agenda: Agenda;
  readonly random: Prng;
  readonly journal: Journal;
  /** The number of a frame that a host makes now. */
  nextFrame(): number;
}
