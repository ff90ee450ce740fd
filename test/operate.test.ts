/** The commands of operators over an API without packets. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run as apply } from "../src/cli/configuration/apply.ts";
import { run as connections } from "../src/cli/connections/main.ts";
import { run as drain } from "../src/cli/drain/main.ts";
import { run as history } from "../src/cli/history/main.ts";
import { run as rollback } from "../src/cli/history/rollback.ts";
import type { Around, ExitCode } from "../src/cli/question.ts";
import { run as remove } from "../src/cli/services/delete.ts";
import { run as describe } from "../src/cli/services/describe.ts";
import { run as edit } from "../src/cli/services/edit.ts";
import { run as get } from "../src/cli/services/get.ts";
import { run as undrain } from "../src/cli/undrain/main.ts";
import { type ApiBench, openApiBench } from "./api-bench.ts";
import { ipvsadm } from "./ipvsadm-bench.ts";

let bench: ApiBench;
let folder: string;
let file: string;

beforeEach(async () => {
  bench = await openApiBench();
  folder = mkdtempSync(join(tmpdir(), "sluice-operate-"));
  file = join(folder, "sluice.yaml");
  writeFileSync(
    file,
    `services:
  - {name: web, vip: 10.0.0.1, port: 80, destinations: [{address: 10.0.0.2}, {address: 10.0.0.3, weight: 5}]}
  - {name: dns, protocol: udp, vip: 10.0.0.1, port: 53, destinations: [{address: 10.0.0.2}]}
`,
  );
  await perform(apply, file);
});
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

type Command = (args: readonly string[], around: Around) => Promise<ExitCode>;

/** What a command said, on whatever stream, before its exit code. */
async function perform(command: Command, ...args: string[]): Promise<string> {
  return performWith({}, command, ...args);
}

async function performWith(
  environment: Record<string, string>,
  command: Command,
  ...args: string[]
): Promise<string> {
  let said = "";
  const exitCode = await command(args, {
    environment: { ...environment, SLUICE_SOCKET: bench.socketPath },
    write: async (text) => {
      said += text;
    },
    complain: (text) => {
      said += text;
    },
  });
  return `${said}${exitCode}`;
}

test("services and servers are told by id or by the file's name", async () => {
  expect(await perform(get)).toBe(
    `SERVICE          NAME  SCHEDULER  SERVERS  ACTIVE  INACTIVE
tcp:10.0.0.1:80  web   wlc        2        0       0
udp:10.0.0.1:53  dns   wlc        1        0       0
0`,
  );
  expect(await perform(get, "--yaml", "web")).toBe(`services:
  - name: web
    protocol: tcp
    vip: 10.0.0.1
    port: 80
    scheduler: wlc
    destinations:
      - address: 10.0.0.2
        forwarding: route
        weight: 1
      - address: 10.0.0.3
        forwarding: route
        weight: 5
0`);
  expect(await perform(describe, "10.0.0.2")).toContain("udp:10.0.0.1:53 -> 10.0.0.2:53\n");
  expect(await perform(describe, "web")).toContain(
    "Traffic: 0 connections; in 0 packets, 0 bytes; out 0 packets, 0 bytes\nA second: 0 connections; in 0",
  );
  expect(await perform(get, "--yaml", "10.0.0.1:80")).toBe(await perform(get, "--yaml", "web"));
  expect(await perform(get, "mail")).toContain(
    "mail: there is no such service: there are tcp:10.0.0.1:80 (web), udp:10.0.0.1:53 (dns)\n",
  );
  expect(await perform(get, "wbe")).toContain("wbe: there is no such service, did you mean web?\n");
  expect(await perform(remove, "10.0.0.2")).toContain(
    "10.0.0.2: there is no such service: it is a server's address, which is named as tcp:10.0.0.1:80/10.0.0.2\n",
  );
  expect(await perform(describe, "10.0.0.9")).toContain("10.0.0.9: no service has such a server");
});

test("all servers of an address are drained and undrained", async () => {
  expect(await perform(drain, "10.0.0.2", "--then", "remove")).toMatch(
    /^tcp:10\.0\.0\.1:80 -> 10\.0\.0\.2:80 {2}drained for 0s, \S+ ?\S* left at most, then it goes\n.*\nudp:.*\n.*\n0$/,
  );
  expect((await perform(drain, "--json")).replace(/\n\d$/, "")).toContain('"afterwards": "remove"');
  expect(await perform(undrain, "web/10.0.0.2")).toBe(
    "tcp:10.0.0.1:80 -> 10.0.0.2:80: weight 1 again\n0",
  );
  expect(await perform(undrain, "web/10.0.0.2")).toBe(
    "sluice undrain: web/10.0.0.2 is not drained\n1",
  );
});

