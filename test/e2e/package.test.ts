/** The Debian packages on a machine with systemd: installed, started, reloaded, watched, upgraded, removed, purged. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CAN_BOOT, Machine } from "./machine/machine.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const PATIENCE = { timeout: 60_000, interval: 100 };
/** Building the packages takes ten seconds where nothing else runs. */
const BUILD_MS = 240_000;

const VIP = "198.51.100.1";
const SERVER = "10.77.0.2";

/** A client outside, a server behind: masquerading needs nothing of either. */
const HOSTS = `
set -e
for host in client server; do ip netns add $host; ip -n $host link set lo up; done
ip link add outside type veth peer name eth0 netns client
ip link add inside type veth peer name eth0 netns server
ip addr add ${VIP}/24 dev outside; ip link set outside up
ip addr add 10.77.0.1/24 dev inside; ip link set inside up
ip -n client addr add 198.51.100.2/24 dev eth0; ip -n client link set eth0 up
ip -n server addr add ${SERVER}/24 dev eth0; ip -n server link set eth0 up
ip -n server route add default via 10.77.0.1
echo 1 >/proc/sys/net/ipv4/ip_forward
ip netns exec server setsid python3 -c "
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line)
class Server(socketserver.ThreadingTCPServer): allow_reuse_address = True
Server(('${SERVER}', 80), Echo).serve_forever()" >/dev/null 2>&1 </dev/null &
`;

/** One connection: a word comes back, and another one each time that somebody asks for it. */
const HOLD = `ip netns exec client setsid python3 -c "
import os, socket, time
talk = socket.create_connection(('${VIP}', 80), 50); talk.settimeout(50); number = 0
while True:
    talk.sendall(b'word\\\\n'); talk.recv(100); number += 1
    open('/run/talk.new', 'w').write(str(number)); os.rename('/run/talk.new', '/run/talk')
    while not os.path.exists('/run/more'): time.sleep(.01)
    os.remove('/run/more')" >/run/talk.log 2>&1 </dev/null &`;

const WEB = `services:
  - {name: web, vip: ${VIP}, port: 80, scheduler: rr, destinations: [{address: ${SERVER}, forwarding: masquerade}]}
`;

let machine: Machine;
let deb: string;
let ipvsadmDeb: string;
let newer: string;

