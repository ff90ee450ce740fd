import type { Address } from "../../net/address.ts";
import { toPort } from "../../net/port.ts";
import type { Mark, ServicePlan } from "../desired/service.ts";
import type { SchedulerSysctls } from "../schedulers/scheduler.ts";
import { Destination } from "./destination.ts";
import { VirtualService } from "./virtual-service.ts";

/** No service that anybody could configure: marks have 32 bits, and 0 is none. */
const NOBODYS: ServicePlan = {
  key: { kind: "mark", family: "inet", mark: 0xffff_ffff as Mark },
  scheduler: "none",
  schedulerFlags: 0,
  onePacket: false,
  persistence: undefined,
  persistenceEngine: undefined,
  destinations: [],
  revision: 0,
};

/** A destination that is in no service of the desired state. */
export function unconfigured(
  id: number,
  address: Address,
  weight: number,
  sysctls: () => SchedulerSysctls,
): Destination {
  const plan = {
    endpoint: { address, port: toPort(0) },
    forwarding: { kind: "route" },
    weight,
    upperThreshold: 0,
    lowerThreshold: 0,
    revision: 0,
  } as const;
  return new Destination(id, plan, new VirtualService(NOBODYS, sysctls));
}
