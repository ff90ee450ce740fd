import { expect, test } from "vitest";
import { missingCapabilities } from "./capabilities.ts";

// biome-ignore format: a table
const cases: [who: string, effective: string, userspace: string[], kernel: string[]][] = [
  ["root",                              "000001ffffffffff", [], []],
  ["nobody",                            "0000000000000000", ["CAP_NET_ADMIN", "CAP_NET_RAW"], ["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_BPF", "CAP_PERFMON"]],
  ["root of most containers",           "00000000a80425fb", ["CAP_NET_ADMIN"], ["CAP_NET_ADMIN", "CAP_BPF", "CAP_PERFMON"]],
  ["what the userspace engine needs",   "0000000000003000", [], ["CAP_BPF", "CAP_PERFMON"]],
  ["what the kernel engine needs",      "000000c000003000", [], []],
  ["what older kernels' programs need", "0000000000203000", [], []],
];

test.for(cases)("%s", ([, effective, userspace, kernel]) => {
  const status = `Name:\tnode\nCapEff:\t${effective}\nCapBnd:\t0\n`;
  expect(missingCapabilities("userspace", status)).toEqual(userspace);
  expect(missingCapabilities("kernel", status)).toEqual(kernel);
});