// biome-ignore format: a table
const mistakes: [why: string, command: Command, args: string[], says: string][] = [
  ["a time that is none", drain, ["10.0.0.2", "--timeout", "soon"], "--timeout soon: expected such as 90s"],
  ["a server that is none", drain, ["10.0.0.9"], "10.0.0.9: no service has such a server"],
  ["what shall become of it", drain, ["10.0.0.2", "--then", "go"], "--then go: expected keep or remove"],
  ["an end without a time", drain, ["10.0.0.2", "--force", "--timeout", "none"], "--timeout none has none"],
  ["a term that is none", connections, ["colour=red"], "colour=red: expected one of client="],
  ["a value that is none", connections, ["state=ESTAB!"], "state: expected a state's name"],
  ["every connection, by accident", connections, ["--kill"], "--kill: expected which"],
  ["a grouping that is none", connections, ["--by", "age"], "--by age: expected one of client"],
  ["a generation that is none", rollback, ["yesterday"], "yesterday: expected a generation's number"],
  ["a generation to come", rollback, ["9"], "There is no generation 9 to go back to: those from 0 to 1 are known"],
  ["so many of a history", history, ["-n", "0"], "-n 0: expected a whole number above 0"],
];

test.for(mistakes)("refuses %s", async ([, command, args, says]) => {
  const said = await perform(command, ...args);
  expect(said).toContain(says);
  expect(said).toMatch(/[12]$/);
  expect(bench.engine.ended).toEqual([]);
});

test("connections are ended by a filter", async () => {
  expect(
    await perform(connections, "--kill", "client=10.9.0.0/16", "service=web", "older=5m"),
  ).toBe("Ended 0: 0 with a reset to both sides, 0 without.\n0");
  expect(bench.engine.ended).toMatchObject([
    { client: { length: 16 }, olderThanMs: 300_000, service: { protocol: "tcp" } },
  ]);
});

test("a server or a service is deleted, and brought back", async () => {
  bench.engine.activeConnections = 3;
  expect(await perform(remove, "--dry-run", "dns")).toBe(
    "- udp:10.0.0.1:53  (would drop the packets of 3 connections)\n0",
  );
  expect(await perform(remove, "web/10.0.0.3")).toContain("- tcp:10.0.0.1:80 -> 10.0.0.3:80");
  expect(await perform(remove, "dns")).toContain("- udp:10.0.0.1:53");
  expect(await perform(rollback, "--dry-run", "1")).toContain(
    "To add 3, to change 0, to remove 0.",
  );
  expect(await perform(rollback, "1")).toContain("Added 3, changed 0, removed 0.");
  expect(await perform(rollback)).toContain("Added 0, changed 0, removed 2.");
});

test("an edit is checked, put in force, and refused when somebody else was there meanwhile", async () => {
  const sed = (script: string) => ({ EDITOR: `sed -i -e '${script}'` });
  expect(await performWith(sed("s/weight: 5/weight: 9/"), edit, "--dry-run", "web")).toBe(
    "~ tcp:10.0.0.1:80 -> 10.0.0.3:80  weight 5 → 9\nTo add 0, to change 1, to remove 0.\n0",
  );
  expect(await performWith(sed("s/weight: 5/weight: 9/"), edit, "web")).toBe(
    "~ tcp:10.0.0.1:80 -> 10.0.0.3:80  weight 5 → 9\nAdded 0, changed 1, removed 0.\n0",
  );
  expect(await performWith({ EDITOR: "true" }, edit, "web")).toBe("Nothing was edited.\n0");
  const wrong = await performWith(sed("s/weight: 9/weight: many/"), edit);
  expect(wrong).toContain('weight: expected an integer from 0 to 65535, got "many"');
  const kept = /the text is in (\S+)/.exec(wrong)![1]!;
  expect(readFileSync(kept, "utf8")).toContain("weight: many");
  rmSync(join(kept, ".."), { recursive: true });

  // The editor waits for a file that another hand makes.
  const flag = join(folder, "flag");
  const slow = {
    EDITOR: `sh -c 'sed -i s/9/7/ "$0"; touch ${flag}; while [ -e ${flag} ]; do sleep 0.05; done'`,
  };
  const editing = performWith(slow, edit, "web");
  await expect.poll(() => readOrNothing(flag), { timeout: 10_000 }).toBe("");
  await ipvsadm(bench.socketPath, "-A -t 10.0.0.8:80");
  rmSync(flag);
  const refused = await editing;
  expect(refused).toContain("Somebody else changed something meanwhile");
  rmSync(join(/the text is in (\S+)/.exec(refused)![1]!, ".."), { recursive: true });
  expect(await perform(get, "--yaml", "web")).toContain("weight: 9");
});

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
