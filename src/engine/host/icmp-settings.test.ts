import { expect, test } from "vitest";
import { DEFAULT_ICMP_SETTINGS, icmpSettings } from "./icmp-settings.ts";

test("without files everything is as the kernel has it from the start", () => {
  expect(icmpSettings(() => undefined)).toEqual(DEFAULT_ICMP_SETTINGS);
});

test("each setting has its file", () => {
  const files: Record<string, string> = {
    "ipv4/icmp_ratelimit": "250\n",
    "ipv4/icmp_ratemask": "6168\n",
    "ipv6/icmp/ratelimit": "0\n",
    "ipv6/icmp/ratemask": "1,3-4\n",
    "ipv4/icmp_msgs_per_sec": "10\n",
    "ipv4/icmp_msgs_burst": "5\n",
  };
  expect(icmpSettings((name) => files[name])).toEqual({
    rateLimitMs: 250,
    rateMask: 6168,
    rateLimitMs6: 0,
    limitedTypes6: new Set([1, 3, 4]),
    messagesPerSecond: 10,
    messagesBurst: 5,
  });
});

test.for(["", "\n", "x", "5-1"])("a mask of %j limits nothing", (text) => {
  const { limitedTypes6 } = icmpSettings((name) => (name.endsWith("ratemask") ? text : undefined));
  expect(limitedTypes6).toEqual(new Set());
});
