/** What is wanted of a director as a sluice.yaml, so that loading it wants the same. */
import { stringify } from "yaml";
import {
  type Forwarding,
  familyOf,
  SCHEDULER_FLAG,
  type ServiceKey,
} from "../ipvs/desired/service.ts";
import type { WantedDestination, WantedService, WantedState } from "../ipvs/desired/wanted.ts";
import { Address } from "../net/address.ts";
import { NO_DEFAULTS, readText } from "./files.ts";
import type { ConfigurationProblem } from "./problem.ts";
import { resolve } from "./resolve.ts";
import type {
  DestinationContent,
  FileContent,
  ForwardingContent,
  ServiceContent,
} from "./schema.ts";

const ALL_BITS = { inet: 0xffff_ffff, inet6: 128 } as const;

/** The lines of `comment` come first. */
export function writeConfiguration(content: FileContent, comment: readonly string[]): string {
  const head = comment.map((line) => `# ${line}\n`).join("");
  return head + stringify(content, { lineWidth: 0 });
}

export function contentOf({ services, timeouts, sysctls, keepsOthers }: WantedState): FileContent {
  return {
    ...(keepsOthers ? { others: "keep" } : {}),
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    ...(Object.keys(sysctls).length === 0
      ? {}
      : { sysctls: sysctls as Readonly<Record<string, number>> }),
    services: services.map(serviceContent),
  };
}

/** What a file may not say though it stands: a weight that only the kernel's ipvsadm would take, for instance. */
export function unsayable(content: FileContent): readonly ConfigurationProblem[] {
  const text = JSON.stringify(content, undefined, 2);
  const { files, problems } = readText("the configuration", text, NO_DEFAULTS, {});
  return [...problems, ...resolve(files).problems].map((problem) => ({
    ...problem,
    line: undefined,
    column: undefined,
  }));
}

function serviceContent({ spec, destinations }: WantedService): ServiceContent {
  const { key, scheduler, schedulerFlags, onePacket, persistenceEngine } = spec;
  const flags = (Object.keys(SCHEDULER_FLAG) as (keyof typeof SCHEDULER_FLAG)[]).filter(
    (name) => schedulerFlags & SCHEDULER_FLAG[name],
  );
  const persistence = persistenceContent(spec);
  const port = key.kind === "mark" ? 0 : key.endpoint.port;
  return {
    ...keyContent(key),
    scheduler,
    ...(flags.length === 0 ? {} : { flags }),
    ...(onePacket ? { onePacket } : {}),
    ...(persistence === undefined ? {} : { persistence }),
    ...(persistenceEngine === undefined ? {} : { persistenceEngine }),
    ...(destinations.length === 0
      ? {}
      : { destinations: destinations.map((each) => destinationContent(each, port)) }),
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

function forwardingContent(forwarding: Forwarding): ForwardingContent {
  if (forwarding.kind !== "tunnel") return forwarding.kind;
  switch (forwarding.encapsulation) {
    case "ipip":
      return "tunnel";
    case "gre":
      return { tunnel: "gre", checksum: forwarding.checksum };
    case "gue":
      return { tunnel: "gue", port: forwarding.port, checksum: forwarding.checksum };
  }
}
