/** ipvsadm against a daemon that balances: the handbook's commands, what they list while traffic flows, and refusals. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { C, Network, R1, R2, V } from "./network.ts";

let network: Network;
let home: DaemonHome;
let daemon: Daemon;

const HEADER = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
`;
const ESTIMATED = { timeout: 5_000, interval: 200 };

beforeAll(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80);
  daemon = await home.start(network.director);
});

afterAll(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

const list = (line: string): string => home.ipvsadm(line).stdout;

/** Each by a process of its own. */
function carryOut(...lines: readonly string[]): void {
  for (const line of lines) home.configure(line);
}

describe("balancing", () => {
  beforeEach(() => {
    home.configure("-C");
  });

  test("the handbook's service, from -A to -C", () => {
    expect(list("-ln")).toBe(HEADER);
    carryOut(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -g`, `-a -t ${V}:80 -r ${R2} -g -w 3`);
    expect(list("-ln")).toBe(`${HEADER}TCP  ${V}:80 rr
  -> ${R1}:80                 Route   1      0          0         
  -> ${R2}:80                 Route   3      0          0         
`);
    carryOut(
      `-E -t ${V}:80 -s wlc -p 60`,
      `-e -t ${V}:80 -r ${R2} -m -w 0`,
      `-d -t ${V}:80 -r ${R1}`,
    );
    expect(list("-ln")).toBe(`${HEADER}TCP  ${V}:80 wlc persistent 60
  -> ${R2}:80                 Masq    0      0          0         
`);
    home.configure(`-D -t ${V}:80`);
    expect(list("-ln")).toBe(HEADER);
  });

  test("connections are listed while they last, and counted", async () => {
    home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`);
    const held = await network.hold(80);
    expect(list("-lnc")).toMatch(
      new RegExp(
        `^IPVS connection entries
pro expire state       source             virtual            destination
TCP 1[45]:\\d\\d  ESTABLISHED ${C}:\\d+ +${V}:80 +${R1}:80
$`,
      ),
    );
    expect(list("-ln")).toContain(`${R1}:80                 Masq    1      1          0  `);
    await held.end();
    expect(list("-lnc")).toMatch(/TCP 0[12]:\d\d {2}(TIME_WAIT|FIN_WAIT)/);
    expect(list("-ln")).toContain(`${R1}:80                 Masq    1      0          1  `);
    await expect
      .poll(() => list(`-Ln --stats -t ${V}:80`), ESTIMATED)
      .toMatch(new RegExp(`^TCP  ${V}:80 +1 +\\d+ +\\d+ +\\d+ +\\d+$`, "m"));
    expect(list("-Ln --rate")).toContain(`TCP  ${V}:80 `);
    home.configure(`-Z -t ${V}:80`);
    expect(list(`-Ln --stats -t ${V}:80`)).toMatch(
      new RegExp(`^TCP  ${V}:80 +0 +0 +0 +0 +0$`, "m"),
    );
  });

  test("what -S prints, -R makes again, and it balances", () => {
    home.configure(
      `-A -t ${V}:80 -s wrr`,
      `-a -t ${V}:80 -r ${R1} -m -w 2`,
      `-A -u ${V}:53 -s sh -b sh-port -p 30 -M 255.255.255.0`,
      `-a -u ${V}:53 -r ${R2}:5353 -m`,
      `-A -f 7 -s rr`,
      `-a -f 7 -r ${R2} -i`,
    );
    const saved = list("-Sn");
    home.configure("-C");
    expect(home.ipvsadm("-R", saved)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(list("-Sn")).toBe(saved);
    expect(network.ask(80)).toBe(R1);
  });

  test("timeouts are set, and connections have them", async () => {
    home.configure("--set 100 0 50", `-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`);
    expect(list("-L --timeout")).toBe("Timeout (tcp tcpfin udp): 100 120 50\n");
    const held = await network.hold(80);
    expect(list("-lnc")).toMatch(/TCP 01:(40|3\d) {2}ESTABLISHED/);
    await held.end();
    home.configure("--set 900 120 300");
  });
});

describe("a refusal changes nothing and says why", () => {
  const SERVICE = `-A -t ${V}:80 -s rr`;
  const INVALID = "Invalid operation.  Possibly wrong module version, address not unicast, ...";

  let before: string;

  beforeAll(() => {
    home.configure("-C", SERVICE, `-a -t ${V}:80 -r ${R1}`);
    before = list("-Sn");
  });

  // biome-ignore format: a table
  const refusals: [line: string, code: number, said: string][] = [
    [`-A -t ${V}:80`,                        255, "Service already exists"],
    [`-A -t ${V}:81 -s nosuch`,              255, "Scheduler or persistence engine not found"],
    [`-E -t ${V}:81 -s rr`,                  255, "No such service"],
    [`-D -t ${V}:81`,                        255, "No such service"],
    [`-a -t ${V}:81 -r ${R1}`,               255, "Service not defined"],
    [`-a -t ${V}:80 -r ${R1}`,               255, "Destination already exists"],
    [`-a -t ${V}:80 -r ${R2} -x 1 -y 2`,     255, "Numerical result out of range"],
    [`-a -t ${V}:80 -r 224.0.0.1`,           255, INVALID],
    [`-e -t ${V}:80 -r ${R2}`,               255, "No such destination"],
    [`-d -t ${V}:80 -r ${R2}`,               255, "No such destination"],
    [`-Z -t ${V}:81`,                        255, "No such service"],
    [`-L -t ${V}:81`,                          1, "No such service"],
    [`-A -t ${V}:0 -s rr`,                     2, "Zero port specified for non-persistent service"],
    [`-A -t ${V}:80 -t ${V}:81`,               2, "multiple 'service-address' options specified"],
    [`-D -t ${V}:80 -s rr`,                    2, "Illegal 'scheduler' option with the 'delete-service' command"],
    [`-a -t ${V}:80`,                          2, "You need to supply the 'real-server' option for the 'add-server' command"],
    [`-A -t ${V}:80 --bogus`,                255, "--bogus: unknown option"],
    [`-t ${V}:80`,                           255, "Try `ipvsadm -h' or 'ipvsadm --help' for more information."],
  ];

  test.for(refusals)("ipvsadm %s", ([line, code, said]) => {
    const result = home.ipvsadm(line);
    expect(result.code).toBe(code);
    expect(result.stderr + result.stdout).toContain(said);
    expect(list("-Sn")).toBe(before);
    expect(daemon.isRunning).toBe(true);
  });

  test("-R stops at nothing but says what it could not do", () => {
    const { code, stderr } = home.ipvsadm("-R", `-A -t ${V}:80 -s rr\n-A -t ${V}:81 -s rr\n`);
    expect(code).toBe(0);
    expect(stderr).toContain("Service already exists");
    expect(list("-Sn")).toContain(`-A -t ${V}:81 -s rr`);
  });

  test("without a daemon commands are refused", () => {
    using nowhere = new DaemonHome();
    for (const line of ["-L", "-A -t 10.0.0.1:80"]) {
      const { code, stderr } = nowhere.ipvsadm(line);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^Can't initialize ipvs: /);
    }
  });
});
