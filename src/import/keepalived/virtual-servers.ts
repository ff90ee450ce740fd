/** keepalived's virtual_server blocks as virtual servers, checked against each other as keepalived does (check_data.c). */
import type { ForwardingContent } from "../../configuration/schema.ts";
import { SCHEDULERS } from "../../ipvs/schedulers/index.ts";
import { Address, type Family } from "../../net/address.ts";
import type {
  Persistence,
  SchedulerFlag,
  SorryServer,
  VirtualServer,
  VirtualServerKey,
} from "../model.ts";
import type { Notes } from "../told.ts";
import type { GroupEntry, Groups } from "./groups.ts";
import { VIRTUAL_SERVER, type VirtualServerValues } from "./keys.ts";
import type { Mailing } from "./mail.ts";
import { type ReadBlock, readBlock } from "./read-keys.ts";
import { isTunnel, NO_MAIL, type ReadServer, readRealServers, servingAt } from "./real-servers.ts";
import { scriptsOf } from "./scripts.ts";
import type { Statement } from "./statements.ts";
import { integerIn } from "./values.ts";

export interface ReadingServers {
  readonly groups: Groups;
  readonly trackFiles: ReadonlyMap<string, string>;
  readonly mailing: Mailing;
  readonly notes: Notes;
}

/** keepalived's IPVS_SVC_PERSISTENT_TIMEOUT. */
const PERSISTENCE_SECONDS = 360;

const FLAGS: Readonly<Record<string, SchedulerFlag>> = {
  "flag-1": "fallback",
  "flag-2": "port",
  "flag-3": "third",
  "sh-fallback": "fallback",
  "mh-fallback": "fallback",
  "sh-port": "port",
  "mh-port": "port",
};

/** Undefined when there is none in it; then it was told why. */
export function readVirtualServer(
  statement: Statement,
  context: ReadingServers,
): VirtualServer | undefined {
  const { at, text } = statement;
  const { notes } = context;
  const entries = entriesOf(statement, context);
  if ("why" in entries) {
    notes.dropped(at, text, entries.why);
    return undefined;
  }
  const block = readBlock(statement.block ?? [], VIRTUAL_SERVER, notes);
  const { values } = block;
  const method = values.method ?? "masquerade";
  const read = readRealServers(block, method, context);
  const family = familyOf(entries, values, read);
  const keys = entries.map(
    (each): VirtualServerKey =>
      each.kind === "endpoint" ? each : { ...each, family: each.family ?? family },
  );
  const isOfFamily = ({ address, forwarding }: ReadServer): boolean =>
    isTunnel(forwarding) ||
    keys.every((key) => familyOfKey(key) === Address.parse(address)!.family);
  for (const { at: place, text: words } of read.filter((each) => !isOfFamily(each))) {
    notes.dropped(
      place,
      words,
      "it is of another family than the virtual server: only tunnels go from one to the other",
    );
  }
  const realServers = read.filter(isOfFamily);
  if (realServers.length === 0) {
    notes.dropped(at, text, "it has no real servers; keepalived passes it over, too");
    return undefined;
  }
  const isMark = keys.every(({ kind }) => kind === "mark");
  const protocol = protocolOf(statement, block, isMark, notes);
  return {
    at,
    text,
    name: statement.words[1] === "group" ? statement.words[2] : undefined,
    keys,
    protocol,
    scheduler: schedulerOf(block, notes),
    flags: [...new Set((values.flags ?? []).map((each) => FLAGS[each]!))],
    isOnePacket: onePacketOf(block, protocol === "udp" || isMark, notes),
    persistence: persistenceOf(statement, block, keys, notes),
    persistenceEngine: values.persistenceEngine,
    ...quorumOf(block, realServers, notes),
    sorry: sorryOf(block, method, keys, notes),
    realServers: realServers.map((each) => servingAt(each, keys, notes)),
    ...mailedOf(block, context),
    isToldAtEnd: values.isToldAtEnd ?? false,
    scripts: scriptsOf(block, { up: "quorumUp", down: "quorumDown" }),
  };
}

/** `virtual_server ADDRESS [PORT]`, `virtual_server fwmark N`, `virtual_server group NAME`. */
function entriesOf(
  { words: [, first = "", second], block }: Statement,
  { groups }: ReadingServers,
): readonly GroupEntry[] | { readonly why: string } {
  if (block === undefined) return { why: "expected a block after it" };
  if (first === "group") {
    const group = groups.get(second ?? "");
    if (group === undefined) return { why: `there is no virtual_server_group ${second ?? ""}` };
    return group.length === 0 ? { why: `virtual_server_group ${second} has nothing in it` } : group;
  }
  if (first === "fwmark") {
    const mark = integerIn(second, 1, 0xffff_ffff);
    if ("why" in mark) return mark;
    return [{ kind: "mark", mark: mark.value as number, family: undefined }];
  }
  const address = Address.parse(first)?.toString();
  if (address === undefined) {
    return { why: `expected an address, fwmark or group, got ${first === "" ? "nothing" : first}` };
  }
  const port = integerIn(second ?? "0", 0, 0xffff);
  if ("why" in port) return { why: `port: ${port.why}` };
  return [{ kind: "endpoint", address, port: port.value as number }];
}

/** Of marks that do not say it: vs_end_handler() of check_parser.c. */
function familyOf(
  entries: readonly GroupEntry[],
  { family, granularity }: Partial<VirtualServerValues>,
  servers: readonly ReadServer[],
): Family {
  const endpoint = entries.find((each) => each.kind === "endpoint");
  if (endpoint !== undefined) return Address.parse(endpoint.address)!.family;
  if (family !== undefined) return family;
  if (granularity !== undefined) return granularity.includes(".") ? "inet" : "inet6";
  const direct = servers.filter(({ forwarding }) => !isTunnel(forwarding));
  const families = (direct.length > 0 ? direct.slice(0, 1) : servers).map(
    ({ address }) => Address.parse(address)!.family,
  );
  return families.length > 0 && families.every((each) => each === "inet6") ? "inet6" : "inet";
}

