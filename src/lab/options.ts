/** The words after `sluice lab`, as typed values. */
import { resolve } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { ENGINES, type EngineChoice, HOOKS, type HookChoice } from "../daemon/options.ts";
import type { SchedulerName } from "../ipvs/schedulers/index.ts";
import type { Family } from "../net/address.ts";
import { MISTAKES } from "./mistakes/index.ts";
import { type Language, languageOf } from "./mistakes/words.ts";
import type { Encapsulation } from "./network/frame-content.ts";
import { HOST_NAMES, type HostName, SCENARIO_NAMES, type ScenarioName } from "./network/plan.ts";

export interface RunOptions {
  readonly scenario: ScenarioName;
  readonly family: Family;
  /** What tun goes through, one after the other. */
  readonly tunnels: readonly Encapsulation[];
  readonly scheduler: LabScheduler;
  /** Of the director's daemon; undefined: its own default. */
  readonly engine: EngineChoice | undefined;
  /** Where the kernel engine's programs meet packets; undefined: the daemon's default. */
  readonly hook: HookChoice | undefined;
  /** How many requests the client sends where the handbook reloads its browser. */
  readonly requests: number;
  /** Absolute path of the sluice.yaml that the director is configured by, or undefined: by ipvsadm. */
  readonly config: string | undefined;
  readonly keep: boolean;
  readonly json: boolean;
  /** Absolute path of the directory for `<host>.pcapng`, or undefined. */
  readonly pcap: string | undefined;
}

export interface MistakeOptions {
  /** Those that are asked for, by their names; of a quiz at most one. */
  readonly names: readonly string[];
  readonly action: "perform" | "list" | "quiz";
  readonly language: Language;
  readonly json: boolean;
  /** Without namespaces. */
  readonly isSimulated: boolean;
}

export type LabCommand =
  | { readonly kind: "mistake"; readonly options: MistakeOptions }
  | { readonly kind: "help" }
  | { readonly kind: "run"; readonly options: RunOptions }
  /** On simulated hosts, with what chance decides decided by the seed. */
  | { readonly kind: "simulated"; readonly options: RunOptions; readonly seed: number }
  /** Hosts with a director and web servers, and nothing else done. */
  | { readonly kind: "bare"; readonly scenario: ScenarioName; readonly family: Family }
  | { readonly kind: "shell"; readonly host: HostName; readonly command: readonly string[] }
  | { readonly kind: "down" };

/** What was typed makes no sense; the message says what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** All but the one that serves nobody. */
export type LabScheduler = Exclude<SchedulerName, "none">;

/**
 * Whether a scheduler sends requests that follow one another, each over before the next, to both real servers in turn.
 * The others have reasons of their own: a hash or cache keeps a client where it was, sed and nq count active connections
 * alone, of which finished requests leave none, fo and ovf fill one server first, and twos draws lots.
 */
// biome-ignore format: a table
export const ALTERNATES: Readonly<Record<LabScheduler, boolean>> = {
  rr:   true,  wrr:   true,  lc: true,  wlc: true,
  sed:  false, nq:    false, dh: false, sh:  false,
  lblc: false, lblcr: false, mh: false, fo:  false,
  ovf:  false, twos:  false,
};

export const TUNNELS = ["ipip", "gre", "gue"] as const satisfies readonly Encapsulation[];

const REQUESTS_MIN = 2;
const REQUESTS_MAX = 1000;
const SEED_MAX = 0xffff_ffff;

export function parseLabArguments(
  args: readonly string[],
  directory: string,
  environment: NodeJS.ProcessEnv = {},
): LabCommand {
  if (args.includes("--help") && args[0] !== "shell") return { kind: "help" };
  const [verb = "dr"] = args;
  switch (verb) {
    case "help":
    case "-h":
      return { kind: "help" };
    case "mistake":
      return { kind: "mistake", options: parseMistake(args.slice(1), environment) };
    case "shell":
      return parseShell(args.slice(1));
    case "down":
      if (args.length > 1) throw new UsageError(`'down' takes no arguments, got '${args[1]}'`);
      return { kind: "down" };
    default:
      return parseRun(args, directory);
  }
}

