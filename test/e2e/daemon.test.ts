/** How the daemon starts, refuses to, keeps its state, and ends. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Namespace } from "../userspace/namespaces.ts";
import { DaemonHome } from "./daemon.ts";

const NOBODY = "65534";

let host: Namespace;
let home: DaemonHome;

beforeEach(() => {
  host = new Namespace("host");
  home = new DaemonHome();
});

afterEach(() => {
  host[Symbol.dispose]();
  home[Symbol.dispose]();
});

/** How a daemon that does not get far ends, and what it says to a person. */
async function ending(child: ChildProcessWithoutNullStreams): Promise<[number | null, string]> {
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  child.stdout.resume();
  const [code] = (await once(child, "close")) as [number | null];
  return [code, complaint];
}

// biome-ignore format: a table
const mistakes: [options: string, complaint: string][] = [
  ["--bogus",              "Unknown option '--bogus'"],
  ["--connections 0",      "--connections 0: expected a whole number from 1 to 16777216"],
  ["--connections many",   "--connections many: expected a whole number"],
  ["--log-level loud",     "--log-level loud: expected one of trace, debug"],
  ["--no-state",           "--state and --no-state exclude each other"],
  ["word",                 "Unexpected argument 'word'"],
];

test.for(mistakes)("sluice daemon %s is refused", async ([options, complaint]) => {
  const [code, said] = await ending(home.launch(host, ...options.split(" ")));
  expect(code).toBe(2);
  expect(said).toContain(complaint);
  expect(said).toContain("Try 'sluice daemon --help'.");
});

test("a socket that another daemon answers on is refused, and the other one goes on", async () => {
  await home.start(host);
  using elsewhere = new Namespace("elsewhere");
  const [code, said] = await ending(home.launch(elsewhere));
  expect(code).toBe(1);
  expect(said).toContain(`Cannot listen on ${home.socket}: a daemon already answers there`);
  expect(home.ipvsadm("-L").code).toBe(0);
});

// biome-ignore format: a table
const spoilt: [what: string, text: string, complaint: string][] = [
  ["is cut off",          '{ "format": 1, "ti',                    "JSON"],
  ["is of another kind",  '{ "services": [] }',                    "format"],
  ["asks for too much",   '{ "format": 1, "timeouts": { "tcp": 1, "tcpFin": 1, "udp": 1 }, "services": [{}] }', "services"],
];

test.for(spoilt)("a state file that %s stops the daemon", async ([, text, complaint]) => {
  writeFileSync(home.state, text);
  const [code, said] = await ending(home.launch(host));
  expect(code).toBe(1);
  expect(said).toContain(`Cannot use the saved state in ${home.state}: `);
  expect(said).toContain(complaint);
  expect(said).toContain("Repair the file, or move it away");
  expect(readFileSync(home.state, "utf8")).toBe(text);
  expect(host.run("nft list tables")).toBe("");
  expect(host.run("ip -br link")).not.toContain("sluice");
});

test("a user without privileges is told what is missing", async () => {
  const [code, said] = await ending(home.launchAs(host, NOBODY));
  expect(code).toBe(1);
  expect(said).toMatch(/^sluice daemon: .*CAP_NET_ADMIN/m);
});

test("the socket is for the daemon's user and group, the state file for the user", async () => {
  const daemon = await home.start(host);
  home.configure("-A -t 10.0.0.1:80");
  expect(statSync(home.socket).mode & 0o777).toBe(0o660);
  expect(statSync(home.state).mode & 0o777).toBe(0o600);
  expect(await daemon.end("SIGINT")).toBe(0);
  expect(existsSync(home.socket)).toBe(false);
});

test("a command that cannot be saved is not done", async () => {
  await home.start(host);
  home.configure("-A -t 10.0.0.1:80 -s rr");
  mkdirSync(`${home.state}.next`);
  const { code, stderr } = home.ipvsadm("-A -t 10.0.0.1:81 -s rr");
  expect(code).toBe(255);
  expect(stderr).toContain("EISDIR");
  expect(home.ipvsadm("-Sn").stdout).toBe("-A -t 10.0.0.1:80 -s rr\n");
  rmdirSync(`${home.state}.next`);
  home.configure("-A -t 10.0.0.1:81 -s rr");
});

test("what was acknowledged survives SIGKILL and a restart, whole", async () => {
  const daemon = await home.start(host);
  home.configure("--set 100 0 50");
  const acknowledged: string[] = [];
  const asked = Array.from({ length: 500 }, (_, index) => index + 1);
  const calls = asked.map(async (port) => {
    await daemon.addService(port);
    acknowledged.push(`-A -t 10.0.0.1:${port} -s rr`);
  });
  const settled = Promise.allSettled(calls);
  await expect.poll(() => acknowledged.length, { interval: 1 }).toBeGreaterThan(10);
  expect(await daemon.end("SIGKILL")).toBe(null);
  await settled;
  expect(acknowledged.length).toBeLessThan(asked.length);
  await home.start(host);
  const saved = home.ipvsadm("-Sn").stdout.split("\n").filter(Boolean);
  expect(saved).toEqual(expect.arrayContaining(acknowledged));
  // The one that was being saved may have made it; it is there whole, or not at all.
  expect(saved.length - acknowledged.length).toBeLessThanOrEqual(1);
  expect(saved.every((line) => /^-A -t 10\.0\.0\.1:\d+ -s rr$/.test(line))).toBe(true);
  expect(home.ipvsadm("-L --timeout").stdout).toBe("Timeout (tcp tcpfin udp): 100 120 50\n");
});
