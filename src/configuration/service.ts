/** One service's own record as the director wants it, from what the file says with its defaults. */
import type { ServiceSpec } from "../ipvs/desired/desired-state.ts";
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
import type { ServiceContent } from "./schema.ts";

/** As with ipvsadm's `-p`. */
const PERSISTENCE_SECONDS = 300;

const BITS = { inet: 32, inet6: 128 } as const;

/** What is wrong is told with the path below the service. */
type Complain = (below: Path, message: string) => void;

/** Undefined when the service cannot be told; then something was complained about. */
export function serviceSpec(content: ServiceContent, complain: Complain): ServiceSpec | undefined {
  const key = keyOf(content, complain);
  if (key === undefined) return undefined;
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
  };
}

function keyOf(content: ServiceContent, complain: Complain): ServiceKey | undefined {
  const { vip, port, mark, protocol, family } = content;
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
