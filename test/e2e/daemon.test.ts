/** How the daemon starts, refuses to, keeps its state, and ends. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StateFile } from "../../src/control/state-file.ts";
import { Namespace, untilPrinted } from "../userspace/namespaces.ts";
import { DaemonHome } from "./daemon.ts";

const NOBODY = "65534";
/** Anybody's but root's. */
const GROUP = 54_321;

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

/** How a daemon that does not get far ends, what it says to a person, and its log. */
async function ending(
  child: ChildProcessWithoutNullStreams,
): Promise<[number | null, string, string]> {
  let complaint = "";
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  child.stdout.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return [code, complaint, log];
}

/** An operator's mistake: one sentence, and that once. */
async function refusal(child: ChildProcessWithoutNullStreams): Promise<string> {
  const [code, said, log] = await ending(child);
  expect(code).toBe(1);
  expect(log).toBe("");
  expect(said).toMatch(/^sluice daemon: [^\n]+\n$/);
  return said.slice("sluice daemon: ".length, -1);
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
  const first = await home.start(host);
  using elsewhere = new Namespace("elsewhere");
  const ownState = ["--state", `${home.state}.other`];
  expect(await refusal(home.launch(elsewhere, ...ownState))).toBe(
    `Cannot listen on ${home.socket}: a daemon already answers there (process ${first.pid}); end it first, or give this one, if it is for another network namespace, paths of its own: --socket PATH --state PATH`,
  );
  expect(home.ipvsadm("-L").code).toBe(0);
});

test("what is commanded while the daemon starts waits for it, and has what was saved", async () => {
  const first = await home.start(host);
  home.configure("-A -t 10.0.0.1:80 -s rr");
  expect(await first.end("SIGTERM")).toBe(0);
  const child = home.launch(host);
  let hasSaid = false;
  child.stdout.once("data", () => {
    hasSaid = true;
  });
  await expect.poll(() => existsSync(home.socket), { interval: 1, timeout: 10_000 }).toBe(true);
  expect(hasSaid).toBe(false);
  expect(home.ipvsadm("-Sn")).toEqual({ code: 0, stdout: "-A -t 10.0.0.1:80 -s rr\n", stderr: "" });
});

test("a state file that another daemon uses is refused, and nothing of it is touched", async () => {
  const first = await home.start(host);
  home.configure("-A -t 10.0.0.1:80 -s rr");
  using elsewhere = new Namespace("elsewhere");
  const ownSocket = ["--socket", `${home.socket}.other`];
  expect(await refusal(home.launch(elsewhere, ...ownSocket))).toBe(
    `--state ${home.state} is in use by the daemon with process id ${first.pid}: end it first, or give this one a file of its own: --state PATH`,
  );
  expect(await first.end("SIGKILL")).toBe(null);
  const second = await home.start(host);
  expect(home.ipvsadm("-Sn").stdout).toBe("-A -t 10.0.0.1:80 -s rr\n");
  expect(await second.end("SIGTERM")).toBe(0);
});

test("SIGHUP puts an edited state file in force; one that cannot be used changes nothing", async () => {
  let daemon = await home.start(host);
  home.configure("-A -t 10.0.0.1:80 -s rr", "-A -t 10.0.0.1:81 -s rr");
  expect(await daemon.end("SIGTERM")).toBe(0);
  daemon = await home.start(host);
  const text = readFileSync(home.state, "utf8").replace(/ {2}"crc32".*\n/, "");
  writeFileSync(home.state, text.replace('"port":80', '"port":99999'));
  daemon.signal("SIGHUP");
  await expect
    .poll(() => daemon.messages.join(), { timeout: 10_000 })
    .toContain("the state file is not used");
  writeFileSync(home.state, text.replace('"port":80', '"port":82'));
  daemon.signal("SIGHUP");
  await expect
    .poll(() => daemon.messages.join(), { timeout: 10_000 })
    .toContain("the state file is in force");
  const lines = "-A -t 10.0.0.1:81 -s rr\n-A -t 10.0.0.1:82 -s rr\n";
  expect(home.ipvsadm("-Sn").stdout).toBe(lines);
  expect(await daemon.end("SIGKILL")).toBe(null);
  await home.start(host);
  expect(home.ipvsadm("-Sn").stdout).toBe(lines);
});

