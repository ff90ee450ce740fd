/** ipvsadm's commands on a desired state, with the short options that packet rows need. */
import {
  addDestination,
  addService,
  type DesiredState,
  type DestinationSpec,
  deleteDestination,
  deleteService,
  editDestination,
  editService,
  flush,
  type ServiceSpec,
  setTimeouts,
} from "../../src/ipvs/desired/desired-state.ts";
import {
  type Endpoint,
  type Forwarding,
  type Mark,
  type Persistence,
  type Protocol,
  SCHEDULER_FLAG,
  type ServiceKey,
  type TunnelChecksum,
} from "../../src/ipvs/desired/service.ts";
import type { SchedulerName } from "../../src/ipvs/schedulers/index.ts";
import { toPort } from "../../src/net/port.ts";
import type { Names } from "./names.ts";

const DAY_SECONDS = 86_400;
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  "-t": "tcp",
  "-u": "udp",
  "--sctp-service": "sctp",
};

/** The state after one command. Throws what the command throws. */
export function command(state: DesiredState, text: string, names: Names): DesiredState {
  const words = text.split(/\s+/);
  const after = (option: string): string | undefined => {
    const at = words.indexOf(option);
    return at < 0 ? undefined : words[at + 1];
  };
  switch (words[0]) {
    case "-A":
      return addService(state, serviceSpec(words, after, names));
    case "-E":
      return editService(state, serviceSpec(words, after, names));
    case "-D":
      return deleteService(state, serviceKey(after, names));
    case "-C":
      return flush(state);
    case "-a":
      return addDestination(state, serviceKey(after, names), destinationSpec(words, after, names));
    case "-e":
      return editDestination(state, serviceKey(after, names), destinationSpec(words, after, names));
    case "-d":
      return deleteDestination(state, serviceKey(after, names), server(after, names));
    case "--set":
      return setTimeouts(state, {
        tcp: Math.min(Number(words[1]), 31 * DAY_SECONDS),
        tcpFin: Number(words[2]),
        udp: Number(words[3]),
      });
    default:
      throw new RangeError(`Cannot read command "${text}"`);
  }
}

type After = (option: string) => string | undefined;

export function serviceKey(after: After, names: Names): ServiceKey {
  const mark = after("-f");
  if (mark !== undefined) {
    return { kind: "mark", family: names.family, mark: Number(mark) as Mark };
  }
  for (const [option, protocol] of Object.entries(PROTOCOLS)) {
    const at = after(option);
    if (at !== undefined) return { kind: "endpoint", protocol, endpoint: parseEndpoint(at, names) };
  }
  throw new RangeError("Cannot tell the service: expected -t, -u, --sctp-service or -f");
}

function serviceSpec(words: readonly string[], after: After, names: Names): ServiceSpec {
  const flags = after("-b") ?? "";
  return {
    key: serviceKey(after, names),
    scheduler: (after("-s") ?? "wlc") as SchedulerName,
    schedulerFlags:
      (flags.includes("fallback") ? SCHEDULER_FLAG.fallback : 0) |
      (flags.includes("port") ? SCHEDULER_FLAG.port : 0),
    onePacket: words.includes("-o"),
    persistence: persistence(after, names),
    persistenceEngine: after("--pe") === undefined ? undefined : "sip",
  };
}

/** `-M 24` is a prefix of that length in either family. */
function persistence(after: After, names: Names): Persistence | undefined {
  const seconds = after("-p");
  if (seconds === undefined) return undefined;
  const prefix = after("-M");
  const netmask =
    names.family === "inet"
      ? (-1 << (32 - Number(prefix ?? 32))) >>> 0
      : Number(prefix === undefined ? 128 : prefix);
  return { timeoutSeconds: Number(seconds), netmask };
}

function destinationSpec(words: readonly string[], after: After, names: Names): DestinationSpec {
  return {
    endpoint: server(after, names),
    forwarding: forwarding(words, after),
    weight: Number(after("-w") ?? 1),
    upperThreshold: Number(after("-x") ?? 0),
    lowerThreshold: Number(after("-y") ?? 0),
  };
}

function forwarding(words: readonly string[], after: After): Forwarding {
  if (words.includes("-m")) return { kind: "masquerade" };
  if (!words.includes("-i")) return { kind: "route" };
  const checksum: TunnelChecksum = words.includes("--tun-csum")
    ? "full"
    : words.includes("--tun-remcsum")
      ? "remote"
      : "none";
  const port = toPort(Number(after("--tun-port") ?? 0));
  switch (after("--tun-type") ?? "ipip") {
    case "gue":
      return { kind: "tunnel", encapsulation: "gue", port, checksum };
    case "gre":
      return {
        kind: "tunnel",
        encapsulation: "gre",
        checksum: checksum === "full" ? "full" : "none",
      };
    default:
      return { kind: "tunnel", encapsulation: "ipip" };
  }
}

/** Without a port: the service's. */
function server(after: After, names: Names): Endpoint {
  const key = serviceKey(after, names);
  const text = after("-r")!;
  const port = key.kind === "mark" ? 0 : key.endpoint.port;
  return parseEndpoint(text.includes(":") ? text : `${text}:${port}`, names);
}

function parseEndpoint(text: string, names: Names): Endpoint {
  const at = text.lastIndexOf(":");
  return { address: names.address(text.slice(0, at)), port: toPort(Number(text.slice(at + 1))) };
}
