/** Which capabilities this process has: capabilities(7), include/uapi/linux/capability.h. */
import { readFileSync } from "node:fs";

const NEEDED = { CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n } as const;

/** Those that the daemon needs and has not. `status` is the text of /proc/self/status. */
export function missingCapabilities(
  status: string = readFileSync("/proc/self/status", "utf8"),
): string[] {
  const [, digits] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  if (digits === undefined) return [];
  const effective = BigInt(`0x${digits}`);
  return Object.entries(NEEDED)
    .filter(([, bit]) => ((effective >> bit) & 1n) === 0n)
    .map(([name]) => name);
}
