import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readCapture } from "../net/pcapng-reader.ts";
import { summarize } from "./network/taps.ts";

const CHECKOUT = resolve(import.meta.dirname, "../..");
const SLUICE = join(CHECKOUT, "bin/sluice");
/** Goes down to every process that these tests start, so that other laboratories of the machine are left alone. */
const MARK = `LAB_TEST=${randomUUID()}`;
const STATE_FILE = "/run/sluice/lab.json";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface StepReport {
  readonly step: number;
  readonly says: string;
  readonly ok: boolean;
  readonly evidence: string;
}

function start(
  file: string,
  args: readonly string[],
): ChildProcess & { readonly ended: Promise<Ended> } {
  const [name, value] = MARK.split("=") as [string, string];
  const env = { ...process.env, [name]: value };
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, "close").then(([code]): Ended => ({ code, stdout, stderr }));
  return Object.assign(child, { ended });
}

const sluice = (...args: readonly string[]): Promise<Ended> => start(SLUICE, args).ended;

/** As the user nobody, who reaches the checkout wherever it is, because it is also mounted below /mnt. */
const AS_NOBODY = `mount --bind "$0" /mnt && cd /mnt &&
  exec setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/ XDG_RUNTIME_DIR= bin/sluice "$@"`;
const sluiceAsNobody = (...args: readonly string[]): Promise<Ended> =>
  start("unshare", ["--mount", "sh", "-c", AS_NOBODY, CHECKOUT, ...args]).ended;

function reports({ stdout }: Ended): { steps: StepReport[]; summary: unknown } {
  const objects = stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  return { steps: objects.slice(0, -1) as StepReport[], summary: objects.at(-1) };
}

/** Every statement held: on a failure the report shows the evidence. */
function expectAllOk(ended: Ended, stepCount: number): void {
  expect(ended.stderr).toBe("");
  const { steps, summary } = reports(ended);
  expect(steps.filter(({ ok }) => !ok)).toEqual([]);
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: stepCount }, (_, i) => i + 1));
  expect(summary).toEqual({ summary: { passed: stepCount, failed: 0 } });
  expect(ended.code).toBe(0);
}

