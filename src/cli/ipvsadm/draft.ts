/**
 * A command line while it is read, option after option.
 *
 * What an option means may depend on those before it, as in ipvsadm: `-M` reads a prefix length after an IPv6 service
 * and a netmask otherwise, `-r` without a port has the service's port if the service came first.
 */

import type { WireEndpoint, WireServiceKey } from "../../control/wire.ts";
import type { Forwarding, Protocol } from "../../ipvs/desired/service.ts";
import { Address, type Family } from "../../net/address.ts";
import { readEndpoint, readHost } from "./address.ts";
import { mistake } from "./failure.ts";
import type { OptionName, OptionTag } from "./grammar.ts";
import type { Names } from "./naming.ts";
import { readInteger } from "./numbers.ts";

/** 31 days: MAX_TIMEOUT. */
const TIMEOUT_MAX_SECONDS = 86_400 * 31;

const PERSISTENCE_DEFAULT_SECONDS = 360;

/** Schedulers, engines and interfaces: what is longer is cut, silently. */
const NAME_LENGTH_MAX = 15;

const INT_MAX = 0x7fff_ffff;

const ALL_BITS = 0xffff_ffff;

const WHOLE_PREFIX = 128;

export type TunnelType = "ipip" | "gue" | "gre";

/** What was read so far; each field has ipvsadm's default while its option was not given. */
export class Draft {
  readonly names: Names;
  readonly given = new Set<OptionName>();
  service: WireServiceKey | undefined;
  /** Of -t, -u, --sctp-service; TCP with -f, where it only serves to look up service names. */
  protocol: Protocol | undefined;
  scheduler = "";
  schedulerFlags = "";
  persistenceEngine = "";
  persistentSeconds: number | undefined;
  /** An IPv4 mask as an unsigned number, or a prefix length. */
  netmask = ALL_BITS;
  realServer: WireEndpoint | undefined;
  forwarding: Forwarding["kind"] | undefined;
  weight = 1;
  upperThreshold = 0;
  lowerThreshold = 0;
  tunnelType: TunnelType = "ipip";
  tunnelPort = 0;

  constructor(names: Names) {
    this.names = names;
  }

  /** The service's address family; IPv4 while there is no service. */
  get family(): Family {
    if (this.service === undefined) return "inet";
    if (this.service.kind === "mark") return this.service.family;
    return familyOfText(this.service.endpoint.address);
  }

  /** Takes one option in. Throws Failure when it is the second of its name, or its argument is not one. */
  async take(tag: OptionTag, argument: string | undefined): Promise<void> {
    const option = optionOf(tag);
    if (option !== undefined) {
      if (this.given.has(option)) throw mistake(`multiple '${option}' options specified`);
      this.given.add(option);
    }
    if (tag === "persistent") takePersistent(this, argument);
    else await TAKERS[tag]?.(this, argument ?? "");
  }
}

/** The name under which legality is checked; `--sort` and `-6` are in no table. */
function optionOf(tag: OptionTag): OptionName | undefined {
  if (tag === "ipv6" || tag === "sort") return undefined;
  return tag in SHARED_NAME ? SHARED_NAME[tag as keyof typeof SHARED_NAME] : (tag as OptionName);
}

/** Options that exclude each other are one option under one name. */
const SHARED_NAME = {
  "tcp-service": "service-address",
  "udp-service": "service-address",
  "sctp-service": "service-address",
  "fwmark-service": "service-address",
  masquerading: "forwarding-method",
  gatewaying: "forwarding-method",
  ipip: "forwarding-method",
} as const satisfies Partial<Record<OptionTag, OptionName>>;

type Taker = (draft: Draft, argument: string) => void | Promise<void>;

