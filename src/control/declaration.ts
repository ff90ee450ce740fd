/**
 * What the file said that was applied last: whoever changes something by another way makes it drift, and the names that it
 * has for services are known by it. Kept in a file beside the journal, so that a daemon which starts anew knows it, too.
 *
 * A JSON object a line, as PUT /v1/configuration has them: first when and by whom, then the settings, then a service a line.
 */
import { readFile } from "node:fs/promises";
import { Pauses } from "../base/pauses.ts";
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import { type Difference, differences } from "../ipvs/desired/differences.ts";
import type { ServicePlan } from "../ipvs/desired/service.ts";
import {
  reconciling,
  type WantedFile,
  type WantedService,
  type WantedState,
} from "../ipvs/desired/wanted.ts";
import type { Author } from "./author.ts";
import { replaceFile, writeAll } from "./regular-file.ts";
import {
  type WireWantedService,
  type WireWantedSettings,
  wantedServiceFromWire,
  wantedServiceToWire,
  wantedSettingsFromWire,
  wantedSettingsToWire,
} from "./wanted-wire.ts";

export interface Declaration {
  /** As ISO 8601 has it. */
  readonly at: string;
  readonly by: Author;
  readonly wanted: WantedState & { readonly file: WantedFile };
}

const FORMAT = 1;
const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** Of what stands and what was declared: the same two have the same differences. */
interface Found {
  readonly state: DesiredState;
  readonly declaration: Declaration;
  readonly drift: readonly Difference[];
}

export class Declarations {
  readonly #path: string | undefined;
  readonly #warn: (message: string) => void;
  #declaration: Promise<Declaration | undefined> | undefined;
  #found: Found | undefined;
  readonly #listeners = new Set<() => void>();

  /** `path` undefined: it lives as long as the process. */
  constructor(path: string | undefined, warn: (message: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  /** Read when it is asked for the first time: a start need not wait for it. */
  latest(): Promise<Declaration | undefined> {
    this.#declaration ??= this.#load();
    return this.#declaration;
  }

  /** Has `listener` told whenever somebody puts a file in force, also one that is in force already. */
  onNote(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** By service ids. */
  async names(): Promise<ReadonlyMap<string, string>> {
    return (await this.latest())?.wanted.file.names ?? NO_NAMES;
  }

  /** Notes what was put in force, if a file says it. What cannot be written is warned of. */
  async note(wanted: WantedState, by: Author): Promise<void> {
    const { file } = wanted;
    if (file === undefined) return;
    const declaration = { at: new Date().toISOString(), by, wanted: { ...wanted, file } };
    this.#declaration = Promise.resolve(declaration);
    for (const listener of this.#listeners) listener();
    if (this.#path === undefined) return;
    try {
      await write(this.#path, declaration);
    } catch (error) {
      this.#warn(
        `Cannot write what the file says to ${this.#path}: ${(error as Error).message}. It is in force and kept all the same; after a restart nobody knows its names, and what drifted`,
      );
    }
  }

  /** What other hands made of what the file says: from that to what stands. Undefined without a file. */
  async drift(
    state: DesiredState,
  ): Promise<{ declaration: Declaration; drift: readonly Difference[] } | undefined> {
    const declaration = await this.latest();
    if (declaration === undefined) return undefined;
    const known = this.#found;
    if (known?.state === state && known.declaration === declaration) return known;
    const pauses = new Pauses();
    // Whoever leaves is drained; here it has left.
    const { drainSeconds: _, ...wanted } = declaration.wanted;
    const standing = withoutLeaving(state);
    const work = reconciling(standing, wanted, 0);
    let step = work.next();
    while (!step.done) {
      await pauses.ifDue();
      step = work.next();
    }
    const found = { state, declaration, drift: differences(step.value, standing) };
    this.#found = found;
    return found;
  }

  async #load(): Promise<Declaration | undefined> {
    if (this.#path === undefined) return undefined;
    try {
      return await read(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        this.#warn(
          `Cannot use ${this.#path}: ${(error as Error).message}. What drifted is known again after the next sluice apply`,
        );
      }
      return undefined;
    }
  }
}

/** Without the servers that no file wants any more, and that are drained. */
function withoutLeaving(state: DesiredState): DesiredState {
  const services = new Map<string, ServicePlan>();
  let isSame = true;
  for (const [keyText, plan] of state.services) {
    const staying = plan.destinations.filter(({ drain }) => drain?.cause !== "file");
    if (staying.length === plan.destinations.length) {
      services.set(keyText, plan);
      continue;
    }
    isSame = false;
    const isLeaving = plan.destinations.some(({ drain }) => drain?.afterwards === "remove-service");
    if (staying.length > 0 || !isLeaving) services.set(keyText, { ...plan, destinations: staying });
  }
  return isSame ? state : { ...state, services };
}

async function write(path: string, { at, by, wanted }: Declaration): Promise<void> {
  const pauses = new Pauses();
  await using _file = await replaceFile(path, async (file) => {
    let position = 0;
    let text = `${JSON.stringify({ format: FORMAT, at, by })}\n${JSON.stringify(wantedSettingsToWire(wanted))}\n`;
    for (const service of wanted.services) {
      text += `${JSON.stringify(wantedServiceToWire(service))}\n`;
      if (text.length < 32_768) continue;
      const bytes = Buffer.from(text);
      await writeAll(file, bytes, position);
      position += bytes.length;
      text = "";
      await pauses.ifDue();
    }
    await writeAll(file, Buffer.from(text), position);
  });
}

async function read(path: string): Promise<Declaration> {
  const pauses = new Pauses();
  const [head = "", settings = "", ...lines] = (await readFile(path, "utf8")).trimEnd().split("\n");
  const { format, at, by } = JSON.parse(head) as Declaration & { readonly format: number };
  if (format !== FORMAT) throw new Error(`its format is ${format}, not ${FORMAT}`);
  const services: WantedService[] = [];
  for (const line of lines) {
    await pauses.ifDue();
    services.push(wantedServiceFromWire(JSON.parse(line) as WireWantedService));
  }
  const rest = wantedSettingsFromWire(JSON.parse(settings) as WireWantedSettings);
  if (rest.file === undefined) throw new Error("it says of no file");
  return { at, by, wanted: { ...rest, file: rest.file, services } };
}