function parseShell([host, ...command]: readonly string[]): LabCommand {
  if (host === "--help" || host === "-h") return { kind: "help" };
  const known = HOST_NAMES.find((name) => name === host);
  if (known === undefined) {
    const got = host === undefined ? "none was given" : `'${host}' is none`;
    throw new UsageError(`'shell' wants one of the hosts ${HOST_NAMES.join(", ")}: ${got}`);
  }
  return { kind: "shell", host: known, command: command[0] === "--" ? command.slice(1) : command };
}

function parseRun(args: readonly string[], directory: string): LabCommand {
  const { values, positionals } = parse(args);
  const [name = "dr", ...rest] = positionals;
  const scenario = SCENARIO_NAMES.find((known) => known === name);
  if (scenario === undefined) {
    const known = SCENARIO_NAMES.join(", ");
    throw new UsageError(`Unknown laboratory '${name}': expected ${known}, mistake, shell or down`);
  }
  if (rest.length > 0) throw new UsageError(`Unexpected argument '${rest[0]}'`);
  const family = values.ipv6 ? "inet6" : "inet";
  if (values.bare) {
    refuseBeside("--bare", "only builds the hosts", args, ["bare", "ipv6", "keep"]);
    return { kind: "bare", scenario, family };
  }
  const options: RunOptions = {
    scenario,
    family,
    tunnels: toTunnels(values.tunnel, scenario),
    scheduler: toScheduler(values.scheduler),
    engine: toEngine(values.engine),
    hook: toHook(values.hook, values.engine),
    requests: toRequests(values.requests),
    config: toConfig(values.config, scenario, directory),
    keep: values.keep,
    json: values.json,
    pcap:
      values.pcap === undefined ? undefined : toPlace("--pcap", resolve(directory, values.pcap)),
  };
  if (!values.simulated) {
    if (values.seed !== undefined) throw new UsageError("--seed is for --simulated");
    return { kind: "run", options };
  }
  refuseBeside("--simulated", "has hosts in this process alone", args, SIMULATED);
  return { kind: "simulated", options, seed: toSeed(values.seed ?? "1") };
}

/** What --simulated goes with. */
const SIMULATED = ["simulated", "seed", "ipv6", "tunnel", "scheduler", "requests", "json", "pcap"];

/** Options that nothing would come of. */
function refuseBeside(
  option: string,
  what: string,
  args: readonly string[],
  allowed: readonly string[],
): void {
  const other = args
    .flatMap((word) => /^--([^=]+)/.exec(word)?.[1] ?? [])
    .find((name) => !allowed.includes(name));
  if (other === undefined) return;
  throw new UsageError(`${option} ${what}: --${other} has nothing to do there`);
}

function parseMistake(args: readonly string[], environment: NodeJS.ProcessEnv): MistakeOptions {
  const { values, positionals } = read(args, {
    all: FLAG,
    list: FLAG,
    quiz: FLAG,
    simulated: FLAG,
    json: FLAG,
    language: { type: "string" },
  });
  const chosen = (["all", "list", "quiz"] as const).filter((name) => values[name]);
  if (chosen.length > 1)
    throw new UsageError(`--${chosen[0]} and --${chosen[1]} exclude each other`);
  const known = MISTAKES.map(({ name }) => name);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`Unknown mistake '${unknown}': 'lab mistake --list' names all of them`);
  }
  const [action] = chosen;
  if (action === undefined && positionals.length === 0) {
    throw new UsageError("'mistake' wants the name of one: 'lab mistake --list' names all of them");
  }
  if ((action === "all" || action === "list") && positionals.length > 0) {
    throw new UsageError(`--${action} is for all of them, got '${positionals[0]}' as well`);
  }
  if (action === "quiz" && positionals.length > 1) {
    throw new UsageError(`A quiz is about one mistake, got '${positionals[1]}' as well`);
  }
  if (action === "quiz" && values.json)
    throw new UsageError("A quiz has no --json: it asks people");
  return {
    names: action === "all" ? known : positionals,
    action: action === undefined || action === "all" ? "perform" : action,
    language: toLanguage(values.language, environment),
    json: values.json,
    isSimulated: values.simulated,
  };
}