/** What each option does with its argument; those that only need to be there do nothing more. */
const TAKERS: Readonly<Partial<Record<OptionTag, Taker>>> = {
  "tcp-service": (draft, argument) => takeService(draft, "tcp", argument),
  "udp-service": (draft, argument) => takeService(draft, "udp", argument),
  "sctp-service": (draft, argument) => takeService(draft, "sctp", argument),
  "fwmark-service": takeMark,
  ipv6: takeIpv6,
  masquerading: (draft) => {
    draft.forwarding = "masquerade";
  },
  gatewaying: (draft) => {
    draft.forwarding = "route";
  },
  ipip: (draft) => {
    draft.forwarding = "tunnel";
  },
  scheduler: (draft, argument) => {
    draft.scheduler = name(argument);
  },
  "sched-flags": (draft, argument) => {
    draft.schedulerFlags = argument;
  },
  pe: (draft, argument) => {
    draft.persistenceEngine = name(argument);
  },
  netmask: takeNetmask,
  "real-server": takeRealServer,
  weight: (draft, argument) => {
    draft.weight = integer(argument, 0, INT_MAX, "illegal weight specified");
  },
  "u-threshold": (draft, argument) => {
    draft.upperThreshold = integer(argument, 0, INT_MAX, "illegal u_threshold specified");
  },
  "l-threshold": (draft, argument) => {
    draft.lowerThreshold = integer(argument, 0, INT_MAX, "illegal l_threshold specified");
  },
  "tun-type": (draft, argument) => {
    draft.tunnelType = tunnelType(argument);
  },
  "tun-port": (draft, argument) => {
    draft.tunnelPort = integer(argument, 1, 0xffff, "illegal tunnel port specified");
  },
  syncid: (_, argument) => void integer(argument, 0, 255, "illegal syncid specified"),
  "mcast-group": (_, argument) => checkMulticastGroup(argument),
  "mcast-port": (_, argument) => void integer(argument, 1, 0xffff, "illegal mcast-port specified"),
  "mcast-ttl": (_, argument) => void integer(argument, 1, 255, "illegal mcast-ttl specified"),
  "sync-maxlen": (_, argument) => {
    integer(argument, 1, 65_507, "illegal sync-maxlen specified");
  },
};

/** Without an argument `-p` means its default; an empty one is a mistake. */
function takePersistent(draft: Draft, argument: string | undefined): void {
  draft.persistentSeconds =
    argument === undefined ? PERSISTENCE_DEFAULT_SECONDS : readTimeout(argument, 1);
}

async function takeService(draft: Draft, protocol: Protocol, argument: string): Promise<void> {
  draft.protocol = protocol;
  const endpoint = await readEndpoint(argument, protocol, draft.names);
  if (endpoint === undefined) throw mistake("illegal virtual server address[:port] specified");
  const { address, port = 0 } = endpoint;
  draft.service = {
    kind: "endpoint",
    protocol,
    endpoint: { address: address.toString(), port },
  };
  if (address.family === "inet6") draft.netmask = WHOLE_PREFIX;
}

function takeMark(draft: Draft, argument: string): void {
  draft.protocol = "tcp";
  const mark = integer(argument, 1, 0xffff_ffff, `invalid fwmark value \`${argument}' specified`);
  draft.service = { kind: "mark", family: "inet", mark };
}

function takeIpv6(draft: Draft): void {
  // The message ends in an empty line.
  if (draft.service?.kind !== "mark") throw mistake("-6 used before -f\n");
  draft.service = { ...draft.service, family: "inet6" };
  draft.netmask = WHOLE_PREFIX;
}

async function takeNetmask(draft: Draft, argument: string): Promise<void> {
  if (draft.family === "inet6") {
    // As atoi(): what follows the digits does not matter.
    const length = Number.parseInt(argument, 10);
    if (!(length >= 1 && length <= WHOLE_PREFIX)) throw mistake("illegal ipv6 netmask specified");
    draft.netmask = length;
    return;
  }
  const mask = await readHost(argument, draft.names);
  if (mask === undefined) throw mistake("illegal virtual server persistent mask specified");
  draft.netmask = mask.w3 >>> 0;
}

async function takeRealServer(draft: Draft, argument: string): Promise<void> {
  const endpoint = await readEndpoint(argument, draft.protocol, draft.names);
  if (endpoint === undefined) throw mistake("illegal real server address[:port] specified");
  const servicePort = draft.service?.kind === "endpoint" ? draft.service.endpoint.port : 0;
  const { address, port = servicePort } = endpoint;
  draft.realServer = { address: address.toString(), port };
}

function name(text: string): string {
  return text.slice(0, NAME_LENGTH_MAX);
}

export function familyOfText(address: string): Family {
  return address.includes(":") ? "inet6" : "inet";
}

/** Seconds, from `min` to 31 days. */
export function readTimeout(text: string, min: number): number {
  return integer(text, min, TIMEOUT_MAX_SECONDS, `invalid timeout value \`${text}' specified`);
}

function integer(text: string, min: number, max: number, refusal: string): number {
  const value = readInteger(text, min, max);
  if (value === undefined) throw mistake(refusal);
  return value;
}

function tunnelType(text: string): TunnelType {
  if (text === "ipip" || text === "gue" || text === "gre") return text;
  throw mistake("illegal tunnel type specified");
}

function checkMulticastGroup(text: string): void {
  const family: Family = familyOfText(text);
  const address = Address.parse(text);
  if (address?.family === family && address.isMulticast) return;
  throw mistake(`invalid ${family === "inet6" ? "IPv6" : "IPv4"} mcast-group \`${text}'`);
}
