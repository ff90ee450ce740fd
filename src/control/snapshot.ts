/**
 * The desired state on disk, so that a restarted daemon goes on where the last one was.
 *
 * A command is written whole before it is acknowledged: to a file beside the real one, fsynced, renamed over it, and
 * the directory fsynced. So the file is at every moment either the state before a command or the one after it. A file
 * that cannot be understood stops the daemon from starting: starting without it would lose every service.
 */
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  addDestination,
  addService,
  type DesiredState,
  EMPTY_STATE,
  setTimeouts,
} from "../ipvs/desired-state.ts";
import { LbError } from "../ipvs/errors.ts";
import { changedSysctls, setSysctls } from "../ipvs/set-sysctl.ts";
import {
  destinationFromWire,
  destinationToWire,
  serviceFromWire,
  serviceToWire,
  type WireSysctls,
} from "./wire.ts";
import { problemsOf, SNAPSHOT_SCHEMA, type SnapshotJson } from "./wire-schema.ts";

/** Only the daemon's own user reads it: it tells what a site runs. */
const FILE_MODE = 0o600;

/** A state file that is there and cannot be used. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
}

export class SnapshotFile {
  readonly path: string;
  readonly #warn: (message: string) => void;

  /** `warn` is told what of an earlier version's file is left out. */
  constructor(path: string, warn: (message: string) => void) {
    this.path = path;
    this.#warn = warn;
  }

  /** The state that was saved last, or the empty one when none ever was. */
  async load(): Promise<DesiredState> {
    let text: string;
    try {
      text = await readFile(this.path, "utf8");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return EMPTY_STATE;
      throw new SnapshotError(
        code === "EISDIR"
          ? `--state ${this.path} is a directory: name a file, such as ${join(this.path, "state.json")}`
          : `--state ${this.path} cannot be read: ${message}`,
        { cause: error },
      );
    }
    return this.#read(text);
  }

  async save(state: DesiredState): Promise<void> {
    const directory = dirname(this.path);
    await mkdir(directory, { recursive: true });
    // Always the same name, so that what a crash leaves is overwritten by the next command.
    const next = `${this.path}.next`;
    await using file = await open(next, "w", FILE_MODE);
    await file.writeFile(`${JSON.stringify(toJson(state), undefined, 2)}\n`);
    await file.sync();
    await rename(next, this.path);
    await using parent = await open(directory, "r");
    await parent.sync();
  }

  #read(text: string): DesiredState {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      throw this.#unusable((error as Error).message);
    }
    const checked = SNAPSHOT_SCHEMA.safeParse(json);
    if (!checked.success) {
      const problems = problemsOf(checked.error).map(({ path, message }) =>
        path === "" ? message : `${path}: ${message}`,
      );
      throw this.#unusable(problems.join("; "));
    }
    return this.#toState(checked.data);
  }

  /** Through the same commands that an operator gives, so that nothing gets in that they would refuse. */
  #toState({ timeouts, sysctls, markRules = [], services }: SnapshotJson): DesiredState {
    let state = this.#withSysctls(setTimeouts(EMPTY_STATE, timeouts), sysctls);
    this.#warnOfMarkRules(markRules);
    for (const [index, { destinations, ...record }] of services.entries()) {
      try {
        const service = serviceFromWire(record);
        state = addService(state, service);
        for (const destination of destinations) {
          state = addDestination(state, service.key, destinationFromWire(destination));
        }
      } catch (error) {
        if (error instanceof LbError) throw this.#unusable(`services[${index}]: ${error.message}`);
        throw error;
      }
    }
    return state;
  }

  /** An earlier Sluice gave packets their marks itself (docs/decisions/0004). */
  #warnOfMarkRules(rules: readonly unknown[]): void {
    if (rules.length === 0) return;
    this.#warn(
      `The mark rules in ${this.path} are not used any more, and go from it with the next command: write them with nft or iptables (docs/marks.md). They are ${JSON.stringify(rules)}`,
    );
  }

  #withSysctls(state: DesiredState, sysctls: WireSysctls): DesiredState {
    try {
      return setSysctls(state, sysctls);
    } catch (error) {
      if (error instanceof LbError) throw this.#unusable(`sysctls: ${error.message}`);
      throw error;
    }
  }

  #unusable(why: string): SnapshotError {
    return new SnapshotError(
      `Cannot use the saved state in ${this.path}: ${why}. Repair the file, or move it away to start without services.`,
    );
  }
}

function toJson(state: DesiredState): SnapshotJson {
  const services = [...state.services.values()].map((service) => ({
    ...serviceToWire(service),
    destinations: service.destinations.map(destinationToWire),
  }));
  const sysctls = changedSysctls(state.sysctls);
  return { format: 1, timeouts: state.timeouts, sysctls, services };
}
