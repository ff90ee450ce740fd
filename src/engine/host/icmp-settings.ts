/** The host's limits on ICMP errors, read from /proc/sys/net. Nobody tells of changes, so they are read from time to time. */
import { readFileSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import type { IcmpSettings } from "./icmp-limits.ts";

/** Reading takes some 100 µs, and happens only while there is something to be told. */
const READ_EVERY_MS = 20;
const TYPES6_MAX = 255;

/** A host's that nobody changed: icmp_sk_init(), icmpv6_sk_init(). Where a file is missing, it is as it says here. */
export const DEFAULT_ICMP_SETTINGS: IcmpSettings = {
  rateLimitMs: 1_000,
  // Destination unreachable, source quench, time exceeded, parameter problem.
  rateMask: 0x1818,
  rateLimitMs6: 1_000,
  // All errors but packet too big.
  limitedTypes6: typesIn("0-1,3-127"),
  messagesPerSecond: 1_000,
  messagesBurst: 50,
};

/** The settings as they are, or were a moment ago. `onTrouble`: they could not be read, and are as they were. */
export function followIcmpSettings(
  clock: Clock,
  onTrouble: (error: unknown) => void,
): () => IcmpSettings {
  let settings = DEFAULT_ICMP_SETTINGS;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.now();
    if (now - readAt >= READ_EVERY_MS) {
      readAt = now;
      try {
        settings = icmpSettings(readSetting);
      } catch (error) {
        onTrouble(error);
      }
    }
    return settings;
  };
}

/** From the texts of the files below /proc/sys/net. */
export function icmpSettings(read: (name: string) => string | undefined): IcmpSettings {
  const standard = DEFAULT_ICMP_SETTINGS;
  const number = (name: string, otherwise: number): number => {
    const text = read(name)?.trim() ?? "";
    return /^-?\d+$/.test(text) ? Number(text) : otherwise;
  };
  const types = read("ipv6/icmp/ratemask");
  return {
    rateLimitMs: number("ipv4/icmp_ratelimit", standard.rateLimitMs),
    rateMask: number("ipv4/icmp_ratemask", standard.rateMask),
    rateLimitMs6: number("ipv6/icmp/ratelimit", standard.rateLimitMs6),
    limitedTypes6: types === undefined ? standard.limitedTypes6 : typesIn(types),
    messagesPerSecond: number("ipv4/icmp_msgs_per_sec", standard.messagesPerSecond),
    messagesBurst: number("ipv4/icmp_msgs_burst", standard.messagesBurst),
  };
}

/** Of a list like "0-1,3-127": proc_do_large_bitmap(). */
function typesIn(text: string): ReadonlySet<number> {
  const types = new Set<number>();
  for (const range of text.trim().split(",")) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (first === undefined) continue;
    for (let type = Number(first); type <= Math.min(Number(last), TYPES6_MAX); type++) {
      types.add(type);
    }
  }
  return types;
}

/** Undefined where there is none: a namespace of an older kernel, or a host without IPv6. */
function readSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/net/${name}`, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