function familyOfKey(key: VirtualServerKey): Family {
  return key.kind === "mark" ? key.family : Address.parse(key.address)!.family;
}

function protocolOf(
  { at, text }: Statement,
  { values, places }: ReadBlock<VirtualServerValues>,
  isMark: boolean,
  notes: Notes,
): VirtualServer["protocol"] {
  if (values.protocol === undefined) {
    if (!isMark) notes.note(at, text, "it has no protocol: UDP, as keepalived takes it");
    return "udp";
  }
  if (isMark) notes.note(places.protocol!, `protocol ${values.protocol}`, "marks have no protocol");
  return values.protocol.toLowerCase() as VirtualServer["protocol"];
}

function schedulerOf({ values, places }: ReadBlock<VirtualServerValues>, notes: Notes): string {
  const { scheduler } = values;
  if (scheduler === undefined) return "wlc";
  if (Object.hasOwn(SCHEDULERS, scheduler) && scheduler !== "none") return scheduler;
  notes.dropped(places.scheduler!, scheduler, "there is no such scheduler: wlc is taken");
  return "wlc";
}

function onePacketOf(
  { values, places }: ReadBlock<VirtualServerValues>,
  canBe: boolean,
  notes: Notes,
): boolean {
  if (values.isOnePacket !== true) return false;
  if (!canBe) notes.dropped(places.isOnePacket!, "ops", "one packet scheduling is for UDP");
  return canBe;
}

function persistenceOf(
  { at, text }: Statement,
  { values, places }: ReadBlock<VirtualServerValues>,
  keys: readonly VirtualServerKey[],
  notes: Notes,
): Persistence | undefined {
  const takesAnyPort = keys.some((key) => key.kind === "endpoint" && key.port === 0);
  const isAsked = (values.persistence ?? 0) > 0 || values.granularity !== undefined;
  if (takesAnyPort && !isAsked) {
    notes.note(at, text, "it has no port, so it is made persistent, as keepalived does");
  }
  if (!isAsked && !takesAnyPort) return undefined;
  const timeout = values.persistence || PERSISTENCE_SECONDS;
  const { granularity } = values;
  if (granularity === undefined) return { timeout };
  const isInet = keys.every((key) => familyOfKey(key) === "inet");
  if (isInet && Address.parse(granularity)?.family === "inet")
    return { timeout, netmask: granularity };
  const prefixLength = integerIn(granularity, 1, isInet ? 32 : 128);
  if (!("why" in prefixLength)) return { timeout, prefixLength: prefixLength.value as number };
  const why = isInet ? "expected a netmask such as 255.255.255.0" : prefixLength.why;
  notes.dropped(places.granularity!, granularity, why);
  return { timeout };
}

/** No higher than what the servers weigh together, hysteresis below it. */
function quorumOf(
  { values, places }: ReadBlock<VirtualServerValues>,
  servers: readonly ReadServer[],
  notes: Notes,
): { quorum: number; hysteresis: number } {
  const total = servers.reduce((sum, { weight }) => sum + weight, 0);
  const asked = values.quorum ?? 1;
  const quorum = Math.max(1, Math.min(asked, total));
  if (quorum !== asked) {
    notes.note(places.quorum!, `quorum ${asked}`, `its servers weigh ${total}: taken as ${quorum}`);
  }
  const hysteresis = Math.min(values.hysteresis ?? 0, quorum - 1);
  if (values.hysteresis !== undefined && hysteresis !== values.hysteresis) {
    const said = `hysteresis ${values.hysteresis}`;
    notes.note(places.hysteresis!, said, `expected less than the quorum: taken as ${hysteresis}`);
  }
  return { quorum, hysteresis };
}

function mailedOf(
  { values, places }: ReadBlock<VirtualServerValues>,
  { mailing, notes }: ReadingServers,
): Pick<VirtualServer, "mail" | "isMailed"> {
  const { mail, tellsServices } = mailing;
  if (mail === undefined && values.isMailed === true) {
    notes.note(places.isMailed!, "smtp_alert", NO_MAIL);
  }
  return { mail, isMailed: values.isMailed ?? tellsServices };
}

function sorryOf(
  { values, places }: ReadBlock<VirtualServerValues>,
  method: ForwardingContent,
  keys: readonly VirtualServerKey[],
  notes: Notes,
): SorryServer | undefined {
  const { sorry } = values;
  if (sorry === undefined) {
    const at = places.isSorryInhibited ?? places.sorryMethod;
    if (at !== undefined) notes.dropped(at, "sorry_server's options", "there is no sorry_server");
    return undefined;
  }
  const at = places.sorry!;
  const text = `sorry_server ${sorry.address}`;
  const forwarding = values.sorryMethod ?? method;
  const port = sorry.port === undefined ? undefined : integerIn(sorry.port, 0, 0xffff);
  if (port !== undefined && "why" in port) {
    notes.dropped(at, text, `port: ${port.why}`);
    return undefined;
  }
  const { family } = Address.parse(sorry.address)!;
  if (!isTunnel(forwarding) && keys.some((key) => familyOfKey(key) !== family)) {
    notes.dropped(at, text, "it is of another family than the virtual server");
    return undefined;
  }
  return {
    at,
    address: sorry.address,
    port: forwarding === "masquerade" ? (port?.value as number | undefined) : undefined,
    forwarding,
    isInhibited: values.isSorryInhibited ?? false,
  };
}
