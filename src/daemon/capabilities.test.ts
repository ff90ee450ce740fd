import { expect, test } from "vitest";
import { missingCapabilities } from "./capabilities.ts";

// biome-ignore format: a table
const cases: [who: string, effective: string, missing: string[]][] = [
  ["root",                     "000001ffffffffff", []],
  ["nobody",                   "0000000000000000", ["CAP_NET_ADMIN", "CAP_NET_RAW"]],
  ["root of most containers",  "00000000a80425fb", ["CAP_NET_ADMIN"]],
  ["what the daemon needs",    "0000000000003000", []],
];

test.for(cases)("%s", ([, effective, missing]) => {
  expect(missingCapabilities(`Name:\tnode\nCapEff:\t${effective}\nCapBnd:\t0\n`)).toEqual(missing);
});
