/** A configuration's files: the one that was named, and those that it includes. */
import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { ConfigurationDocument } from "./document.ts";
import { type ConfigurationProblem, formatPath, type Path } from "./problem.ts";
import {
  type DestinationDefaults,
  FILE_SCHEMA,
  type FileContent,
  type ServiceDefaults,
} from "./schema.ts";
import { schemaProblems } from "./schema-problems.ts";
import { soundPart } from "./soundness.ts";
import type { Environment } from "./variables.ts";

/** A file that is right by itself, with the defaults that hold in it. */
export interface ConfigurationFile {
  readonly document: ConfigurationDocument;
  readonly content: FileContent;
  readonly defaults: Defaults;
}

export interface Defaults {
  readonly service: ServiceDefaults;
  readonly destination: DestinationDefaults;
}

export interface LoadedFiles {
  /** Each after those that it includes; of those that something is wrong with, what is right. */
  readonly files: readonly ConfigurationFile[];
  readonly problems: readonly ConfigurationProblem[];
  /** What is not as the files mean it; undefined where a file is not there at all, so that nobody knows what it would have brought. */
  readonly doubtful: readonly Doubt[] | undefined;
}

/** A part of a file in which something is wrong, as problems name places. */
export interface Doubt {
  readonly file: string;
  readonly path: string;
}

export const NO_DEFAULTS: Defaults = { service: {}, destination: {} };

/** Resolves also when something is wrong. */
export async function loadFiles(path: string, environment: Environment): Promise<LoadedFiles> {
  const loading = new Loading(environment);
  await loading.load(path, NO_DEFAULTS, (message) => ({
    file: path,
    line: undefined,
    column: undefined,
    path: "",
    message,
  }));
  return loading;
}

/** A text as if it were a file of that name. It can include nothing. */
export function readText(
  file: string,
  text: string,
  defaults: Defaults,
  environment: Environment,
): LoadedFiles {
  const document = new ConfigurationDocument(file, text, environment);
  const { problems } = document;
  if (problems.length > 0) return { files: [], problems, doubtful: undefined };
  // A file of comments alone is one that says nothing.
  const checked = FILE_SCHEMA.safeParse(document.value ?? {});
  if (checked.success) {
    const whole = { document, content: checked.data, defaults: within(defaults, checked.data) };
    return { files: [whole], problems, doubtful: [] };
  }
  const { issues } = checked.error;
  const told = schemaProblems(document, issues);
  const part = soundPart(document.plainValue(), issues);
  if (part === undefined) return { files: [], problems: told, doubtful: undefined };
  const { content } = part;
  return {
    files: [{ document, content, defaults: within(defaults, content) }],
    problems: told,
    doubtful: part.doubtful.map((path) => ({ file, path: formatPath(path) })),
  };
}

/** The defaults that hold in a file. */
function within(defaults: Defaults, { defaults: own }: FileContent): Defaults {
  return {
    service: {
      ...defaults.service,
      ...own?.service,
      health: { ...defaults.service.health, ...own?.service?.health },
    },
    destination: { ...defaults.destination, ...own?.destination },
  };
}

type Complain = (message: string) => ConfigurationProblem;

class Loading implements LoadedFiles {
  readonly files: ConfigurationFile[] = [];
  readonly problems: ConfigurationProblem[] = [];
  doubtful: readonly Doubt[] | undefined = [];
  readonly #environment: Environment;
  /** By their real paths. */
  readonly #seen = new Set<string>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** `complain` says where the file was asked for. */
  async load(path: string, defaults: Defaults, complain: Complain): Promise<void> {
    let text: string;
    try {
      const real = await realpath(path);
      if (this.#seen.has(real)) {
        this.#lacks(complain(`${path} is included twice, or includes itself`));
        return;
      }
      this.#seen.add(real);
      text = await readFile(path, "utf8");
    } catch (error) {
      this.#lacks(complain(`cannot read ${path}: ${reasonOf(error)}`));
      return;
    }
    const { files, problems, doubtful } = readText(path, text, defaults, this.#environment);
    this.problems.push(...problems);
    this.doubtful = doubtful && this.doubtful && [...this.doubtful, ...doubtful];
    const [file] = files;
    if (file === undefined) return;
    await this.#include(path, file);
    this.files.push(file);
  }

  async #include(from: string, { document, content, defaults }: ConfigurationFile): Promise<void> {
    const { include = [] } = content;
    const isList = Array.isArray(include);
    for (const [index, pattern] of (isList ? include : [include]).entries()) {
      const at: Path = isList ? ["include", index] : ["include"];
      const complain: Complain = (message) => document.problem(at, message);
      try {
        for (const path of await matching(dirname(from), pattern)) {
          await this.load(path, defaults, complain);
        }
      } catch (error) {
        this.#lacks(complain(`cannot look for ${pattern}: ${reasonOf(error)}`));
      }
    }
  }

  #lacks(problem: ConfigurationProblem): void {
    this.problems.push(problem);
    this.doubtful = undefined;
  }
}

/** Files by a pattern whose last part may have `*`, in the order of their names. No match is none. */
async function matching(folder: string, pattern: string): Promise<string[]> {
  const path = isAbsolute(pattern) ? pattern : join(folder, pattern);
  const name = basename(path);
  if (!name.includes("*")) return [path];
  const parts = name.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`);
  const names = await readdir(dirname(path));
  return names
    .filter((each) => expression.test(each) && (!each.startsWith(".") || name.startsWith(".")))
    .toSorted()
    .map((each) => join(dirname(path), each));
}

function reasonOf(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "it may not be read",
  EISDIR: "it is a folder",
};
