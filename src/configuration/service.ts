/** One service's own record as the director wants it, from what the file says with its defaults. */

import { crc32 } from "node:zlib";
import type { ServiceSpec } from "../ipvs/desired/desired-state.ts";
import { formatRange, type PortRange } from "../ipvs/desired/port-range.ts";
import {
  familyOf,
  type Mark,
  type Persistence,
  SCHEDULER_FLAG,
  type ServiceKey,
} from "../ipvs/desired/service.ts";
import type { SchedulerName } from "../ipvs/schedulers/index.ts";
import { Address, type Family } from "../net/address.ts";
import { toPort } from "../net/port.ts";
import { secondsOf } from "./duration.ts";
import type { Path } from "./problem.ts";
import { RANGE, type ServiceContent } from "./schema.ts";

/** As with ipvsadm's `-p`. */
const PERSISTENCE_SECONDS = 300;

const BITS = { inet: 32, inet6: 128 } as const;

/** What is wrong is told with the path below the service. */
type Complain = (below: Path, message: string) => void;

/** Undefined when the service cannot be told; then something was complained about. */
export function serviceSpec(content: ServiceContent, complain: Complain): ServiceSpec | undefined {
  const key = keyOf(content, complain);
  if (key === undefined) return undefined;
  const range = rangeOf(content);
  const { scheduler = "wlc", flags = [], onePacket = false, persistenceEngine } = content;
  const persistence = persistenceOf(content, familyOf(key), complain);
  if (key.kind === "endpoint" && key.endpoint.port === 0 && persistence === undefined) {
    // ip_vs_schedule(): "port zero only supported in persistent services".
    complain(
      ["port"],
      "expected an integer from 1 to 65535, got 0: only persistent services take every port",
    );
  }
  return {
    key,
    scheduler: scheduler as SchedulerName,
    schedulerFlags: [...new Set(flags)].reduce((sum, name) => sum | SCHEDULER_FLAG[name], 0),
    onePacket,
    persistence,
    persistenceEngine,
    ...(range === undefined ? {} : { range }),
  };
}

/** Its number says that it is one of these; the rest is made of what it stands for, so that it is always the same. */
const RANGE_MARKS = 0x5300_0000;

/** What stands for a range where the file does not say it. */
export function markOfRange(range: PortRange): Mark {
  return ((RANGE_MARKS | (crc32(formatRange(range)) & 0xff_ffff)) >>> 0) as Mark;
}

/** What one without a name is called, as nobody knows its mark by heart. */
export function nameOfRange({ protocol, address, first, last }: PortRange): string {
  const host = address.family === "inet6" ? `[${address.toString()}]` : address.toString();
  return `${protocol}:${host}:${first}-${last}`;
}

function rangeOf({ vip, port, protocol = "tcp" }: ServiceContent): PortRange | undefined {
  const [, first, last] = RANGE.exec(typeof port === "string" ? port : "") ?? [];
  if (vip === undefined || first === undefined || !isPort(last) || !isPort(first)) return undefined;
  return {
    protocol,
    address: Address.parse(vip)!,
    first: toPort(Number(first)),
    last: toPort(Number(last)),
  };
}

function isPort(digits: string | undefined): boolean {
  return Number(digits) <= 0xffff;
}

function keyOf(content: ServiceContent, complain: Complain): ServiceKey | undefined {
  const { vip, port, mark, protocol, family } = content;
  const range = rangeOf(content);
  if (range !== undefined) {
    if (family !== undefined)
      complain(["family"], "a vip has its family already: this is for marks");
    const chosen = (mark as Mark | undefined) ?? markOfRange(range);
    return { kind: "mark", family: range.address.family, mark: chosen };
  }
  if (mark !== undefined) {
    const strangers = Object.entries({ vip, port, protocol }).filter(
      ([, value]) => value !== undefined,
    );
    for (const [name] of strangers) complain([name], `a service of a mark has no ${name}`);
    return { kind: "mark", family: family ?? "inet", mark: mark as Mark };
  }
  if (vip === undefined) {
    complain([], "expected vip and port, or mark");
    return undefined;
  }
  if (family !== undefined) complain(["family"], "a vip has its family already: this is for marks");
  if (port === undefined) {
    complain(["port"], "expected an integer from 0 to 65535, got nothing");
    return undefined;
  }
  if (typeof port === "string") {
    complain(["port"], `expected a range of ports up to 65535 such as 8000-8010, got ${port}`);
    return undefined;
  }
  const endpoint = { address: Address.parse(vip)!, port: toPort(port) };
  return { kind: "endpoint", protocol: protocol ?? "tcp", endpoint };
}

function persistenceOf(
  { persistence }: ServiceContent,
  family: Family,
  complain: Complain,
): Persistence | undefined {
  if (persistence === undefined || persistence === false) return undefined;
  const { timeout = PERSISTENCE_SECONDS, netmask, prefixLength = BITS[family] } = persistence;
  const timeoutSeconds = secondsOf(timeout);
  if (prefixLength > BITS[family]) {
    complain(
      ["persistence", "prefixLength"],
      `expected an integer from 1 to ${BITS[family]}, got ${prefixLength}`,
    );
  }
  if (netmask !== undefined && persistence.prefixLength !== undefined) {
    complain(["persistence", "netmask"], "netmask and prefixLength exclude each other");
  }
  if (family === "inet6") {
    if (netmask !== undefined) {
      complain(["persistence", "netmask"], "IPv6 has no netmask: use prefixLength");
    }
    return { timeoutSeconds, netmask: prefixLength };
  }
  const all = Address.parse("255.255.255.255")!;
  const mask = netmask === undefined ? all.masked(prefixLength) : Address.parse(netmask)!;
  return { timeoutSeconds, netmask: mask.w3 >>> 0 };
}
