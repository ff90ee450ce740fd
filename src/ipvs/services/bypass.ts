/**
 * Where connections go that cache_bypass lets go on to where they were sent: a destination that nobody configured.
 *
 * The kernel's entries have none at all (IP_VS_CONN_F_BYPASS); so nothing counts here, and listings show zeros.
 */
import { Address } from "../../net/address.ts";
import type { IpVersion } from "../../net/ip-family.ts";
import { CONNECTION_FLAG, FORWARDING } from "../connections/flow.ts";
import type { SchedulerSysctls } from "../schedulers/scheduler.ts";
import type { Destination } from "./destination.ts";
import { unconfigured } from "./unconfigured.ts";

const NOWHERE = { 4: Address.inet(0), 6: Address.inet6(0, 0, 0, 0) } as const;

export function bypass(
  id: number,
  family: IpVersion,
  sysctls: () => SchedulerSysctls,
): Destination {
  const destination = unconfigured(id, NOWHERE[family], 1, sysctls);
  destination.connectionFlags = FORWARDING.bypass | CONNECTION_FLAG.inactive;
  destination.isBypass = true;
  return destination;
}
