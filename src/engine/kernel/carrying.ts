/** Which services' new connections the programs open, and how many servers those may have. */
import type { ServiceKey, ServicePlan } from "../../ipvs/desired/service.ts";
import type { VirtualService } from "../../ipvs/services/virtual-service.ts";
import { FTP_PORT } from "../../net/port.ts";
import { MEMBERS_PER_SERVICE } from "./kernel-scheduler.ts";
import { RULES } from "./rules.ts";

/** The programs draw from 32 bits (bpf/tree.h). */
const SUM_END = 0xffff_ffff;

/** Whether the programs can open a service's connections as the director would. */
export function isCarried({ key, ...plan }: ServicePlan): boolean {
  return (
    isFoundByKey(key, plan.persistence !== undefined) &&
    plan.persistenceEngine === undefined &&
    RULES[plan.scheduler] !== undefined &&
    plan.destinations.length <= MEMBERS_PER_SERVICE &&
    (plan.scheduler !== "twos" || sumOfWeights(plan) < SUM_END)
  );
}

/** Whether the programs know all of a service's servers. */
export function hasSlots({ destinations }: VirtualService): boolean {
  return destinations.every(({ load }) => load.slot >= 0);
}

function sumOfWeights({ destinations }: Omit<ServicePlan, "key">): number {
  return destinations.reduce((sum, { weight }) => sum + weight, 0);
}

/** Whether nothing but its key decides whether a connection is a service's: only a persistent one takes all ports. */
function isFoundByKey(key: ServiceKey, isPersistent: boolean): boolean {
  if (key.kind === "mark") return true;
  const { port } = key.endpoint;
  return key.protocol !== "sctp" && port !== FTP_PORT && (port !== 0 || isPersistent);
}
