/** `sluice daemon --config`: a file that is put in force at the start, and again at SIGHUP. */

import type { RefusedReload } from "../api/status.ts";
import type { Configuration } from "../configuration/load.ts";
import { ConfigurationError, formatProblem } from "../configuration/problem.ts";
import { ownDoing } from "../control/author.ts";
import type { Control } from "../control/control.ts";
import { reconciling, type WantedState } from "../ipvs/desired/wanted.ts";
import { readByChild } from "./configuration-reader.ts";
import type { Log } from "./log.ts";
import type { OwnSettings } from "./own-settings.ts";

/** What the file says, before packets flow. Rejects with a ConfigurationError. Loads what reads it: most have no file. */
export async function configurationBy(path: string): Promise<Configuration> {
  const { loadConfiguration } = await import("../configuration/load.ts");
  return await loadConfiguration(path, process.env);
}

/** All of it, or a rejection and nothing. */
export async function putInForce(
  control: Control,
  wanted: WantedState,
  path: string,
  lines: Log["lines"],
): Promise<void> {
  const by = ownDoing(`sluice daemon --config ${path}`);
  const { before, after } = await control.replace(
    (state) => reconciling(state, wanted, Date.now()),
    by,
  );
  await control.declarations.note(wanted, by);
  const services = after.services.size;
  lines.info(
    { event: "configuration-in-force", services },
    before === after ? "the configuration is in force already" : "the configuration is in force",
  );
}

/** Reads the file again, one time after the other. A file that cannot be used changes nothing, and is told of. */
export class ConfigurationReload {
  readonly #path: string;
  readonly #control: Control;
  readonly #own: Promise<OwnSettings>;
  readonly #lines: Log["lines"];
  #last: Promise<unknown> = Promise.resolve();
  #refused: RefusedReload | undefined;

  constructor(path: string, control: Control, own: Promise<OwnSettings>, lines: Log["lines"]) {
    this.#path = path;
    this.#control = control;
    this.#own = own;
    this.#lines = lines;
    // Whatever is in force since, somebody has seen to it.
    control.declarations.onNote(() => {
      this.#refused = undefined;
    });
  }

  /** Why the file was not used when it was read last. */
  get refused(): RefusedReload | undefined {
    return this.#refused;
  }

  /** Resolves to why the file is not used, if it is not. */
  again(): Promise<string | undefined> {
    const reload = this.#last.then(() => this.#reload());
    this.#last = reload;
    return reload;
  }

  async #reload(): Promise<string | undefined> {
    try {
      const { wanted, daemon } = await readByChild(this.#path);
      const own = await (await this.#own).prepare(daemon);
      try {
        await putInForce(this.#control, wanted, this.#path, this.#lines);
      } catch (error) {
        await own.undo();
        throw error;
      }
      own.commit();
      return undefined;
    } catch (error) {
      const said =
        error instanceof ConfigurationError
          ? { event: "configuration-refused", problems: error.problems.map(formatProblem) }
          : { event: "configuration-refused", err: error };
      this.#lines.error(said, "the configuration is not used: all stays as it is");
      const problems = "problems" in said ? said.problems : [(error as Error).message];
      this.#refused = { at: new Date(), path: this.#path, problems };
      return `the configuration is not used: ${(error as Error).message}`;
    }
  }
}
