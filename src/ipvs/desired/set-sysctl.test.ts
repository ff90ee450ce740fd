import { expect, test } from "vitest";
import { EMPTY_STATE } from "./desired-state.ts";
import { type FaultCode, LbError } from "./errors.ts";
import { changedSysctls, listSysctls, setSysctl, setSysctls } from "./set-sysctl.ts";
import { DEFAULT_SYSCTLS, FIXED_SYSCTLS, SYSCTL_RULES } from "./sysctls.ts";

/** Recorded from Linux 6.1: what was written, and what could be read then. */
// biome-ignore format: a table
const taken: [name: string, text: string, value: number][] = [
  ["am_droprate", "0",           0],
  ["am_droprate", "-1",          -1],
  ["am_droprate", "-0",          0],
  ["am_droprate", "2147483647",  2147483647],
  ["am_droprate", "-2147483648", -2147483648],
  ["am_droprate", "0x10",        16],
  ["am_droprate", "010",         8],
  ["am_droprate", "3 50",        3],
  ["am_droprate", " 5 \n",       5],
  ["am_droprate", "1 x",         1],
  ["sloppy_tcp",  "4",           4],
  ["drop_entry",  "3",           3],
  ["lblc_expiration", "-1",      -1],
  ["lblc_expiration", "21474836", 21474836],
];

test.for(taken)("%s is set with %j", ([name, text, value]) => {
  const { sysctls } = setSysctl(EMPTY_STATE, name, text);
  expect(sysctls).toEqual({ ...DEFAULT_SYSCTLS, [name]: value });
});

// biome-ignore format: a table
const refused: [name: string, text: string, code: FaultCode, message: string][] = [
  ["foo",             "1",                    "no-such-sysctl",        "No such file or directory: net.ipv4.vs.foo"],
  ["toString",        "1",                    "no-such-sysctl",        "No such file or directory: net.ipv4.vs.toString"],
  ["am_droprate",     "2147483648",           "sysctl-out-of-range",   "Invalid argument: net.ipv4.vs.am_droprate: 2147483648 is not in -2147483648 to 2147483647"],
  ["am_droprate",     "-2147483649",          "sysctl-out-of-range",   "-2147483649 is not in"],
  ["am_droprate",     "99999999999999999999", "sysctl-out-of-range",   "is not in"],
  ["am_droprate",     "0".repeat(21),         "sysctl-not-a-number",   "expected a whole number"],
  ["drop_entry",      "4",                    "sysctl-out-of-range",   "Invalid argument: net.ipv4.vs.drop_entry: 4 is not in 0 to 3"],
  ["secure_tcp",      "-1",                   "sysctl-out-of-range",   "-1 is not in 0 to 3"],
  ["lblcr_expiration", "21474837",            "sysctl-out-of-range",   "21474837 is not in -21474836 to 21474836"],
  ["debug_level",     "1",                    "sysctl-without-effect", "Operation not supported: net.ipv4.vs.debug_level: Sluice has no messages"],
  ["sync_threshold",  "3 60",                 "sysctl-without-effect", "Sluice has no connection synchronisation"],
  ...["", "\n", "x", "1x", "+5", "1.5", "x 1", "- 1", "--1", "1,2", "0x", "08", "1\0", "١"].map(
    (text): [string, string, FaultCode, string] =>
      ["am_droprate", text, "sysctl-not-a-number", `Invalid argument: net.ipv4.vs.am_droprate: expected a whole number, got ${JSON.stringify(text)}`],
  ),
];

test.for(refused)("%s is not set with %j: %s", ([name, text, code, message]) => {
  const set = () => setSysctl(EMPTY_STATE, name, text);
  expect(set).toThrow(message);
  expect(set).toThrow(expect.objectContaining({ fault: expect.objectContaining({ code }) }));
});

test("a knob without meaning may be set to what it is", () => {
  for (const [name, { value }] of Object.entries(FIXED_SYSCTLS)) {
    expect(setSysctl(EMPTY_STATE, name, value)).toBe(EMPTY_STATE);
  }
  expect(setSysctl(EMPTY_STATE, "sync_threshold", " 3 50\n")).toBe(EMPTY_STATE);
});

test("several are set, or none", () => {
  const state = setSysctls(EMPTY_STATE, { drop_packet: 3, am_droprate: "7" });
  expect(changedSysctls(state.sysctls)).toEqual({ drop_packet: 3, am_droprate: 7 });
  expect(() => setSysctls(state, { drop_packet: 0, foo: 1 })).toThrow(LbError);
  expect(changedSysctls(setSysctls(state, { drop_packet: 0, am_droprate: 10 }).sysctls)).toEqual(
    {},
  );
});

test("all are listed, in order, and each has one place", () => {
  const names = Object.keys(listSysctls(DEFAULT_SYSCTLS));
  const known = [...Object.keys(SYSCTL_RULES), ...Object.keys(FIXED_SYSCTLS)];
  expect(names).toEqual(known.toSorted());
  expect(new Set(known).size).toBe(known.length);
});
