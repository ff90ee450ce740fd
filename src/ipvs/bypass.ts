/**
 * Where connections go that cache_bypass lets go on to where they were sent: a destination that nobody configured.
 *
 * The kernel's entries have none at all (IP_VS_CONN_F_BYPASS); so nothing counts here, and listings show zeros.
 */
import { Address } from "../net/address.ts";
import type { IpVersion } from "../net/ip-family.ts";
import { toPort } from "../net/port.ts";
import { CONNECTION_FLAG, FORWARDING } from "./connections/flow.ts";
import { Destination } from "./destination.ts";
import type { SchedulerSysctls } from "./schedulers/scheduler.ts";
import type { DestinationPlan, Mark, ServicePlan } from "./service.ts";
import { VirtualService } from "./virtual-service.ts";

/** Only packets with a mark are bypassed: it stands for all of them. */
const SERVICE: ServicePlan = {
  key: { kind: "mark", family: "inet", mark: 0xffff_ffff as Mark },
  scheduler: "none",
  schedulerFlags: 0,
  onePacket: false,
  persistence: undefined,
  persistenceEngine: undefined,
  destinations: [],
  revision: 0,
};

const NOWHERE = { 4: Address.inet(0), 6: Address.inet6(0, 0, 0, 0) } as const;

export function bypass(
  id: number,
  family: IpVersion,
  sysctls: () => SchedulerSysctls,
): Destination {
  const plan: DestinationPlan = {
    endpoint: { address: NOWHERE[family], port: toPort(0) },
    forwarding: { kind: "route" },
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    revision: 0,
  };
  const destination = new Destination(id, plan, new VirtualService(SERVICE, sysctls));
  destination.connectionFlags = FORWARDING.bypass | CONNECTION_FLAG.inactive;
  destination.isBypass = true;
  return destination;
}
