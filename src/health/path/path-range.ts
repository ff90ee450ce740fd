/**
 * From which local ports probes go the VIP's way: none that the kernel gives to connections of others
 * (net.ipv4.ip_local_port_range, for both families).
 */
import { readFileSync } from "node:fs";
import type { PortRange } from "./vip-path.ts";

/** Above the kernel's default range, which ends at 60999. */
const PREFERRED: PortRange = { first: 61_000, last: 65_535 };
/** A range that is smaller than this is of no use. */
const PORTS_MIN = 1_024;
const UNPRIVILEGED = 1_024;

/** `ephemeral` is the text of /proc/sys/net/ipv4/ip_local_port_range. */
export function probePorts(ephemeral: string): PortRange {
  const [low = 0, high = 0] = ephemeral.trim().split(/\s+/).map(Number);
  const above = { first: Math.max(PREFERRED.first, high + 1), last: PREFERRED.last };
  if (above.last - above.first + 1 >= PORTS_MIN) return above;
  const size = PREFERRED.last - PREFERRED.first + 1;
  const below = { first: Math.max(UNPRIVILEGED, low - size), last: low - 1 };
  if (below.last - below.first + 1 >= PORTS_MIN) return below;
  // All ports are the kernel's to give: it leaves out those that a probe is bound to at that moment.
  return PREFERRED;
}

export function hostProbePorts(): PortRange {
  return probePorts(textOf("/proc/sys/net/ipv4/ip_local_port_range"));
}

/** Of a host without IPv4 there is no such file. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
