/**
 * A server that connections of an earlier process go to and that is not configured (yet): a removed destination that
 * nobody removed. Its connections wait for it, like those of a removed one, until they end or it is added again.
 */
import type { Address } from "../net/address.ts";
import { toPort } from "../net/port.ts";
import { Destination } from "./destination.ts";
import type { SchedulerSysctls } from "./schedulers/scheduler.ts";
import type { DestinationPlan, Mark, ServicePlan } from "./service.ts";
import { VirtualService } from "./virtual-service.ts";

export interface OrphanedServer {
  readonly key: number;
  readonly address: Address;
}

/** Nobody knows which. */
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

export function orphan(
  id: number,
  { key, address }: OrphanedServer,
  sysctls: () => SchedulerSysctls,
): Destination {
  const plan: DestinationPlan = {
    endpoint: { address, port: toPort(0) },
    forwarding: { kind: "route" },
    weight: 0,
    upperThreshold: 0,
    lowerThreshold: 0,
    revision: 0,
  };
  const destination = new Destination(id, plan, new VirtualService(SERVICE, sysctls));
  destination.key = key;
  destination.isOrphan = true;
  destination.isAvailable = false;
  return destination;
}
