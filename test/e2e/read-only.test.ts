/** The file system of the state becomes read-only under load, as ext4 does it after an error, and is mounted anew. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Status } from "../../src/api/messages.ts";
import { DaemonHome } from "./daemon.ts";
import { Network, R1, R2, V } from "./network.ts";

let network: Network;
let home: DaemonHome;

beforeEach(() => {
  network = new Network();
  home = new DaemonHome();
});

afterEach(() => {
  network[Symbol.dispose]();
  spawnSync("umount", ["--lazy", folder()], { stdio: "ignore" });
  home[Symbol.dispose]();
});

const folder = (): string => join(home.directory, "state");
const image = (): string => join(home.directory, "image");
const run = (command: string): string => {
  const [program, ...words] = command.split(" ");
  return execFileSync(program!, words, { encoding: "utf8", stdio: "pipe" }).trim();
};

function mount(): void {
  run(`mount -o loop,errors=remount-ro ${image()} ${folder()}`);
}

/** Whether this host lets an ext4 be made, mounted and broken. */
function canBreak(): boolean {
  mkdirSync(folder());
  run(`truncate -s 8M ${image()}`);
  try {
    run(`mkfs.ext4 -q ${image()}`);
    mount();
    return true;
  } catch {
    return false;
  }
}

function breakIt(): void {
  const device = run(`findmnt -no SOURCE ${folder()}`).replace("/dev/", "");
  writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, "1");
}

test("what was acknowledged is kept, what cannot be kept is refused whole, and that is over by itself", async (context) => {
  if (!canBreak()) {
    context.skip("no ext4 can be mounted here");
    return;
  }
  const state = ["--state", join(folder(), "state.json")];
  await network.speak(network.server, 80);
  const first = await home.start(network.director, ...state, "--grace", "60");
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`, `-a -t ${V}:80 -r ${R2} -m`);
  await using connection = await network.talk(80);

  const acknowledged: string[] = [`${V}:80`];
  const add = (port: number): boolean => {
    const { code, stderr } = home.ipvsadm(`-A -t 10.0.0.1:${port} -s rr`);
    if (code === 0) acknowledged.push(`10.0.0.1:${port}`);
    else expect(stderr).toContain("Nothing was changed, for it could not be kept in");
    return code === 0;
  };
  // Under load: others are in the middle of changing something.
  const load = network.director.startNode(
    "--input-type=module",
    "-e",
    `import { request } from "node:http";
     for (let port = 1; ; port = port % 200 + 1)
       for (const method of ["POST", "DELETE"])
         await new Promise((resolve) => request({ socketPath: ${JSON.stringify(home.socket)}, method, path: method === "POST" ? "/v1/services" : "/v1/services/udp:10.0.0.1:" + port, headers: { "content-type": "application/json" } }, (reply) => reply.resume().on("end", resolve)).end(method === "POST" ? JSON.stringify({ key: { kind: "endpoint", protocol: "udp", endpoint: { address: "10.0.0.1", port } }, scheduler: "rr", schedulerFlags: [], onePacket: false, persistence: null, persistenceEngine: null }) : ""));`,
  );
  expect([add(1), add(2), add(3)]).toEqual([true, true, true]);
  breakIt();
  await expect.poll(() => add(4)).toBe(false);
  expect(add(5)).toBe(false);
  // A whole file and the end of a server, too.
  writeFileSync(home.configuration, `services: [{vip: ${V}, port: 80, scheduler: wlc}]\n`);
  expect(home.sluice(`apply ${home.configuration}`).code).toBe(1);
  expect(home.ipvsadm(`-d -t ${V}:80 -r ${R1}`).code).not.toBe(0);
  expect(await connection.say("still here")).toBe("still here");
  load.kill("SIGKILL");

  const inForce = home.ipvsadm("-S -n").stdout;
  for (const each of acknowledged) expect(inForce).toContain(`-A -t ${each} -s rr`);
  expect(inForce).not.toContain("10.0.0.1:5 ");
  expect(inForce).toContain(`-a -t ${V}:80 -r ${R1}:80 -m -w 1`);
  const told = (text: string): number =>
    first.messages.filter((message) => message.includes(text)).length;
  await expect.poll(() => told("Changes are refused as long as")).toBe(1);
  const { code, stdout } = home.sluice("status --json");
  expect([code, (JSON.parse(stdout) as Status).stateTrouble]).toEqual([
    3,
    expect.stringContaining("EROFS"),
  ]);

  // Another disk with what was on it takes its place, at the mounts of `ip netns exec`, too, which may be its own.
  run(`cp ${image()} ${image()}.mended`);
  spawnSync("sh", ["-c", `fsck.ext4 -y ${image()}.mended`], { stdio: "ignore" });
  const there = ["nsenter", "--mount", "--target", String(first.pid)];
  for (const where of [[], there]) {
    const change = `while umount --lazy ${folder()}; do :; done; mount -o loop ${image()}.mended ${folder()}`;
    execFileSync("env", [...where, "sh", "-c", change], { stdio: "ignore" });
  }
  expect(add(6)).toBe(true);
  await expect.poll(() => told("Changes are kept again")).toBe(1);
  const before = home.ipvsadm("-S -n").stdout;
  await first.end("SIGKILL");
  await home.start(network.director, ...state);
  expect(home.ipvsadm("-S -n").stdout).toBe(before);
  expect(await connection.say("still here")).toBe("still here");
});
