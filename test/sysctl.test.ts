/** `sluice sysctl` where it goes beyond procps' sysctl or differs from it; the rest is compared by conformance. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { SYSCTL_HELP } from "../src/cli/sysctl/options.ts";
import { run } from "../src/cli/sysctl/run.ts";
import { EMPTY_STATE } from "../src/ipvs/desired/desired-state.ts";
import { changedSysctls, listSysctls } from "../src/ipvs/desired/set-sysctl.ts";
import { type ApiBench, openApiBench } from "./api-bench.ts";
import type { Outcome } from "./ipvsadm-bench.ts";

let bench: ApiBench;
let folder: string;
beforeAll(async () => {
  bench = await openApiBench();
  folder = mkdtempSync(join(tmpdir(), "sluice-sysctl-"));
});
beforeEach(() => bench.control.change(() => EMPTY_STATE));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await bench[Symbol.asyncDispose]();
});

async function sysctl(
  words: readonly string[],
  stdin = "",
  socket = bench.socketPath,
): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const exitCode = await run(words, {
    environment: { SLUICE_SOCKET: socket },
    stdin: (async function* () {
      yield stdin;
    })(),
    write: async (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  });
  return { exitCode, stdout, stderr };
}

const inForce = () => changedSysctls(bench.control.state.sysctls);

const CONCLUSION = "sysctl: nothing is set: all values of a call are, or none\n";
const TRY = "Try 'sluice sysctl --help'.\n";

// biome-ignore format: a table
const refusals: [line: string, stderr: string][] = [
  ["",                                `sysctl: no variables specified\n${TRY}`],
  ["-a net.ipv4.vs.drop_entry",       `sysctl: --all lists every knob: it takes no names, values or files\n${TRY}`],
  ["--bogus",                         `sysctl: Unknown option '--bogus'\n${TRY}`],
  ["-k",                              `sysctl: Unknown option '-k'\n${TRY}`],
  ["-ar (",                           `sysctl: --pattern: Invalid regular expression: /(/u: Unterminated group\n${TRY}`],
  ["-w net.ipv4.vs.drop_entry",       'sysctl: command line: "net.ipv4.vs.drop_entry" sets nothing: expected NAME=VALUE\n'],
  ["net.ipv4.vs=1",                   'sysctl: setting key "net.ipv4.vs": Invalid argument\n'],
  ["net.ipv4.ip_forward",             'sysctl: "net.ipv4.ip_forward" is not below net.ipv4.vs: Sluice has nothing else, the host\'s own sysctl may\n'],
  ["drop_entry=1",                    'sysctl: "drop_entry" is not below net.ipv4.vs: Sluice has nothing else, the host\'s own sysctl may\n'],
  ["net.ipv4.vs.sync_retries=1",      'sysctl: setting key "net.ipv4.vs.sync_retries": Operation not supported: Sluice has no connection synchronisation\n'],
  ["--dry-run net.ipv4.vs.drop_entry=9", 'sysctl: setting key "net.ipv4.vs.drop_entry": Invalid argument\n'],
  ["net.ipv4.vs.sloppy_tcp=1 net.ipv4.vs.foo=1", `sysctl: cannot stat /proc/sys/net/ipv4/vs/foo: No such file or directory\n${CONCLUSION}`],
  ["net.ipv4.vs.sloppy_tcp=1 net.ipv4.vs.sloppy_tcp=x", `sysctl: setting key "net.ipv4.vs.sloppy_tcp": Invalid argument\n${CONCLUSION}`],
  ["-p /none /",                      `sysctl: cannot open "/none": No such file or directory\nsysctl: cannot open "/": Is a directory\n${CONCLUSION}`],
];

test.for(refusals)("sluice sysctl %s is refused", async ([line, stderr]) => {
  expect(await sysctl(line.split(" ").filter(Boolean))).toEqual({
    exitCode: 1,
    stdout: "",
    stderr,
  });
  expect(inForce()).toEqual({});
});

test("what is refused leaves reading as it is", async () => {
  const words = ["net.ipv4.vs.drop_entry=1", "net.ipv4.vs.drop_entry", "net.ipv4.vs.secure_tcp=9"];
  expect((await sysctl(words)).stdout).toBe("net.ipv4.vs.drop_entry = 0\n");
});

test("--all lists every knob, as text or as JSON", async () => {
  await sysctl(["net.ipv4.vs.sloppy_tcp=4"]);
  const entries = Object.entries(listSysctls(bench.control.state.sysctls));
  const { stdout } = await sysctl(["-a"]);
  expect(stdout).toBe(entries.map(([name, value]) => `net.ipv4.vs.${name} = ${value}\n`).join(""));
  const json = JSON.parse((await sysctl(["-a", "--json"])).stdout);
  expect(json).toMatchObject({
    "net.ipv4.vs.sloppy_tcp": 4,
    "net.ipv4.vs.sync_threshold": "3\t50",
  });
  expect(Object.keys(json)).toHaveLength(entries.length);
});

test("--json tells what a value that was set has become", async () => {
  const { stdout } = await sysctl(["--json", "net.ipv4.vs.am_droprate=0x10"]);
  expect(JSON.parse(stdout)).toEqual({ "net.ipv4.vs.am_droprate": 16 });
});

test("files are set together, or not at all", async () => {
  const [good, bad] = [join(folder, "good.conf"), join(folder, "bad.conf")];
  writeFileSync(good, "# ours\nnet.ipv4.vs.drop_entry = 1\nnet/ipv4/vs/am_droprate=5\n");
  writeFileSync(bad, "\nnet.ipv4.vs.drop_packet = 1\nnonsense\nnet.ipv4.vs.secure_tcp = 9\n");
  expect(await sysctl(["-p", good, bad])).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `sysctl: ${bad}(3): invalid syntax: expected NAME = VALUE
sysctl: setting key "net.ipv4.vs.secure_tcp": Invalid argument
${CONCLUSION}`,
  });
  expect(inForce()).toEqual({});
  expect((await sysctl([`-p${good}`])).exitCode).toBe(0);
  expect(inForce()).toEqual({ drop_entry: 1, am_droprate: 5 });
});

test("--pattern narrows what is set, too", async () => {
  await sysctl(["-r", "drop_", "net.ipv4.vs.drop_entry=1", "net.ipv4.vs.sloppy_tcp=1"]);
  expect(inForce()).toEqual({ drop_entry: 1 });
});

test("--help needs no daemon, all else says which one is missing", async () => {
  const nowhere = "/nonexistent/sluice.sock";
  expect(await sysctl(["--help"], "", nowhere)).toEqual({
    exitCode: 0,
    stdout: SYSCTL_HELP,
    stderr: "",
  });
  expect(await sysctl(["-a"], "", nowhere)).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `sysctl: Nothing answers on ${nowhere}: start Sluice with 'sluice daemon', or set SLUICE_SOCKET to its socket.\n`,
  });
});
