/** `sluice mark` over a real socket. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { MARK_HELP } from "../src/cli/mark/options.ts";
import { runMark } from "../src/cli/mark/run.ts";
import { EMPTY_STATE } from "../src/ipvs/desired-state.ts";
import { formatMarkRule } from "../src/ipvs/mark-rule.ts";
import { type ApiBench, openApiBench } from "./api-bench.ts";
import { ipvsadm } from "./ipvsadm-bench.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await openApiBench();
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => bench.control.change(() => EMPTY_STATE));

interface Said {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function mark(line: string, socket = bench.socketPath): Promise<Said> {
  let stdout = "";
  let stderr = "";
  const exitCode = await runMark(line.split(" "), {
    environment: { SLUICE_SOCKET: socket },
    write: (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  });
  return { exitCode, stdout, stderr };
}

async function all(...lines: string[]): Promise<void> {
  for (const line of lines) {
    expect(await mark(line)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  }
}

const rules = (): string[] => bench.engine.desired.markRules.map(formatMarkRule);

test("rules are added, listed in their order and deleted", async () => {
  await all(
    "add -d 10.0.0.1 -p tcp --dports 80,443,8000:8100 --set-mark 7",
    "add --from 2001:db8::/32 --protocol icmpv6 --mark 0x8",
    "add --mark 9 --at 1 -p udp --sports 53",
  );
  expect((await mark("list")).stdout).toBe(`\
#  mark  family  protocol  packets
1  9     inet    udp       from any ports 53 to any
2  7     inet    tcp       from any to 10.0.0.1 ports 80,443,8000-8100
3  8     inet6   icmp      from 2001:db8::/32 to any
`);
  await all("delete 1", "delete -d 10.0.0.1/32 -p tcp --ports 443,80,8000-8100");
  expect(rules()).toEqual(["inet6 icmp from 2001:db8::/32 to any mark 8"]);
  await all("flush");
  expect(rules()).toEqual([]);
  expect((await mark("list")).stdout).toBe("#  mark  family  protocol  packets\n");
});

test("a list as JSON has what the API takes", async () => {
  await all("add -d 10.0.0.1 -p tcp --ports 80 -m 7");
  const listed = JSON.parse((await mark("list --json")).stdout) as {
    markRules: { id: string }[];
  };
  const rule = {
    family: "inet",
    protocol: "tcp",
    source: null,
    sourcePorts: [],
    destination: "10.0.0.1/32",
    destinationPorts: [{ first: 80, last: 80 }],
    mark: 7,
  } as const;
  const id = "inet tcp from any to 10.0.0.1 ports 80";
  expect(listed).toEqual({ markRules: [{ id, ...rule }] });
  await bench.client.call("deleteMarkRule", { rule: id }, undefined);
  await bench.client.call("addMarkRule", {}, rule);
  expect(rules()).toEqual([`${id} mark 7`]);
  await bench.client.call("flushMarkRules", {}, undefined);
  expect(rules()).toEqual([]);
});

test("ipvsadm -C leaves the rules alone", async () => {
  await all("add -d 10.0.0.1 -m 7");
  expect((await ipvsadm(bench.socketPath, "-C")).exitCode).toBe(0);
  expect(rules()).toHaveLength(1);
});

// biome-ignore format: a table
const refusals: [line: string, exitCode: number, why: string][] = [
  ["add -d 10.0.0.1",                     2, "add needs --mark N"],
  ["add -d 10.0.0 -m 7",                  2, "--to 10.0.0: expected an address or a prefix such as 10.0.0.0/8"],
  ["add -m 7 -p gre",                     2, "--protocol gre: expected one of any, tcp, udp, sctp, icmp"],
  ["add -m 0",                            2, "--mark 0: expected a number from 1 to 4294967295"],
  ["add -m 4294967296",                   2, "--mark 4294967296: expected a number from 1 to 4294967295"],
  ["add -m 7/0xff",                       2, "a mask has no meaning here"],
  ["add -m 7 -p tcp --ports 80,",         2, "port : expected a number to 65535 or a range such as 8000-8100"],
  ["add -m 7 -p tcp --ports 65536",       2, "port 65536: expected"],
  ["add -m 7 -p tcp --ports 1 --dports 2", 2, "--ports and --dports are the same: give one"],
  ["add -m 7 -s 10.0.0.1 -d ::1",         2, "a rule is for IPv4 or for IPv6, and not for both"],
  ["add -m 7 --family ipx",               2, "--family ipx: expected inet or inet6"],
  ["add -m 7 --at 0",                     2, "--at 0: expected a number from 1"],
  ["add -m 7 --json",                     2, "--json means nothing to 'add'"],
  ["add -m 7 word",                       2, "unexpected word 'word'"],
  ["add -j MARK",                         2, "Unknown option '-j'"],
  ["delete",                              2, "delete needs a position or a match"],
  ["delete 1 2",                          2, "unexpected word '2'"],
  ["delete x",                            2, "position x: expected a number from 1"],
  ["change",                              2, "unknown command 'change': expected add, delete, list or flush"],
  ["add -m 7 --ports 80",                 1, "Invalid mark rule: inet any from any to any ports 80 mark 7: ports need the protocol tcp, udp or sctp"],
  ["add -m 7 -d 10.0.0.9",                1, "Mark rule already exists: inet any from any to 10.0.0.9 mark 5"],
  ["delete -d 10.0.0.1",                  1, "No such mark rule: inet any from any to 10.0.0.1"],
  ["delete 2",                            1, "There is no rule 2: the last is 1"],
];

test.for(refusals)("sluice mark %s is refused", async ([line, exitCode, why]) => {
  await all("add -m 5 -d 10.0.0.9");
  const said = await mark(line);
  expect(said).toMatchObject({ exitCode, stdout: "" });
  expect(said.stderr).toContain(`sluice mark: `);
  expect(said.stderr).toContain(why);
  expect(said.stderr.includes("Try 'sluice mark --help'.")).toBe(exitCode === 2);
  expect(rules()).toHaveLength(1);
});

test("helps, also without a daemon, which it misses otherwise", async () => {
  const nowhere = `${bench.socketPath}.none`;
  for (const line of ["--help", "help", "add -h"]) {
    expect(await mark(line, nowhere)).toEqual({ exitCode: 0, stdout: MARK_HELP, stderr: "" });
  }
  expect(await mark("list", nowhere)).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `sluice mark: Nothing answers on ${nowhere}: start Sluice with 'sluice daemon', or set SLUICE_SOCKET to its socket.\n`,
  });
});
