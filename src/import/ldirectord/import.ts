/** An ldirectord.cf as virtual servers, and what of it is told. */
import type { Names } from "../../cli/ipvsadm/naming.ts";
import { SCHEDULERS } from "../../ipvs/schedulers/index.ts";
import { Address } from "../../net/address.ts";
import type {
  ImportedServers,
  Persistence,
  SorryServer,
  VirtualServer,
  VirtualServerKey,
} from "../model.ts";
import type { Notes } from "../told.ts";
import { type Checking, serviceOfPort } from "./checks.ts";
import { mailOf } from "./mail.ts";
import { placeIn } from "./places.ts";
import { FORWARDING, realServersOf } from "./real-servers.ts";
import { readSections, type Section, type Setting, type Settings } from "./sections.ts";

interface Options {
  readonly names: Names;
  /** This machine's name, which mails have. */
  readonly id: string;
  readonly notes: Notes;
}

export async function importLdirectord(
  file: string,
  text: string,
  { names, id, notes }: Options,
): Promise<ImportedServers> {
  const { global, virtuals } = readSections(file, text, notes);
  const virtualServers: VirtualServer[] = [];
  for (const section of virtuals) {
    const server = await virtualServerOf(new Virtual(section, global, notes), names, id);
    if (server !== undefined) virtualServers.push(server);
  }
  return { virtualServers, timeouts: {} };
}

/** A section with what holds for all behind it. */
class Virtual {
  readonly section: Section;
  readonly notes: Notes;
  readonly #global: Settings;

  constructor(section: Section, global: Settings, notes: Notes) {
    this.section = section;
    this.#global = global;
    this.notes = notes;
  }

  setting(name: string): Setting | undefined {
    return this.section.settings.get(name) ?? this.#global.get(name);
  }

  /** Without the quotes around it; undefined when it is not there, or empty. */
  text(name: string): string | undefined {
    return this.setting(name)?.value.replace(/^"(.*)"$/, "$1") || undefined;
  }

  number(name: string, most: number): number | undefined {
    const setting = this.setting(name);
    if (setting === undefined) return undefined;
    const value = Number(/^\d+$/.exec(setting.value)?.[0]);
    if (value >= 1 && value <= most) return value;
    const why = `expected an integer from 1 to ${most}, got ${setting.value || "nothing"}`;
    this.notes.dropped(setting.at, setting.text, why);
    return undefined;
  }

  is(name: string, otherwise: boolean): boolean {
    const setting = this.setting(name);
    if (setting === undefined) return otherwise;
    if (!/^(yes|no)$/.test(setting.value)) {
      this.notes.dropped(setting.at, setting.text, "expected yes or no");
      return otherwise;
    }
    return setting.value === "yes";
  }

  oneOf(name: string, known: readonly string[]): string | undefined {
    const setting = this.setting(name);
    if (setting === undefined || known.includes(setting.value)) return setting?.value;
    this.notes.dropped(setting.at, setting.text, `expected one of ${known.join(", ")}`);
    return undefined;
  }
}

const SECONDS_MAX = 2_678_400;
const COUNT_MAX = 1_000;
const CHECK_TYPES = ["connect", "external", "external-perl", "negotiate", "off", "on", "ping"];

async function virtualServerOf(
  virtual: Virtual,
  names: Names,
  id: string,
): Promise<VirtualServer | undefined> {
  const { section, notes } = virtual;
  const { at, text } = section.head;
  const key = await keyOf(virtual, names);
  if ("why" in key) {
    notes.dropped(at, text, key.why);
    return undefined;
  }
  const protocol = protocolOf(virtual, key);
  const isInhibited = virtual.is("quiescent", false);
  const checking = checkingOf(virtual, key, protocol);
  const realServers = await realServersOf(section.reals, {
    key,
    protocol,
    isInhibited,
    checking,
    names,
    notes,
  });
  const isOnePacket = virtual.is("ops", false);
  if (isOnePacket && protocol !== "udp") {
    notes.dropped(virtual.setting("ops")!.at, "ops = yes", "one packet scheduling is for UDP");
  }
  return {
    at,
    text,
    name: undefined,
    keys: [key],
    protocol,
    scheduler: virtual.oneOf("scheduler", Object.keys(SCHEDULERS)) ?? "wrr",
    flags: [],
    isOnePacket: isOnePacket && protocol === "udp",
    persistence: persistenceOf(virtual, key),
    persistenceEngine: undefined,
    quorum: 1,
    hysteresis: 0,
    sorry: await sorryOf(virtual, protocol, isInhibited, names),
    realServers: realServers.map((each) => ({ ...each, isMailed: true })),
    mail: mailOf({ setting: (name) => virtual.setting(name), id, notes }),
  };
}