// biome-ignore format: a table
const spoilt: [what: string, text: string, complaint: string][] = [
  ["is cut off",          '{ "format": 1, "ti',                    "JSON"],
  ["is of another kind",  '{ "services": [] }',                    "format"],
  ["asks for too much",   '{ "format": 1, "timeouts": { "tcp": 1, "tcpFin": 1, "udp": 1 }, "services": [{}] }', "services"],
];

test.for(spoilt)("a state file that %s stops the daemon", async ([, text, complaint]) => {
  writeFileSync(home.state, text);
  const said = await refusal(home.launch(host));
  expect(said).toContain(`Cannot use the saved state in ${home.state}: `);
  expect(said).toContain(complaint);
  expect(said).toContain("Repair the file, or move it away");
  expect(readFileSync(home.state, "utf8")).toBe(text);
  expect(host.run("nft list tables")).toBe("");
  expect(host.run("ip -br link")).not.toContain("sluice");
});

test("a user without privileges is told what is missing", async () => {
  expect(await refusal(home.launchAs(host, NOBODY))).toBe(
    "This user lacks CAP_NET_ADMIN and CAP_NET_RAW: run it as root (sudo), or in a user and network namespace of its own (unshare -rn)",
  );
});

test("without nft the daemon says what to install", async () => {
  const hide = 'mount -t tmpfs none /usr/sbin && exec "$@"';
  const child = home.launchBy(host, `exec unshare -m sh -c '${hide}' sh "$@"`);
  expect(await refusal(child)).toBe("Cannot take packets: nft was not found: install nftables");
});

test("a state that is a folder is refused", async () => {
  mkdirSync(home.state);
  expect(await refusal(home.launch(host))).toBe(
    `--state ${home.state} is a directory: name a file, such as ${home.state}/state.json`,
  );
});

test("a folder of other people's is not made", async () => {
  const missing = `${home.state}.folder/below`;
  const socket = await refusal(home.launch(host, "--socket", `${missing}/sock`));
  expect(socket).toBe(
    `--socket ${missing}/sock: there is no folder ${missing}: make it, or choose another place`,
  );
  const state = await refusal(home.launch(host, "--state", `${missing}/state.json`));
  expect(state).toBe(
    `--state ${missing}/state.json: there is no folder ${missing}: make it, or choose another place`,
  );
  expect(existsSync(`${home.state}.folder`)).toBe(false);
});

// biome-ignore format: a table
const lying: [what: string, make: (path: string) => void][] = [
  ["a file",                        (path) => writeFileSync(path, "precious")],
  ["a symbolic link",               (path) => symlinkSync("/etc/hostname", path)],
  ["a folder",                      (path) => mkdirSync(path)],
];

test.for(lying)(
  "%s where the socket shall be stays, and stops the daemon",
  async ([what, make]) => {
    make(home.socket);
    const before = lstatSync(home.socket).ino;
    expect(await refusal(home.launch(host))).toBe(
      `--socket ${home.socket}: there is ${what}, which stays: choose another path, or remove it yourself`,
    );
    expect(lstatSync(home.socket).ino).toBe(before);
  },
);

test("a dead daemon's socket is taken over", async () => {
  const killed = await home.start(host);
  expect(await killed.end("SIGKILL")).toBe(null);
  expect(existsSync(home.socket)).toBe(true);
  await home.start(host);
  expect(home.ipvsadm("-L").code).toBe(0);
});

