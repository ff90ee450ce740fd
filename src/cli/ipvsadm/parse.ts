/**
 * From words to a command. The first option must be the command; everything is checked in ipvsadm's order, so that a
 * line with several mistakes is answered with the same one.
 */

import { unreachable } from "../../base/unreachable.ts";
import type {
  WireDestination,
  WireForwarding,
  WirePersistence,
  WireServiceKey,
  WireServiceRecord,
} from "../../control/wire.ts";
import { Address } from "../../net/address.ts";
import type { Command, TableView } from "./command.ts";
import { Draft, familyOfText, readTimeout } from "./draft.ts";
import { Failure, mistake, tryHelp } from "./failure.ts";
import { type CommandName, type CommandTag, isCommand, LEGALITY, OPTION_NAMES } from "./grammar.ts";
import type { Names } from "./naming.ts";
import { type PoptError, type PoptOption, readOptions } from "./popt.ts";
import { readSchedulerFlags } from "./scheduler-flags.ts";
import { hasTunnelOption, tunnelOf } from "./tunnel.ts";

/** Throws Failure for what is no command line. No words at all list the table. */
export async function parse(words: readonly string[], names: Names): Promise<Command> {
  const leftover: string[] = [];
  const options = readOptions(words.length === 0 ? ["-L"] : words, leftover);
  const command = readCommand(options);
  if (command === "help" || command === "version") return { kind: command };
  const draft = new Draft(names);
  for (const option of options) await takeOption(draft, checked(option));
  const timeouts = command === "set" ? takeTimeouts(leftover) : undefined;
  const [unexpected] = leftover;
  if (unexpected !== undefined) throw mistake(`unexpected argument ${unexpected}`);
  const flags = readSchedulerFlags(draft.schedulerFlags, draft.scheduler);
  checkLegality(command, draft);
  switch (command) {
    case "add-service":
    case "edit-service":
      return { kind: command, service: serviceRecord(draft, flags) };
    case "delete-service":
      return { kind: command, service: draft.service! };
    case "add-server":
    case "edit-server":
      return { kind: command, service: draft.service!, destination: destination(draft) };
    case "delete-server":
      return { kind: command, service: draft.service!, destination: draft.realServer! };
    case "zero":
      return { kind: command, service: draft.service };
    case "list":
      return listing(draft);
    case "save":
      return { kind: command, isNumeric: draft.given.has("numeric") };
    case "set":
      return { kind: command, timeouts: timeouts! };
    case "flush":
    case "restore":
    case "start-daemon":
    case "stop-daemon":
      return { kind: command };
    default:
      return unreachable(command);
  }
}

/** The command and, where it has one, its role. Any other first option gets a hint, even one that popt knows. */
function readCommand(options: Iterator<PoptOption | PoptError>): CommandTag {
  const first = options.next().value as PoptOption | PoptError | undefined;
  if (first === undefined || "fault" in first || !isCommand(first.tag)) throw tryHelp();
  const isRole = first.argument === "master" || first.argument === "backup";
  if (first.tag === "start-daemon" && !isRole) {
    throw mistake("illegal start-daemon parameter specified");
  }
  if (first.tag === "stop-daemon" && !isRole) throw mistake("illegal start_daemon specified");
  return first.tag;
}

function checked(option: PoptOption | PoptError): PoptOption {
  if (!("fault" in option)) return option;
  throw new Failure(`${option.word}: ${option.fault}`, 255, { isFinal: false });
}

async function takeOption(draft: Draft, { tag, argument, word }: PoptOption): Promise<void> {
  if (isCommand(tag)) throw mistake(`invalid option \`${word}'`);
  await draft.take(tag, argument);
}

/** The three words after `--set`, wherever they stand. */
function takeTimeouts(leftover: string[]): { tcp: number; tcpFin: number; udp: number } {
  const [tcp, tcpFin, udp] = leftover.splice(0, 3);
  if (tcp === undefined || tcpFin === undefined || udp === undefined) {
    throw mistake("--set option requires 3 timeout values");
  }
  return { tcp: readTimeout(tcp, 0), tcpFin: readTimeout(tcpFin, 0), udp: readTimeout(udp, 0) };
}

