/** What `sluice daemon` is asked for. */
import { parseArgs } from "node:util";
import { DEFAULT_TOKENS } from "../api/secure/default-tokens.ts";
import type { ApiSettings } from "../configuration/daemon-settings.ts";
import {
  A_LISTEN_PLACE,
  type ListenPlace,
  parseListenPlace,
} from "../configuration/listen-place.ts";

export const DEFAULT_STATE_PATH = "/var/lib/sluice/state.json";

/** What may move packets: engine-choice.ts. */
export const ENGINES = ["auto", "kernel", "userspace"] as const;
export type EngineChoice = (typeof ENGINES)[number];
const ENGINE_DEFAULT: EngineChoice = "auto";

/** Where the kernel engine opens connections. */
export const ADMISSIONS = ["host", "wire"] as const;
export type Admission = (typeof ADMISSIONS)[number];

/** Where the kernel engine's programs meet packets first. */
export const HOOKS = ["tc", "xdp"] as const;
export type HookChoice = (typeof HOOKS)[number];

export interface DaemonOptions {
  readonly socket: string;
  /** A group's name or number. */
  readonly socketGroup: string | undefined;
  /** Undefined keeps state in memory only. */
  readonly state: string | undefined;
  /** What is put in force at the start and at SIGHUP; undefined: what the state file has. */
  readonly config: string | undefined;
  /** A group whose members may look: a name or number. */
  readonly readGroup: string | undefined;
  /** Where the API is over TCP; undefined: nowhere, or where the configuration says. */
  readonly api: ApiSettings | undefined;
  /** Where Prometheus is answered over TCP; undefined: nowhere, or where the configuration says. */
  readonly metrics: ListenPlace | undefined;
  readonly engine: EngineChoice;
  readonly admission: Admission;
  readonly hook: HookChoice;
  readonly logLevel: LogLevel;
  readonly connectionsMax: number;
  /** For how long services' packets are dropped when the daemon has ended. */
  readonly graceSeconds: number;
  /** Whether the connections of the daemon before are gone on with. */
  readonly adopts: boolean;
  /** At an ordinary end the kernel engine's programs go on. */
  readonly detachesOnExit: boolean;
}

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const CONNECTIONS_DEFAULT = 1 << 20;
const CONNECTIONS_LIMIT = 1 << 24;

/** In seconds. */
export const GRACE_DEFAULT = 5;
const GRACE_LIMIT = 3600;

