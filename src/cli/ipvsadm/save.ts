/** The table as commands that make it again: `ipvsadm -S`. Thresholds, timeouts and connections are not in it. */
import type { WireForwarding, WireServiceRecord, WireServiceStatus } from "../../control/wire.ts";
import { type PrintEndpoint, protocolOf, signedMark } from "./printed-names.ts";
import { maskOf } from "./render-services.ts";
import { formatSchedulerFlags } from "./scheduler-flags.ts";
import { sortDestinations, sortServices } from "./sort.ts";

export async function* renderRules(
  services: readonly WireServiceStatus[],
  print: PrintEndpoint,
): AsyncGenerator<string> {
  for (const service of sortServices(services)) {
    const name = await serviceOption(service, print);
    yield `-A ${name}${serviceOptions(service)}\n`;
    for (const { endpoint, forwarding, weight } of sortDestinations(service.destinations)) {
      const at = await print(endpoint, protocolOf(service.key));
      yield `-a ${name} -r ${at} ${METHOD[forwarding.kind]} -w ${weight}${tunnelOptions(forwarding)}\n`;
    }
  }
}

const PROTOCOL = { tcp: "-t", udp: "-u", sctp: "--sctp-service" } as const;

const METHOD = { masquerade: "-m", route: "-g", tunnel: "-i" } as const;

const CHECKSUM = { none: "--tun-nocsum", full: "--tun-csum", remote: "--tun-remcsum" } as const;

async function serviceOption({ key }: WireServiceRecord, print: PrintEndpoint): Promise<string> {
  if (key.kind === "mark") {
    return `-f ${signedMark(key.mark)}${key.family === "inet6" ? " -6" : ""}`;
  }
  return `${PROTOCOL[key.protocol]} ${await print(key.endpoint, key.protocol)}`;
}

function serviceOptions(service: WireServiceRecord): string {
  const { scheduler, persistence, persistenceEngine, onePacket } = service;
  let text = ` -s ${scheduler}`;
  if (persistence !== null) {
    text += ` -p ${persistence.timeoutSeconds}`;
    const mask = maskOf(persistence);
    if (mask !== undefined) text += ` -M ${mask}`;
  }
  if (persistenceEngine !== null) text += ` --pe ${persistenceEngine}`;
  if (onePacket) text += " -o";
  const flags = formatSchedulerFlags(service.schedulerFlags, scheduler);
  return service.schedulerFlags.length === 0 ? text : `${text} -b ${flags}`;
}

function tunnelOptions(forwarding: WireForwarding): string {
  if (forwarding.kind !== "tunnel") return "";
  switch (forwarding.encapsulation) {
    case "ipip":
      return " --tun-type ipip";
    case "gre":
      return ` --tun-type gre ${CHECKSUM[forwarding.checksum]}`;
    case "gue":
      return ` --tun-type gue --tun-port ${forwarding.port} ${CHECKSUM[forwarding.checksum]}`;
  }
}