/** Processes that these tests' laboratories started: their command lines by process id. */
function labProcesses(): Map<number, string> {
  const found = new Map<number, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      if (!environment.includes(MARK)) continue;
      found.set(Number(pid), readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

/** What a laboratory's namespaces, cards and addresses look like. Of the machine's own things none does. */
const TRACES =
  /sluice|node0[123]|02:00:(c0:a8:96|cb:00:71|01:50:00|0d:b8:00)|192\.168\.150\.1|203\.0\.113\.1|fd00:150::|2001:db8::1/;

/** What laboratories left on the machine. */
function traces(): readonly string[] {
  const shown = [
    ["ip", "netns", "list"],
    ["ip", "-o", "link"],
    ["ip", "-o", "address"],
    ["nft", "list", "ruleset"],
  ] as const;
  return [
    ...shown
      .flatMap(([file, ...args]) => execFileSync(file, args, { encoding: "utf8" }).split("\n"))
      .filter((line) => TRACES.test(line)),
    ...[STATE_FILE, "/tmp/sluice-65534/lab.json"].filter((path) => existsSync(path)),
    ...labProcesses().values(),
  ];
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    if (condition()) return;
    await delay(20);
  }
  throw new Error(`Waited 20 s in vain: ${what}`);
}

/** A run that has come to the step that begins with `title`. */
async function runTo(title: string): Promise<ReturnType<typeof start>> {
  const lab = start(SLUICE, ["lab", "dr"]);
  let text = "";
  lab.stdout!.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  await until(() => text.includes(title), title);
  return lab;
}

beforeEach(() => expect(traces()).toEqual([]));
afterEach(() => expect(traces()).toEqual([]));

describe("sluice lab", () => {
  test("dr holds what the handbook says", async () => {
    expectAllOk(await sluice("lab", "dr", "--json"), 9);
  });

  test("makes a mistake, shows it, and mends it", async () => {
    const ended = await sluice("lab", "mistake", "weight-0", "--json");
    expect(ended.stderr).toBe("");
    const { steps, summary } = reports(ended);
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(summary).toEqual({ summary: { passed: 4, failed: 0 } });
    expect(ended.code).toBe(0);
  });

  test("asks what is wrong, and says whether that is right", async () => {
    const answers = "node02 ip -br address show lo\nweight-0\nnonsense\nvip-down\n";
    const line = `printf '${answers.replaceAll("\n", "\\n")}' | ${SLUICE} lab mistake --quiz vip-down`;
    const { code, stdout } = await start("sh", ["-c", line]).ended;
    expect(stdout).toMatch(/Every second request hangs[\s\S]*lo +UNKNOWN +127\.0\.0\.1\/8 *\n/);
    expect(stdout).toMatch(
      /✘ No\.\n[\s\S]*every new request is refused[\s\S]*'nonsense' is no mistake/,
    );
    expect(stdout).toMatch(/✔ Right\.[\s\S]*ifconfig lo:2 down[\s\S]*from 192\.168\.150\.12/);
    expect(code).toBe(0);
    const gaveUp = await start("sh", ["-c", `${SLUICE} lab mistake --quiz weight-0 </dev/null`])
      .ended;
    expect(gaveUp.code).toBe(1);
  });

  test("with a sluice.yaml dr survives a killed server and daemon, a lost VIP and a bad file", async () => {
    const file = join(CHECKOUT, "examples/web.yaml");
    try {
      expectAllOk(await sluice("lab", "dr", "--keep", "--config", file, "--json"), 8);
      const ask = ["lab", "shell", "client", "curl", "-s", "-m", "10", "http://192.168.150.100/"];
      expect((await sluice(...ask)).stdout).toMatch(/^from 192\.168\.150\.1[23]\n$/);
      // Whatever ends the daemon, it comes again.
      await sluice("lab", "shell", "node01", "pkill", "-KILL", "-f", "sluice.* daemon");
      expect((await sluice(...ask)).stdout).toMatch(/^from 192\.168\.150\.1[23]\n$/);
    } finally {
      expect(await sluice("lab", "down")).toMatchObject({ code: 0 });
    }
    await until(() => labProcesses().size === 0, "the processes' end");
  });

  test("nat holds, too", async () => {
    expectAllOk(await sluice("lab", "nat", "--json"), 9);
  });

  test("dr holds over IPv6", async () => {
    expectAllOk(await sluice("lab", "dr", "--ipv6", "--json"), 9);
  });

  test("tun holds, through every kind of tunnel", async () => {
    expectAllOk(await sluice("lab", "tun", "--json"), 17);
  });

  test.for(["wlc", "sh"])("scheduler %s", async (scheduler) => {
    expectAllOk(await sluice("lab", "--json", "--scheduler", scheduler, "--requests", "4"), 9);
  });

  test("people see the handbook's commands, and a mark for each statement", async () => {
    const { code, stdout } = await sluice("lab");
    expect(stdout).toContain("[root@node01 ~]# ipvsadm -A -t 192.168.150.100:80 -s rr\n");
    expect(stdout.match(/✔/g)?.length).toBeGreaterThan(20);
    expect(stdout).not.toContain("✘");
    expect(stdout).not.toContain("\x1b");
    expect(code).toBe(0);
  });

  // biome-ignore format: a table
  const captured = [
    [[],         ["arp-reply", "tcp", "other"]],
    [["--ipv6"], ["neighbour-solicitation", "neighbour-advertisement", "tcp", "other"]],
  ] as const;

  test.for(captured)("nat %j writes what each host sent and received", async ([words, kinds]) => {
    const directory = mkdtempSync(join(tmpdir(), "lab-captures-"));
    try {
      expectAllOk(await sluice("lab", "nat", ...words, "--json", "--pcap", directory), 9);
      for (const host of ["client", "node01", "node02", "node03"]) {
        const capture = readCapture(readFileSync(join(directory, `${host}.pcapng`)));
        if (typeof capture === "string") throw new Error(`${host}: ${capture}`);
        expect(capture.interfaces.map(({ name }) => name)).toEqual(
          host === "node01" ? ["eth0", "eth1"] : ["eth0"],
        );
        const seen = new Set(capture.packets.map(({ data }) => summarize(data)?.content.kind));
        expect(seen).toEqual(new Set(kinds));
        expect(new Set(capture.packets.map(({ direction }) => direction))).toEqual(
          new Set(["in", "out"]),
        );
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("a laboratory that is kept", () => {
  const stories = [
    ["root", sluice],
    ["nobody, in a user namespace", sluiceAsNobody],
  ] as const;

  test.for(stories)("by %s can be entered, and taken down once", async ([, run]) => {
    try {
      expectAllOk(await run("lab", "dr", "--keep", "--json"), 8);

      const shell = await run("lab", "shell", "node02", "ip", "-o", "address");
      expect(shell.stdout).toContain("192.168.150.100/32");
      const listing = await run("lab", "shell", "node01", "ipvsadm", "-ln");
      expect(listing.stdout).toContain("TCP  192.168.150.100:80 rr");
      const answer = await run("lab", "shell", "client", "curl", "-s", "http://192.168.150.100/");
      expect(answer.stdout).toMatch(/^from 192\.168\.150\.1[23]\n$/);
      expect(await run("lab", "shell", "node03", "sh", "-c", "exit 7")).toMatchObject({ code: 7 });

      const second = await run("lab", "nat");
      expect(second).toMatchObject({ code: 3, stdout: "" });
      expect(second.stderr).toContain("sluice lab down");
    } finally {
      expect(await run("lab", "down")).toMatchObject({ code: 0, stdout: "lab dr is removed.\n" });
    }
    expect(await run("lab", "down")).toMatchObject({ code: 0, stdout: "No laboratory is kept.\n" });
    expect(await run("lab", "shell", "node01")).toMatchObject({ code: 3 });
  });

  test("whose processes were killed is forgotten", async () => {
    expect(await sluice("lab", "dr", "--keep")).toMatchObject({ code: 0 });
    for (const pid of labProcesses().keys()) process.kill(pid, "SIGKILL");
    await until(() => labProcesses().size === 0, "the processes' end");
    expect(await sluice("lab", "down")).toMatchObject({ stdout: "No laboratory is kept.\n" });
  });
});

describe("without root", () => {
  test("works in a user namespace", async () => {
    expectAllOk(await sluiceAsNobody("lab", "dr", "--json"), 9);
    expectAllOk(await sluiceAsNobody("lab", "nat", "--json"), 9);
  });

  test.for(["dr", "nat"])("%s works there over IPv6", async (scenario) => {
    expectAllOk(await sluiceAsNobody("lab", scenario, "--ipv6", "--json"), 9);
  });

  test("tunnels work there, too", async () => {
    expectAllOk(await sluiceAsNobody("lab", "tun", "--ipv6", "--tunnel", "gre", "--json"), 11);
  });

  test("says what to do where the kernel grants none", async () => {
    // A user namespace that may hold no other, so that its root is as helpless as such a machine's users.
    const script = `echo 0 >/proc/sys/user/max_user_namespaces && echo 0 >/proc/sys/user/max_net_namespaces &&
      exec "$0" lab`;
    const { code, stderr } = await start("unshare", ["-Ur", "sh", "-c", script, SLUICE]).ended;
    expect(stderr).toContain("grants no network namespaces here");
    expect(code).toBe(3);
  });
});

describe("nothing remains", () => {
  // biome-ignore format: a table
  const signals = [
    ["SIGINT",  130],
    ["SIGTERM", 143],
    ["SIGHUP",  129],
  ] as const;

  test.for(signals)("after %s", async ([signal, code]) => {
    const lab = await runTo("Step 5");
    lab.kill(signal);
    expect((await lab.ended).code).toBe(code);
    expect(labProcesses().size).toBe(0);
  });

  test("after SIGKILL", async () => {
    const lab = await runTo("Step 4");
    lab.kill("SIGKILL");
    await lab.ended;
    await until(() => labProcesses().size === 0, "the processes' end");
  });

  test("after a statement failed", async () => {
    const lab = await runTo("Step 4");
    kill("@real-server 192.168.150.13");
    const { code, stdout } = await lab.ended;
    expect(stdout).toMatch(/✘ every request is answered/);
    expect(stdout).toMatch(/\d+ of \d+ statements fail/);
    expect(code).toBe(1);
  });

  test("after a failure in the middle", async () => {
    const lab = await runTo("Step 3");
    kill("lab @inside");
    const { code, stderr } = await lab.ended;
    expect(stderr).toContain("The laboratory ended early");
    expect(code).toBe(3);
  });

  test("after the reader left", async () => {
    const lab = await runTo("Step 2");
    lab.stdout!.destroy();
    await lab.ended;
    await until(() => labProcesses().size === 0, "the processes' end");
  });

  /** Ends one process of the laboratory. */
  function kill(command: string): void {
    for (const [pid, line] of labProcesses()) {
      if (line.includes(command) && !line.startsWith("unshare")) process.kill(pid, "SIGKILL");
    }
  }
});
