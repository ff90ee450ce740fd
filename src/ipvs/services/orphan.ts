/**
 * A server that connections of an earlier process go to and that is not configured (yet): a removed destination that
 * nobody removed. Its connections wait for it, like those of a removed one, until they end or it is added again.
 */
import type { Address } from "../../net/address.ts";
import type { SchedulerSysctls } from "../schedulers/scheduler.ts";
import type { Destination } from "./destination.ts";
import { unconfigured } from "./unconfigured.ts";

export interface OrphanedServer {
  readonly key: number;
  readonly address: Address;
}

export function orphan(
  id: number,
  { key, address }: OrphanedServer,
  sysctls: () => SchedulerSysctls,
): Destination {
  const destination = unconfigured(id, address, 0, sysctls);
  destination.key = key;
  destination.isOrphan = true;
  destination.isAvailable = false;
  return destination;
}