async function keyOf(
  { section: { head, isInet6 } }: Virtual,
  names: Names,
): Promise<VirtualServerKey | { readonly why: string }> {
  if (/^\d+$/.test(head.value)) {
    const mark = Number(head.value);
    if (mark < 1 || mark > 0xffff_ffff) return { why: "expected a mark from 1 to 4294967295" };
    return { kind: "mark", mark, family: isInet6 ? "inet6" : "inet" };
  }
  const protocol = /:(53|domain)$/.test(head.value) ? "udp" : "tcp";
  const place = await placeIn(head.value, protocol, names);
  if ("why" in place) return place;
  if (place.port === undefined) return { why: "expected a port after its address" };
  return { kind: "endpoint", address: place.address, port: place.port };
}

function protocolOf(virtual: Virtual, key: VirtualServerKey): "tcp" | "udp" {
  if (key.kind === "mark") return "udp";
  const said = virtual.oneOf("protocol", ["tcp", "udp"]);
  return (said as "tcp" | "udp" | undefined) ?? (key.port === 53 ? "udp" : "tcp");
}

function persistenceOf(virtual: Virtual, key: VirtualServerKey): Persistence | undefined {
  const timeout = virtual.number("persistent", SECONDS_MAX);
  const netmask = virtual.text("netmask");
  if (timeout === undefined) return undefined;
  if (netmask === undefined) return { timeout };
  const family = key.kind === "mark" ? key.family : Address.parse(key.address)!.family;
  if (family === "inet" && Address.parse(netmask)?.family === "inet") return { timeout, netmask };
  const prefixLength = Number(netmask);
  if (family === "inet6" && prefixLength >= 1 && prefixLength <= 128)
    return { timeout, prefixLength };
  const { at, text } = virtual.setting("netmask")!;
  virtual.notes.dropped(at, text, "expected a netmask, or for IPv6 a prefix length from 1 to 128");
  return { timeout };
}

function checkingOf(virtual: Virtual, key: VirtualServerKey, protocol: "tcp" | "udp"): Checking {
  const port = key.kind === "mark" ? 0 : key.port;
  const connect = virtual.number("checktimeout", SECONDS_MAX);
  const negotiate = virtual.number("negotiatetimeout", SECONDS_MAX);
  const typed = virtual.setting("checktype")?.value ?? "negotiate";
  // After so many connects it negotiates once: we do always.
  const type = /^\d+$/.test(typed) ? "negotiate" : virtual.oneOf("checktype", CHECK_TYPES);
  return {
    at: virtual.section.head.at,
    type: type ?? "negotiate",
    service: virtual.text("service") ?? (key.kind === "mark" ? "none" : serviceOfPort(port)),
    protocol: key.kind === "mark" ? "mark" : protocol,
    connectSeconds: connect ?? negotiate ?? 5,
    negotiateSeconds: negotiate ?? connect ?? 30,
    intervalSeconds: virtual.number("checkinterval", SECONDS_MAX) ?? 10,
    failures: virtual.number("failurecount", COUNT_MAX) ?? 1,
    attempts: virtual.number("checkcount", COUNT_MAX) ?? 1,
    command: virtual.text("checkcommand") ?? "/bin/true",
    port: virtual.number("checkport", 0xffff),
    request: virtual.text("request"),
    receive: virtual.text("receive"),
    method: virtual.text("httpmethod")?.toUpperCase() === "HEAD" ? "HEAD" : "GET",
    host: virtual.text("virtualhost"),
    virtual: key.kind === "mark" ? [String(key.mark), "0"] : [key.address, String(port)],
  };
}

/** `fallback = ADDRESS[:PORT] [gate|masq|ipip]`. */
async function sorryOf(
  virtual: Virtual,
  protocol: "tcp" | "udp",
  isInhibited: boolean,
  names: Names,
): Promise<SorryServer | undefined> {
  const setting = virtual.setting(virtual.section.isInet6 ? "fallback6" : "fallback");
  if (setting === undefined) return undefined;
  const [where = "", method = "gate"] = setting.value.split(/\s+/);
  const place = await placeIn(where, protocol, names);
  const forwarding = FORWARDING[method];
  const isInet6 = !("why" in place) && place.address.includes(":");
  const isOther = isInet6 !== virtual.section.isInet6 && forwarding !== "tunnel";
  if ("why" in place || forwarding === undefined || isOther) {
    const why =
      "why" in place
        ? place.why
        : isOther
          ? "it is of another family than the virtual service"
          : `expected gate, masq or ipip, got ${method}`;
    virtual.notes.dropped(setting.at, setting.text, why);
    return undefined;
  }
  const port = forwarding === "masquerade" ? place.port : undefined;
  return { at: setting.at, address: place.address, port, forwarding, isInhibited };
}