/** In the order of OPTION_NAMES, the first violation wins. */
function checkLegality(command: CommandName, { given }: Draft): void {
  const { needs, takes, oneOf } = LEGALITY[command];
  let taken: string | undefined;
  for (const option of OPTION_NAMES) {
    if (!given.has(option)) {
      if (!needs.includes(option)) continue;
      throw mistake(`You need to supply the '${option}' option for the '${command}' command`);
    }
    if (oneOf.includes(option)) {
      if (taken !== undefined) {
        throw mistake(
          `The option '${option}' conflicts with the '${taken}' option in the '${command}' command`,
        );
      }
      taken = option;
    } else if (!needs.includes(option) && !takes.includes(option)) {
      throw mistake(`Illegal '${option}' option with the '${command}' command`);
    }
  }
}

function serviceRecord(
  draft: Draft,
  schedulerFlags: WireServiceRecord["schedulerFlags"],
): WireServiceRecord {
  const key = draft.service!;
  if (key.kind === "endpoint" && key.endpoint.port === 0 && draft.persistentSeconds === undefined) {
    throw mistake("Zero port specified for non-persistent service");
  }
  const onePacket = draft.given.has("ops");
  if (onePacket && key.kind === "endpoint" && key.protocol !== "udp") {
    throw mistake("One-Packet Scheduling is only for UDP virtual services");
  }
  return {
    key,
    scheduler: draft.scheduler || "wlc",
    schedulerFlags,
    onePacket,
    persistence: persistence(draft),
    persistenceEngine: draft.persistenceEngine || null,
  };
}

/** A netmask without `-p` means nothing and is dropped. */
function persistence({ persistentSeconds, netmask, family }: Draft): WirePersistence | null {
  if (persistentSeconds === undefined) return null;
  const timeoutSeconds = persistentSeconds;
  return family === "inet6"
    ? { timeoutSeconds, prefixLength: netmask }
    : { timeoutSeconds, netmask: Address.inet(netmask).toString() };
}

function destination(draft: Draft): WireDestination {
  const { service, realServer, weight, upperThreshold, lowerThreshold } = draft;
  const { address, port } = realServer!;
  const method = draft.forwarding ?? "route";
  if (familyOfText(address) !== draft.family && method !== "tunnel") {
    throw mistake("Different address family is allowed only for tunneling servers");
  }
  if (hasTunnelOption(draft) && method !== "tunnel") {
    throw mistake("Tunnel options conflict with forward method");
  }
  const forwarding: WireForwarding = method === "tunnel" ? tunnelOf(draft) : { kind: method };
  return {
    endpoint: { address, port: portFor(service!, method) ?? port },
    forwarding,
    weight,
    upperThreshold,
    lowerThreshold,
  };
}

/** Only masquerading can change the port: any other method has the service's, whatever was given. */
function portFor(service: WireServiceKey, method: WireForwarding["kind"]): number | undefined {
  return service.kind === "mark" || method === "masquerade" ? undefined : service.endpoint.port;
}

/** When several views are asked for, the first of these is shown. */
const VIEWS = [
  "stats",
  "rate",
  "thresholds",
  "persistent-conn",
  "tun-info",
] as const satisfies readonly TableView[];

function listing({ given, service }: Draft): Command {
  const isOther = given.has("timeout") || given.has("daemon");
  const isTraffic = given.has("stats") || given.has("rate") || given.has("thresholds");
  if (
    ((isOther || given.has("connection")) && isTraffic) ||
    (isOther && given.has("persistent-conn"))
  ) {
    throw mistake("options conflicts in the list command");
  }
  const isNumeric = given.has("numeric");
  if (given.has("timeout")) return { kind: "list-timeouts" };
  if (given.has("daemon")) return { kind: "list-daemons" };
  if (given.has("connection")) {
    const withPersistenceData = given.has("persistent-conn");
    return { kind: "list-connections", isNumeric, withPersistenceData };
  }
  return {
    kind: "list-services",
    service,
    view: VIEWS.find((view) => given.has(view)) ?? "default",
    isNumeric,
    isExact: given.has("exact"),
    isSorted: !given.has("nosort"),
  };
}
