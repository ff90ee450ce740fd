/** What is wanted of a director as a sluice.yaml, so that loading it wants the same. */
import { stringify } from "yaml";
import type { CheckPlan } from "../ipvs/desired/health.ts";
import type { PortRange } from "../ipvs/desired/port-range.ts";
import {
  familyOf,
  formatEndpoint,
  formatServiceKey,
  SCHEDULER_FLAG,
  type ServiceKey,
} from "../ipvs/desired/service.ts";
import type { WantedDestination, WantedService, WantedState } from "../ipvs/desired/wanted.ts";
import { Address } from "../net/address.ts";
import { allProblems } from "./all-problems.ts";
import { NO_DEFAULTS, readText } from "./files.ts";
import type { ConfigurationProblem } from "./problem.ts";
import { resolve } from "./resolve.ts";
import type { DestinationContent, FileContent, ServiceContent } from "./schema.ts";
import { markOfRange, nameOfRange } from "./service.ts";
import { vipContent } from "./vip.ts";
import { forwardingContent } from "./write-forwarding.ts";
import {
  checkContents,
  destinationHealthContent,
  healthContent,
  namedChecks,
} from "./write-health.ts";

const ALL_BITS = { inet: 0xffff_ffff, inet6: 128 } as const;

/** The lines of `comment` come first. */
export function writeConfiguration(content: FileContent, comment: readonly string[]): string {
  const head = comment.map((line) => `# ${line}\n`).join("");
  return head + stringify(content, { lineWidth: 0 });
}

export function contentOf(wanted: WantedState): FileContent {
  const { services, timeouts, sysctls, vips = [], keepsOthers, drainSeconds, file } = wanted;
  const checks = namedChecks(services);
  return {
    ...(keepsOthers ? { others: "keep" } : {}),
    ...(file?.drift === "reconcile" ? { drift: "reconcile" } : {}),
    ...(drainSeconds === undefined ? {} : { remove: { drain: drainSeconds } }),
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    ...(Object.keys(sysctls).length === 0
      ? {}
      : { sysctls: sysctls as Readonly<Record<string, number>> }),
    ...(vips.length === 0 ? {} : { vips: vips.map(vipContent) }),
    ...(checks.size === 0 ? {} : { checks: checkContents(checks) }),
    services: services.map((service) => {
      const { key, range } = service.spec;
      const known = file?.names.get(formatServiceKey(key));
      const name = range !== undefined && known === nameOfRange(range) ? undefined : known;
      return { ...(name === undefined ? {} : { name }), ...serviceContent(service, checks) };
    }),
  };
}

/** What a file may not say though it stands: a weight that only the kernel's ipvsadm would take, for instance. */
export function unsayable(content: FileContent): readonly ConfigurationProblem[] {
  const text = JSON.stringify(content, undefined, 2);
  const loaded = readText("the configuration", text, NO_DEFAULTS, {});
  return allProblems(loaded, resolve(loaded.files)).map((problem) => ({
    ...problem,
    line: undefined,
    column: undefined,
  }));
}

function serviceContent(
  { spec, destinations }: WantedService,
  named: ReadonlyMap<string, CheckPlan>,
): ServiceContent {
  const { key, scheduler, schedulerFlags, onePacket, persistenceEngine } = spec;
  const flags = (Object.keys(SCHEDULER_FLAG) as (keyof typeof SCHEDULER_FLAG)[]).filter(
    (name) => schedulerFlags & SCHEDULER_FLAG[name],
  );
  const persistence = persistenceContent(spec);
  const port = key.kind === "mark" ? 0 : key.endpoint.port;
  return {
    ...(spec.range === undefined ? keyContent(key) : rangeContent(key, spec.range)),
    scheduler,
    ...(flags.length === 0 ? {} : { flags }),
    ...(onePacket ? { onePacket } : {}),
    ...(persistence === undefined ? {} : { persistence }),
    ...(persistenceEngine === undefined ? {} : { persistenceEngine }),
    ...(spec.health === undefined ? {} : healthContent(spec.health, port, named)),
    ...(destinations.length === 0
      ? {}
      : {
          destinations: destinations.map((each) => ({
            ...destinationContent(each, port),
            ...destinationHealthContent(spec.health, formatEndpoint(each.endpoint), named),
          })),
        }),
  };
}

function rangeContent(key: ServiceKey, range: PortRange): Partial<ServiceContent> {
  const { protocol, address, first, last } = range;
  const isUsual = key.kind === "mark" && key.mark === markOfRange(range);
  return {
    protocol,
    vip: address.toString(),
    port: `${first}-${last}`,
    ...(key.kind === "mark" && !isUsual ? { mark: key.mark } : {}),
  };
}

function keyContent(key: ServiceKey): Partial<ServiceContent> {
  if (key.kind === "mark") {
    const { mark, family } = key;
    return family === "inet" ? { mark } : { mark, family };
  }
  const { protocol, endpoint } = key;
  return { protocol, vip: endpoint.address.toString(), port: endpoint.port };
}

function persistenceContent({
  key,
  persistence,
}: WantedService["spec"]): ServiceContent["persistence"] {
  if (persistence === undefined) return undefined;
  const { timeoutSeconds: timeout, netmask } = persistence;
  const family = familyOf(key);
  if (netmask === ALL_BITS[family]) return { timeout };
  return family === "inet6"
    ? { timeout, prefixLength: netmask }
    : { timeout, netmask: Address.inet(netmask).toString() };
}

function destinationContent(
  { endpoint, forwarding, weight, upperThreshold, lowerThreshold }: WantedDestination,
  servicePort: number,
): DestinationContent {
  return {
    address: endpoint.address.toString(),
    ...(endpoint.port === servicePort ? {} : { port: endpoint.port }),
    forwarding: forwardingContent(forwarding),
    ...(weight === undefined ? {} : { weight }),
    ...(upperThreshold === 0 ? {} : { upperThreshold }),
    ...(lowerThreshold === 0 ? {} : { lowerThreshold }),
  };
}
