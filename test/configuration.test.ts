/** `sluice check`, `plan`, `apply` and `export`, against an API of their own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { run as apply } from "../src/cli/configuration/apply.ts";
import { run as check } from "../src/cli/configuration/check.ts";
import { run as exportAll } from "../src/cli/configuration/export.ts";
import { run as plan } from "../src/cli/configuration/plan.ts";
import type { Around } from "../src/cli/question.ts";
import { type ApiBench, openApiBench } from "./api-bench.ts";
import { ipvsadm } from "./ipvsadm-bench.ts";

let bench: ApiBench;
let folder: string;
let file: string;
beforeEach(async () => {
  bench = await openApiBench();
  folder = await mkdtemp(join(tmpdir(), "sluice-cli-"));
  file = join(folder, "sluice.yaml");
});
afterEach(async () => {
  expect(bench.bugs).toEqual([]);
  await bench[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const COMMANDS = { check, plan, apply, export: exportAll };

type Command = (args: readonly string[], around: Around) => Promise<number>;

/** As in a shell: exit code and what was printed. */
async function perform(command: Command, ...words: string[]) {
  let stdout = "";
  let stderr = "";
  const code = await command(words, {
    environment: { SLUICE_SOCKET: bench.socketPath },
    write: async (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr: stderr.replaceAll(`${folder}/`, "") };
}

const WEB = `services:
  - name: web
    vip: 192.0.2.10
    port: 80
    destinations:
      - {address: 192.0.2.21, forwarding: masquerade}
      - {address: 192.0.2.22, forwarding: masquerade, weight: 5}
`;

describe("check", () => {
  test("a file that is right", async () => {
    await writeFile(file, WEB);
    expect(await perform(check, file)).toEqual({
      code: 0,
      stdout: `${file} is right: 1 service, 2 destinations.\n`,
      stderr: "",
    });
    expect(JSON.parse((await perform(check, "--json", file)).stdout)).toEqual({ problems: [] });
  });

  test("all that is wrong, a line each", async () => {
    await writeFile(file, WEB.replace("port", "prot").replace("5", "ten"));
    expect(await perform(check, file)).toEqual({
      code: 1,
      stdout: "",
      stderr: `sluice.yaml:4:5: services[0].prot: unknown key, did you mean "port"?
sluice.yaml:7:63: services[0].destinations[1].weight: expected an integer from 0 to 65535, got "ten"
`,
    });
    const { stdout } = await perform(check, "--json", file);
    expect(JSON.parse(stdout).problems).toHaveLength(2);
    expect(JSON.parse(stdout).problems[1]).toEqual({
      file,
      line: 7,
      column: 63,
      path: "services[0].destinations[1].weight",
      message: 'expected an integer from 0 to 65535, got "ten"',
    });
  });

  test("what a file wants, as the API takes it", async () => {
    await writeFile(file, WEB);
    const { stdout } = await perform(check, "--lines", file);
    const [settings, ...services] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    await bench.client.configure("apply", { settings, services });
    expect((await perform(plan, file)).stdout).toBe("Nothing would change.\n");
  });

  // biome-ignore format: a table
  const usages: [command: keyof typeof COMMANDS, words: string[], code: number, complaint: string][] = [
    ["check",     [],                 2, "sluice check: expected a file such as sluice.yaml\nTry 'sluice check --help'.\n"],
    ["check",     ["a", "b"],         2, "expected one file, got a b"],
    ["check",     ["--jsno", "a"],    2, "Unknown option '--jsno'"],
    ["plan",      [],                 1, "sluice plan: expected a file such as sluice.yaml\n"],
    ["plan",      ["--dry-run", "a"], 1, "Unknown option '--dry-run'"],
    ["apply",     [],                 2, "sluice apply: expected a file such as sluice.yaml\n"],
    ["apply",     ["none.yaml"],      1, "none.yaml: cannot read none.yaml: there is no such file\n"],
    ["export", ["file"],           2, "Unexpected argument 'file'"],
  ];

  test.for(usages)("sluice %s %j is refused", async ([command, words, code, complaint]) => {
    const answer = await perform(COMMANDS[command], ...words);
    expect(answer.code).toBe(code);
    expect(answer.stderr).toContain(complaint);
  });

  test("each has its help", async () => {
    for (const command of Object.values(COMMANDS)) {
      const { code, stdout } = await perform(command, "--help");
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: sluice /);
    }
  });
});

describe("plan and apply", () => {
  test("what is in the file comes, what is not goes, and then nothing would change", async () => {
    await ipvsadm(bench.socketPath, "-A -u 192.0.2.10:53 -s rr");
    await writeFile(file, `${WEB}timeouts: {udp: 30}\nsysctls: {sloppy_tcp: 1}\n`);
    const rows = `~ timeouts  udp 300 → 30
~ sysctls  sloppy_tcp 0 → 1
- udp:192.0.2.10:53
+ tcp:192.0.2.10:80 (web)  scheduler wlc
+ tcp:192.0.2.10:80 (web) -> 192.0.2.21:80  forwarding masquerade, weight 1
+ tcp:192.0.2.10:80 (web) -> 192.0.2.22:80  forwarding masquerade, weight 5
`;
    const planned = `${rows}To add 3, to change 2, to remove 1.\n`;
    const before = bench.control.state;
    expect(await perform(plan, file)).toEqual({ code: 2, stdout: planned, stderr: "" });
    expect(await perform(apply, "--dry-run", file)).toEqual({
      code: 0,
      stdout: planned,
      stderr: "",
    });
    expect(bench.control.state).toBe(before);
    expect(await perform(apply, file)).toEqual({
      code: 0,
      stdout: `${rows}Added 3, changed 2, removed 1.\n`,
      stderr: "",
    });
    expect(bench.engine.desired).toBe(bench.control.state);
    expect(await perform(plan, file)).toEqual({
      code: 0,
      stdout: "Nothing would change.\n",
      stderr: "",
    });
    const applied = bench.engine.applied.length;
    expect((await perform(apply, file)).stdout).toBe("Nothing changed.\n");
    expect(bench.engine.applied).toHaveLength(applied);
  });

  test("weights set by hand stay when the file does not say them", async () => {
    await writeFile(file, WEB);
    await perform(apply, file);
    for (const server of ["21", "22"]) {
      await ipvsadm(bench.socketPath, `-e -t 192.0.2.10:80 -r 192.0.2.${server}:80 -m -w 0`);
    }
    expect((await perform(plan, file)).stdout).toBe(
      "~ tcp:192.0.2.10:80 (web) -> 192.0.2.22:80  weight 0 → 5\nTo add 0, to change 1, to remove 0.\n",
    );
    await perform(apply, file);
    const [service] = bench.control.state.services.values();
    expect(service!.destinations.map(({ weight }) => weight)).toEqual([0, 5]);
  });

  test("connections that a change touches are counted", async () => {
    await writeFile(file, WEB);
    await perform(apply, file);
    bench.engine.activeConnections = 7;
    await writeFile(file, WEB.replace("vip", "scheduler: rr\n    vip").replace(/^.*\.22.*$/m, ""));
    expect((await perform(plan, file)).stdout).toBe(
      `~ tcp:192.0.2.10:80 (web)  scheduler wlc → rr  (14 connections go on)
- tcp:192.0.2.10:80 (web) -> 192.0.2.22:80  (would drop the packets of 7 connections)
To add 0, to change 1, to remove 1.
`,
    );
    const { changes } = JSON.parse((await perform(plan, "--json", file)).stdout);
    expect(changes[0]).toEqual({
      action: "change",
      what: "service",
      service: "tcp:192.0.2.10:80",
      destination: null,
      facts: [{ name: "scheduler", before: "wlc", after: "rr" }],
      connections: 14,
      name: "web",
    });
  });

  test("others stay when the file or an option says so", async () => {
    await ipvsadm(bench.socketPath, "-A -u 192.0.2.10:53 -s rr");
    await writeFile(file, WEB);
    await perform(apply, "--keep-others", file);
    expect(bench.control.state.services.size).toBe(2);
    expect((await perform(plan, file)).stdout).toContain("- udp:192.0.2.10:53\n");
    expect((await perform(plan, "--keep-others", file)).code).toBe(0);
    await writeFile(file, `others: keep\n${WEB}`);
    expect((await perform(plan, file)).code).toBe(0);
  });

  test("what the engine refuses changes nothing", async () => {
    await writeFile(file, WEB);
    const before = bench.control.state;
    bench.engine.refusal = new Error("no memory");
    const { code, stderr } = await perform(apply, file);
    expect(code).toBe(1);
    expect(stderr).toBe("sluice apply: no memory\n");
    expect(bench.control.state).toBe(before);
    expect(bench.engine.desired).toBe(before);
    expect(bench.bugs.splice(0)).toHaveLength(1);
  });

  test("a file that is wrong changes nothing", async () => {
    await writeFile(file, WEB.replace("5", "-5"));
    const before = bench.control.state;
    expect((await perform(apply, file)).code).toBe(1);
    expect((await perform(plan, file)).code).toBe(1);
    expect(bench.control.state).toBe(before);
  });

  test("the API refuses lines that are wrong, whole", async () => {
    const { client } = bench;
    const settings = { timeouts: {}, sysctls: {}, keepsOthers: false };
    const service = { key: { kind: "mark", family: "inet", mark: 7 } as const, scheduler: "rr" };
    const rest = { schedulerFlags: [], onePacket: false, persistence: null };
    const good = { ...service, ...rest, persistenceEngine: null, destinations: [] };
    const before = bench.control.state;
    // biome-ignore format: a table
    const wrong: [object, object[], string][] = [
      [settings,                               [good, { ...good, scheduler: "" }],    "line 3: scheduler: "],
      [settings,                               [good, good],                          "Service already exists: FWM 7"],
      [settings,                               [{ ...good, scheduler: "nosuch" }],    "Scheduler or persistence engine not found: FWM 7: nosuch"],
      [{ ...settings, sysctls: { drop: 1 } },  [good],                                "No such file or directory: net.ipv4.vs.drop"],
      [{ ...settings, timeouts: { tcp: 0 } },  [good],                                "line 1: timeouts.tcp: "],
    ];
    for (const [head, services, message] of wrong) {
      const asked = { settings: head as typeof settings, services: services as (typeof good)[] };
      for (const name of ["plan", "apply"] as const) {
        await expect(client.configure(name, asked)).rejects.toThrow(message);
      }
    }
    expect(bench.control.state).toBe(before);
  });
});

describe("export", () => {
  test("what is exported is right, and changes nothing", async () => {
    const lines = [
      "-A -t 192.0.2.10:80 -s sh -b sh-port -p 60 -M 255.255.255.0",
      "-a -t 192.0.2.10:80 -r 192.0.2.21:8080 -m -w 9 -x 10 -y 5",
      "-a -t 192.0.2.10:80 -r [2001:db8::1]:80 -i --tun-type gue --tun-port 6080 --tun-remcsum",
      "-A -f 7 -6 -s mh",
      "-A -u [2001:db8::1]:53 -s rr -o",
    ];
    for (const line of lines)
      expect(await ipvsadm(bench.socketPath, line)).toMatchObject({ stderr: "" });
    await bench.client.call("setSysctls", {}, { drop_entry: 2 });
    for (const words of [[], ["--json"]]) {
      const { code, stdout, stderr } = await perform(exportAll, ...words);
      expect([code, stderr]).toEqual([0, ""]);
      await writeFile(file, stdout);
      expect((await perform(check, file)).stdout).toContain(
        "is right: 3 services, 2 destinations.",
      );
      expect((await perform(plan, file)).stdout).toBe("Nothing would change.\n");
    }
  });

  test("what a file may not say is told", async () => {
    await ipvsadm(bench.socketPath, "-A -t 192.0.2.10:80");
    await ipvsadm(bench.socketPath, "-a -t 192.0.2.10:80 -r 192.0.2.21 -w 70000");
    const { code, stderr } = await perform(exportAll);
    expect(code).toBe(1);
    expect(stderr).toBe(
      "sluice export: the configuration: services[0].destinations[0].weight: expected an integer from 0 to 65535, got 70000\n",
    );
  });
});