test("root and the socket's group command; the group root is nobody's, and help is refused alike", async () => {
  await home.start(host);
  const denied = {
    code: 2,
    stdout: "",
    stderr: `Can't initialize ipvs: Permission denied (you must be root)
Are you sure that IP Virtual Server is built in the kernel or as module?
Only root, the daemon's own user and members of the group of ${home.socket} (the group root does not count) may ask the daemon.
`,
  };
  expect(home.ipvsadmAs(NOBODY, ["0"], "-A -t 10.0.0.1:80")).toEqual(denied);
  expect(home.ipvsadmAs(NOBODY, [NOBODY, "0"], "-h")).toEqual(denied);
  expect(home.ipvsadmAs(NOBODY, [NOBODY], "-v").stderr).toContain(
    "Permission denied (you must be root)",
  );
  chownSync(home.socket, 0, GROUP);
  expect(home.ipvsadmAs(NOBODY, [NOBODY, `${GROUP}`], "-A -t 10.0.0.1:80").code).toBe(0);
  expect(home.ipvsadmAs(NOBODY, [`${GROUP}`], "-D -t 10.0.0.1:80").code).toBe(0);
});

test("--socket-group gives the socket to a group", async () => {
  const child = home.launch(host, "--socket-group", `${GROUP}`);
  await expect.poll(() => home.ipvsadm("-L").code, { timeout: 20_000 }).toBe(0);
  expect(home.ipvsadmAs(NOBODY, [NOBODY, `${GROUP}`], "-A -t 10.0.0.1:80").code).toBe(0);
  child.kill("SIGTERM");
  await once(child, "exit");
  expect(await refusal(home.launch(host, "--socket-group", "root"))).toBe(
    "--socket-group: the group root does not count: name another",
  );
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
  mkdirSync(`${home.state}.next`);
  const { code, stderr } = home.ipvsadm("-A -t 10.0.0.1:81 -s rr");
  expect(code).toBe(255);
  expect(stderr).toContain("EISDIR");
  expect(home.ipvsadm("-Sn").stdout).toBe("");
  rmdirSync(`${home.state}.next`);
  home.configure("-A -t 10.0.0.1:81 -s rr");
});

test("a command for which the disk has no room is not done, and those before it stay", async () => {
  const folder = `${home.state}.disk`;
  mkdirSync(folder);
  const small = `mount -t tmpfs -o size=64k none ${folder} && exec "$@" --state ${folder}/state.json`;
  const child = home.launchBy(host, `exec unshare -m sh -c '${small}' sh "$@"`);
  await untilPrinted(child, "the director runs");
  home.configure("-A -t 10.0.0.1:80 -s rr");
  const seen = `/proc/${child.pid}/root${folder}`;
  for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
    try {
      writeFileSync(`${seen}/fill${size}`, Buffer.alloc(size));
    } catch {
      // What does not fit is tried smaller.
    }
  }
  // The journal's last block has some room still.
  const more = Array.from({ length: 60 }, (_, index) => `-A -u 10.0.0.1:${index + 1} -s rr`);
  for (const line of more) if (home.ipvsadm(line).code !== 0) break;
  const services = home.ipvsadm("-Sn").stdout;
  expect(services.split("\n").length).toBeLessThan(more.length);
  await using file = new StateFile(`${seen}/state.json`, () => {});
  const { services: saved } = await file.load();
  expect(services.split("\n")).toHaveLength(saved.size + 1);
  for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
    rmSync(`${seen}/fill${size}`, { force: true });
  }
  home.configure("-A -t 10.0.0.1:81 -s rr");
  child.kill("SIGTERM");
  await once(child, "exit");
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
  // Those that were being saved may have made it: together, since they were one line of the journal.
  expect(saved.every((line) => /^-A -t 10\.0\.0\.1:\d+ -s rr$/.test(line))).toBe(true);
  expect(home.ipvsadm("-L --timeout").stdout).toBe("Timeout (tcp tcpfin udp): 100 120 50\n");
});