beforeAll(async () => {
  if (!CAN_BOOT) return;
  machine = new Machine();
  const build = [join(ROOT, "scripts/package-deb"), "--output", machine.packages];
  execFileSync("nice", [...build, "--compression", "none"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const names = readdirSync(machine.packages);
  deb = names.find((name) => name.startsWith("sluice_"))!;
  ipvsadmDeb = names.find((name) => name.startsWith("sluice-ipvsadm_"))!;
  newer = asVersion("9.0", deb);
  await machine.boot();
  machine.must(HOSTS);
}, BUILD_MS);

afterAll(async () => {
  if (CAN_BOOT) await machine[Symbol.asyncDispose]();
});

/** The same package with another version, as an update would have. */
function asVersion(version: string, file: string): string {
  const tree = join(machine.packages, "tree");
  execFileSync("dpkg-deb", ["-R", join(machine.packages, file), tree]);
  const control = join(tree, "DEBIAN/control");
  const text = readFileSync(control, "utf8").replace(/^Version: .*$/m, `Version: ${version}`);
  writeFileSync(control, text);
  const name = `sluice-${version}.deb`;
  execFileSync("dpkg-deb", ["-Znone", "-b", tree, join(machine.packages, name)], {
    stdio: "ignore",
  });
  execFileSync("rm", ["-r", tree]);
  return name;
}

const dpkg = (words: string): string => machine.must(`dpkg --force-unsafe-io ${words}`);
const shown = (name: string): string => machine.must(`systemctl show -P ${name} sluice`).trim();
const write = (path: string, text: string): void => {
  machine.must(`cat >${path} <<'END'\n${text}END`);
};

/** A test whose failure says what the machine tells of it: what the unit logged meanwhile, and how the held connection is. */
function onMachine(name: string, work: () => void | Promise<void>): void {
  test.runIf(CAN_BOOT)(name, async () => {
    const begun = Math.floor(Date.now() / 1_000);
    try {
      await work();
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${evidence(begun)}`, { cause: error });
    }
  });
}

function evidence(begun: number): string {
  const told = [
    `journalctl -u sluice -o short-precise --no-hostname --since=@${begun}`,
    "systemctl show sluice -p ActiveState,SubState,Result,MainPID,NRestarts,StatusText",
    "ls -l /run/sluice; ip -br link; nft list tables; cat /run/talk /run/talk.log",
    "ip netns exec client ss -tnoi; ps -eo pid,etimes,stat,args | grep -e sluice -e python",
  ];
  return told.map((command) => `# ${command}\n${machine.run(command).said}`).join("\n");
}

/**
 * Restarts the unit. What kept the tables for the daemon before is ended by the next one, whatever that may do: if it lived on
 * it would remove the connections' file at its time. It is stopped, so that it does not end by itself.
 */
async function restart(): Promise<void> {
  machine.must("pkill -STOP -u sluice -f sluice-keeper");
  machine.must("systemctl daemon-reload && systemctl restart sluice");
  const stopped = (): string =>
    machine.run("ps -u sluice -o stat,args | grep '^T.* sluice-keeper '").said;
  await expect.poll(stopped, PATIENCE).toBe("");
}

/** The held connection still answers. */
async function talksOn(): Promise<void> {
  const before = machine.must("cat /run/talk");
  machine.must("touch /run/more");
  await expect.poll(() => machine.run("cat /run/talk").said, PATIENCE).not.toBe(before);
}

onMachine("installed it runs, as a user with four capabilities, and commands find it", () => {
  dpkg(`-i /packages/${deb}`);
  expect(shown("ActiveState")).toBe("active");
  expect(shown("StatusText")).toMatch(/^0 services, engine (kernel|userspace)$/);
  const status = machine.must(`cat /proc/${shown("MainPID")}/status`);
  expect(status).toMatch(/^CapEff:\t000000c000003000$/m);
  const log = machine.must(`journalctl -u sluice -o cat _PID=${shown("MainPID")}`);
  // Older kernels have no tcx links, or no BPF at all. What the service may not lack is a capability, a system call, or where
  // programs outlive it.
  expect(log).not.toMatch(/lacks|EPERM|end with this process/);
  machine.must("sluice engine status");
  expect(status).not.toMatch(/^Uid:\t0/m);
  expect(machine.must("sluice status")).toContain("Nothing is known to be wrong.");
  expect(machine.must("stat -c '%U:%G %a' /etc/sluice /etc/sluice/sluice.yaml")).toBe(
    "root:sluice 750\nroot:sluice 640\n",
  );
  expect(machine.must("man -w sluice-daemon sluice.yaml sluice-plan").split("\n")).toHaveLength(4);
});

onMachine("a reload puts the file in force; one with a mistake fails, and says where", async () => {
  write("/etc/sluice/sluice.yaml", WEB);
  machine.must("systemctl reload sluice");
  await expect.poll(() => shown("StatusText"), PATIENCE).toMatch(/^1 service, /);
  machine.must(HOLD);
  await expect.poll(() => machine.run("cat /run/talk").said, PATIENCE).toBe("1");
  write("/etc/sluice/sluice.yaml", WEB.replace("rr", "round"));
  expect(machine.run("systemctl reload sluice").code).not.toBe(0);
  expect(machine.must("journalctl -u sluice -o cat -n 5")).toContain(
    "/etc/sluice/sluice.yaml:2:57: services[0].scheduler: ",
  );
  write("/etc/sluice/sluice.yaml", WEB);
  await talksOn();
});

onMachine("an upgrade costs no connection, and keeps what was edited", async () => {
  const before = shown("MainPID");
  dpkg(`-i /packages/${newer}`);
  expect(shown("ActiveState")).toBe("active");
  expect(shown("MainPID")).not.toBe(before);
  await talksOn();
  expect(machine.must("cat /etc/sluice/sluice.yaml")).toBe(WEB);
});

onMachine(
  "with the drop-in the userspace engine runs, with two capabilities, and that costs no connection",
  async () => {
    machine.must(
      "mkdir -p /etc/systemd/system/sluice.service.d && cp /usr/share/doc/sluice/examples/userspace-engine.conf /etc/systemd/system/sluice.service.d",
    );
    await restart();
    expect(shown("StatusText")).toBe("1 service, engine userspace");
    const status = machine.must(`cat /proc/${shown("MainPID")}/status`);
    expect(status).toMatch(/^CapEff:\t0000000000003000$/m);
    await talksOn();
    machine.must("rm /etc/systemd/system/sluice.service.d/userspace-engine.conf");
    await restart();
    await talksOn();
  },
);

onMachine("a loop that stands still is restarted, and its connection goes on", async () => {
  const before = shown("MainPID");
  // The shortest that the test has time for; the unit's own is ten seconds.
  write("/etc/systemd/system/sluice.service.d/soon.conf", "[Service]\nWatchdogSec=2s\n");
  machine.must("systemctl daemon-reload && systemctl restart sluice");
  await expect.poll(() => shown("MainPID"), PATIENCE).not.toBe(before);
  await talksOn();
  const watched = shown("MainPID");
  machine.must(`kill -STOP ${watched}`);
  await expect.poll(() => shown("NRestarts"), PATIENCE).toBe("1");
  await expect.poll(() => shown("ActiveState"), PATIENCE).toBe("active");
  expect(shown("MainPID")).not.toBe(watched);
  await talksOn();
});

onMachine("ipvsadm takes the place of the other package, and works on", () => {
  dpkg(`-i /packages/${ipvsadmDeb}`);
  expect(machine.run("dpkg -s ipvsadm").said).not.toContain("ok installed");
  expect(machine.must("ipvsadm -Sn")).toContain(`-A -t ${VIP}:80 -s rr\n`);
  machine.must(`ipvsadm -A -t ${VIP}:81`);
  dpkg("-r sluice-ipvsadm");
});

onMachine("removed it runs no more and keeps its state; purged nothing is left", async () => {
  dpkg("-r sluice");
  expect(machine.run("systemctl is-active sluice").said.trim()).not.toBe("active");
  expect(machine.must("ls /etc/sluice /var/lib/sluice")).toContain("state.json");
  expect(machine.run("ls /usr/lib/sluice").code).not.toBe(0);
  await expect
    .poll(() => machine.must("nft list tables; ip -br link"), PATIENCE)
    .not.toContain("sluice");
  dpkg("-P sluice");
  machine.must("rm -r /etc/systemd/system/sluice.service.d");
  const left = machine.must(
    "find /etc /var /run /usr /lib/systemd -xdev -name '*sluice*' -not -path '/var/lib/dpkg/*' -not -path '/var/cache/man/*' -not -path '/run/systemd/*' -not -path '/run/log/*'",
  );
  expect(left).toBe("");
});
