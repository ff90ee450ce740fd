/** Which capabilities this process has: capabilities(7), include/uapi/linux/capability.h. */
import { readFileSync } from "node:fs";

/** Any of those in a row will do: CAP_SYS_ADMIN has been before CAP_BPF and CAP_PERFMON, and holds them still. */
// biome-ignore format: a table
const NEEDED = {
  userspace: [["CAP_NET_ADMIN"], ["CAP_NET_RAW"]],
  kernel:    [["CAP_NET_ADMIN"], ["CAP_NET_RAW"], ["CAP_BPF", "CAP_SYS_ADMIN"], ["CAP_PERFMON", "CAP_SYS_ADMIN"]],
} as const;

const BITS = {
  CAP_NET_ADMIN: 12n,
  CAP_NET_RAW: 13n,
  CAP_SYS_ADMIN: 21n,
  CAP_PERFMON: 38n,
  CAP_BPF: 39n,
} as const;

/** Those that an engine needs and the process has not. `status` is the text of /proc/self/status. */
export function missingCapabilities(
  engine: keyof typeof NEEDED = "userspace",
  status: string = readFileSync("/proc/self/status", "utf8"),
): string[] {
  const [, digits] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  if (digits === undefined) return [];
  const effective = BigInt(`0x${digits}`);
  return NEEDED[engine]
    .filter((any) => !any.some((name) => ((effective >> BITS[name]) & 1n) === 1n))
    .map(([name]) => name);
}