function toLanguage(name: string | undefined, environment: NodeJS.ProcessEnv): Language {
  if (name === undefined) return languageOf(environment);
  if (name === "en" || name === "zh") return name;
  throw new UsageError(`Unknown language '${name}': expected en or zh`);
}

const FLAG = { type: "boolean", default: false } as const;
type Options = NonNullable<ParseArgsConfig["options"]>;

function parse(args: readonly string[]) {
  return read(args, {
    ipv6: FLAG,
    tunnel: { type: "string" },
    scheduler: { type: "string", default: "rr" },
    engine: { type: "string" },
    hook: { type: "string" },
    requests: { type: "string", default: "10" },
    config: { type: "string" },
    keep: FLAG,
    json: FLAG,
    pcap: { type: "string" },
    bare: FLAG,
    simulated: FLAG,
    seed: { type: "string" },
  });
}

function read<const Known extends Options>(args: readonly string[], options: Known) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    // Its first sentence says what is wrong; the others are about Node's own conventions.
    if (error instanceof TypeError) throw new UsageError(error.message.replace(/\. .*/s, ""));
    throw error;
  }
}

function toTunnels(name: string | undefined, scenario: ScenarioName): readonly Encapsulation[] {
  if (name === undefined) return TUNNELS;
  if (scenario !== "tun") throw new UsageError("--tunnel is for the laboratory tun");
  const known = TUNNELS.find((each) => each === name);
  if (known !== undefined) return [known];
  throw new UsageError(`Unknown tunnel '${name}': expected one of ${TUNNELS.join(", ")}`);
}

function toScheduler(name: string): LabScheduler {
  if (Object.hasOwn(ALTERNATES, name)) return name as LabScheduler;
  throw new UsageError(
    `Unknown scheduler '${name}': expected one of ${Object.keys(ALTERNATES).join(", ")}`,
  );
}

function toEngine(name: string | undefined): EngineChoice | undefined {
  const known = ENGINES.find((each) => each === name);
  if (known !== undefined || name === undefined) return known;
  throw new UsageError(`Unknown engine '${name}': expected one of ${ENGINES.join(", ")}`);
}

function toHook(name: string | undefined, engine: string | undefined): HookChoice | undefined {
  if (name === undefined) return undefined;
  const known = HOOKS.find((each) => each === name);
  if (known === undefined) {
    throw new UsageError(`Unknown hook '${name}': expected one of ${HOOKS.join(", ")}`);
  }
  if (engine !== "userspace") return known;
  throw new UsageError("--hook is for --engine kernel");
}

function toRequests(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (count >= REQUESTS_MIN && count <= REQUESTS_MAX) return count;
  throw new UsageError(`--requests ${text}: expected ${REQUESTS_MIN} to ${REQUESTS_MAX}`);
}

function toSeed(text: string): number {
  const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (seed <= SEED_MAX) return seed;
  throw new UsageError(`--seed ${text}: expected 0 to ${SEED_MAX}`);
}

function toConfig(
  path: string | undefined,
  scenario: ScenarioName,
  directory: string,
): string | undefined {
  if (path === undefined) return undefined;
  if (scenario === "dr") return toPlace("--config", resolve(directory, path));
  throw new UsageError("--config is for the laboratory dr");
}

/** A path that leads to the same on the hosts. */
function toPlace(option: string, path: string): string {
  if (path !== "/run" && !path.startsWith("/run/")) return path;
  throw new UsageError(
    `${option} ${path}: the hosts have a /run of their own, choose another place`,
  );
}
