/** Which capabilities this process has: capabilities(7), include/uapi/linux/capability.h. */
import { readFileSync } from "node:fs";
import { withholdCapability } from "../engine/host/system/libc.ts";

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

/** Of those, the process uses these itself alone. (What CAP_SYS_ADMIN is for else, a keeper may need: it unmounts.) */
const OWN = ["CAP_BPF", "CAP_PERFMON"] as const;

/**
 * Its children have none but the userspace engine's. What keeps the tables for a while (door/keeper.ts) must have no more than
 * a daemon that comes next: the kernel hides processes that have, where /proc is mounted with hidepid, as by systemd's
 * ProtectProc; and a keeper that the next daemon does not see lives on, and takes the connections away at its time.
 */
export function withholdOwn(): void {
  // Where it has not got them this way there is nothing to be done, nor where the kernel knows fewer.
  for (const name of OWN) withholdCapability(Number(BITS[name]));
}