/** The arguments make no sense; the message says which and what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const DAEMON_HELP = `Usage: sluice daemon [options]

Runs the director in the foreground, in the current network namespace, until SIGTERM or SIGINT.
SIGHUP reads the state file again, and puts in force what somebody edited there (first remove its line "crc32"); with
--config it reads that file again instead.
A daemon for a second network namespace needs --socket and --state of its own.
Needs CAP_NET_ADMIN and CAP_NET_RAW there: root, or root in a user namespace. Folders are made below
/run/sluice and /var/lib/sluice alone, and of what lies at PATH only a dead daemon's socket is removed.

  --socket PATH      where ipvsadm finds it (default: $SLUICE_SOCKET, else
                     /run/sluice/sluice.sock); root and the daemon's user may command
  --socket-group G   so may members of this group, by name (getent group) or number; not root
  --read-group G     members of this group may look, and change nothing; docs/api.md
  --state FILE       where services are kept over a restart (default: ${DEFAULT_STATE_PATH});
                     changes since are in FILE.journal, and FILE.lock keeps other daemons away
  --no-state         keep nothing
  --config FILE      put this sluice.yaml in force at the start, all of it, and again at SIGHUP: what
                     is not in it goes, weights that it does not say stay. A file with a mistake
                     changes nothing: then a start is refused, and a reload is said in the log
  --metrics PLACE    answer Prometheus' GET /metrics at this TCP port, of the loopback address, or at this
                     ADDRESS:PORT, where whoever reaches it reads it; the API's socket answers it anyway
  --api PLACE        the API over TCP, for programs elsewhere; PLACE as above. Needs both of:
  --tls-certificate FILE
                     the certificate (PEM), with those between it and its authority
  --tls-key FILE     its key; SIGHUP reads both anew
  --tokens FILE      who may: sluice token (default: ${DEFAULT_TOKENS})
  --connections N    connections at most, up to ${CONNECTIONS_LIMIT} (default: ${CONNECTIONS_DEFAULT})
  --grace SECONDS    when the daemon has ended, by a signal or otherwise, services' packets are
                     dropped for so long and connections are kept, for the next daemon to go on
                     with; 0 gives the ports back to the host at once (default: ${GRACE_DEFAULT}, up to ${GRACE_LIMIT}).
                     The kernel engine's programs go on meanwhile, and open connections, too
  --no-adopt         forget the connections of the daemon before, and end its programs
  --detach-on-exit   SIGTERM leaves the kernel engine's programs running for longer than the grace: until
                     the next daemon goes on with them, or sluice engine detach ends them
  --engine ENGINE    auto (default): kernel where the host can, else userspace, and the log says which
                     and why; kernel, or userspace. The kernel engine has the kernel open and forward
                     connections by itself
  --admission WHERE  the kernel engine opens connections behind the host's firewall (host, default), which
                     sees each packet where its rules count or track, or where packets arrive (wire):
                     faster, for floods, and no rule of the host's sees them
  --hook HOOK        the kernel engine's programs meet packets at tc (default), or at xdp: in the driver,
                     before the kernel makes a socket buffer of each, for cards whose drivers run
                     programs; elsewhere in XDP's generic form, which is no faster than tc, and a warning
                     says where and why
  --log-level LEVEL  ${LOG_LEVELS.join(", ")} (default: info); the log is JSON lines on
                     standard output, which the daemon never waits for: what its reader, or the
                     disk of its file, is too slow for is counted, and said
  -h, --help         this

Exit status: 0 ended by a signal, 1 could not start or go on, 2 wrong arguments.
`;

export function parseDaemonOptions(
  args: readonly string[],
  defaultSocket: string,
): DaemonOptions | "help" {
  const values = read(args);
  if (values.help === true) return "help";
  const level = values["log-level"] ?? "info";
  if (!isLogLevel(level)) {
    throw new UsageError(`--log-level ${level}: expected one of ${LOG_LEVELS.join(", ")}`);
  }
  if (values["no-state"] === true && values.state !== undefined) {
    throw new UsageError("--state and --no-state exclude each other");
  }
  return {
    engine: engineOf(values.engine),
    admission: admissionOf(values.admission, values.engine),
    hook: hookOf(values.hook, values.engine),
    socket: values.socket ?? defaultSocket,
    socketGroup: values["socket-group"],
    readGroup: values["read-group"],
    api: apiOf(values),
    config: values.config,
    metrics: placeOf("--metrics", values.metrics),
    state: values["no-state"] === true ? undefined : (values.state ?? DEFAULT_STATE_PATH),
    logLevel: level,
    connectionsMax: connections(values.connections),
    graceSeconds: grace(values.grace),
    adopts: values["no-adopt"] !== true,
    detachesOnExit: detaches(values["detach-on-exit"], values.engine),
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        socket: { type: "string" },
        "socket-group": { type: "string" },
        "read-group": { type: "string" },
        api: { type: "string" },
        "tls-certificate": { type: "string" },
        "tls-key": { type: "string" },
        tokens: { type: "string" },
        state: { type: "string" },
        "no-state": { type: "boolean" },
        config: { type: "string" },
        metrics: { type: "string" },
        connections: { type: "string" },
        grace: { type: "string" },
        "no-adopt": { type: "boolean" },
        "detach-on-exit": { type: "boolean" },
        engine: { type: "string" },
        admission: { type: "string" },
        hook: { type: "string" },
        "log-level": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function connections(text: string | undefined): number {
  if (text === undefined) return CONNECTIONS_DEFAULT;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= CONNECTIONS_LIMIT) return value;
  throw new UsageError(
    `--connections ${text}: expected a whole number from 1 to ${CONNECTIONS_LIMIT}`,
  );
}

function grace(text: string | undefined): number {
  if (text === undefined) return GRACE_DEFAULT;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value <= GRACE_LIMIT) return value;
  throw new UsageError(`--grace ${text}: expected seconds from 0 to ${GRACE_LIMIT}`);
}

function apiOf(values: ReturnType<typeof read>): ApiSettings | undefined {
  const place = placeOf("--api", values.api);
  const { "tls-certificate": certificate, "tls-key": key, tokens } = values;
  if (place === undefined) {
    if ((certificate ?? key ?? tokens) === undefined) return undefined;
    throw new UsageError(
      "--tls-certificate, --tls-key and --tokens are for --api, which is missing",
    );
  }
  if (certificate === undefined || key === undefined) {
    throw new UsageError(
      "--api needs --tls-certificate and --tls-key: without TLS there is no API over TCP",
    );
  }
  return { ...place, certificate, key, tokens: tokens ?? DEFAULT_TOKENS };
}

function placeOf(option: string, text: string | undefined): ListenPlace | undefined {
  if (text === undefined) return undefined;
  const place = parseListenPlace(text);
  if (place !== undefined) return place;
  throw new UsageError(`${option} ${text}: expected ${A_LISTEN_PLACE}`);
}

function engineOf(text: string = ENGINE_DEFAULT): EngineChoice {
  const engine = ENGINES.find((each) => each === text);
  if (engine !== undefined) return engine;
  throw new UsageError(`--engine ${text}: expected one of ${ENGINES.join(", ")}`);
}

/** Throws for one that the engine has no use for: the userspace engine always stands behind the host's firewall. */
function admissionOf(text: string = "host", engine: string = ENGINE_DEFAULT): Admission {
  const admission = ADMISSIONS.find((each) => each === text);
  if (admission === undefined) {
    throw new UsageError(`--admission ${text}: expected one of ${ADMISSIONS.join(", ")}`);
  }
  if (admission === "wire" && engine === "userspace") {
    throw new UsageError("--admission wire: only the kernel engine can, --engine kernel or auto");
  }
  return admission;
}

/** Throws for one that the engine has no use for: the userspace engine has no programs. */
function hookOf(text: string = "tc", engine: string = ENGINE_DEFAULT): HookChoice {
  const hook = HOOKS.find((each) => each === text);
  if (hook === undefined)
    throw new UsageError(`--hook ${text}: expected one of ${HOOKS.join(", ")}`);
  if (hook === "xdp" && engine === "userspace") {
    throw new UsageError("--hook xdp: only the kernel engine can, --engine kernel or auto");
  }
  return hook;
}

/** Throws for an engine that has nothing to leave. */
function detaches(isWanted: boolean | undefined, engine: string = ENGINE_DEFAULT): boolean {
  if (isWanted === true && engine === "userspace") {
    throw new UsageError("--detach-on-exit: only the kernel engine can, --engine kernel or auto");
  }
  return isWanted === true;
}

function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}
