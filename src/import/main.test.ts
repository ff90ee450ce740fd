import { expect, test } from "vitest";
import { TEST_NAMES } from "../../test/names.ts";
import { run } from "./main.ts";

async function importing(input: string, ...words: string[]) {
  let stdout = "";
  let stderr = "";
  const code = await run(words.length === 0 ? ["ipvsadm-save", "-"] : words, {
    environment: {},
    names: TEST_NAMES,
    stdin: (async function* () {
      yield input;
    })(),
    write: async (text) => {
      stdout += text;
    },
    complain: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

test("what ipvsadm-save wrote becomes a file", async () => {
  const lines = `-A -t 192.0.2.10:80 -s wlc
-a -t 192.0.2.10:80 -r 192.0.2.21:80 -g -w 1
-a -t 192.0.2.10:80 -r 192.0.2.22:8080 -m -w 5 -x 100 -y 50

# a comment
-A -t localhost:http -s sh -b sh-port -p 360 -M 255.255.255.0
-A -f 7 -6 -s rr
-a -f 7 -6 -r [2001:db8::1]:0 -i -w 2 --tun-type gue --tun-port 6080 --tun-nocsum
`;
  expect(await importing(lines)).toEqual({
    code: 0,
    stderr: "",
    stdout: `# From what ipvsadm-save wrote.
services:
  - protocol: tcp
    vip: 192.0.2.10
    port: 80
    scheduler: wlc
    destinations:
      - address: 192.0.2.21
        forwarding: route
        weight: 1
      - address: 192.0.2.22
        port: 8080
        forwarding: masquerade
        weight: 5
        upperThreshold: 100
        lowerThreshold: 50
  - protocol: tcp
    vip: 127.0.0.1
    port: 80
    scheduler: sh
    flags:
      - port
    persistence:
      timeout: 360
      netmask: 255.255.255.0
  - mark: 7
    family: inet6
    scheduler: rr
    destinations:
      - address: 2001:db8::1
        forwarding:
          tunnel: gue
          port: 6080
          checksum: none
        weight: 2
`,
  });
});

test("what cannot be carried is told, line by line, and all else is", async () => {
  const lines = `-A -t 192.0.2.10:80 -s nosuch
-a -t 192.0.2.10:80 -r 192.0.2.21:80
-A -t 192.0.2.11:80 -s rr
-A -t 192.0.2.11:80
--colour red
-a -t 192.0.2.11:80 -r 192.0.2.21:80 -w 70000
-L
-Z
--set 60 0 0
--start-daemon master --mcast-interface eth0
`;
  const { code, stdout, stderr } = await importing(lines, "ipvsadm-save", "--json", "-");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    timeouts: { tcp: 60, tcpFin: 120, udp: 300 },
    services: [{ vip: "192.0.2.11", destinations: [{ weight: 70_000 }] }],
  });
  const told = stderr.split("\n").slice(0, -1);
  expect(told.map((line) => line.replace(/^(-:\d+: not carried): (.*?): .*/, "$1: $2"))).toEqual([
    "-:1: not carried: -A -t 192.0.2.10:80 -s nosuch",
    "-:2: not carried: -a -t 192.0.2.10:80 -r 192.0.2.21:80",
    "-:4: not carried: -A -t 192.0.2.11:80",
    "-:5: not carried: --colour red",
    "-:7: not carried: -L",
    "-:8: not carried: -Z",
    "-:10: not carried: --start-daemon master --mcast-interface eth0",
    "sluice import: the configuration: services[0].destinations[0].weight: expected an integer from 0 to 65535, got 70000",
  ]);
});

const KEEPALIVED = `virtual_server 192.0.2.10 80 {
  delay_loop 5
  lb_algo rr
  lb_kind DR
  protocol TCP
  ha_suspend
  real_server 192.0.2.21 80 { TCP_CHECK { connect_timeout 2 } }
}
`;

const LDIRECTORD = `virtual=192.0.2.10:80
    real=192.0.2.21:80 gate 5
    checktype=connect
    login="ops"
`;

// biome-ignore format: a table
const kinds: [words: string[], input: string, scheduler: string, told: string][] = [
  [["keepalived", "-"],      KEEPALIVED, "rr",  "-:6: not carried: ha_suspend: checks go on also while this host has no VIP"],
  [["keepalived.conf", "-"], KEEPALIVED, "rr",  "-:6: not carried: ha_suspend: checks go on also while this host has no VIP"],
  [["-"],                    KEEPALIVED, "rr",  "-:6: not carried: ha_suspend: checks go on also while this host has no VIP"],
  [["ldirectord.cf", "-"],   LDIRECTORD, "wrr", '-:4: not carried: login="ops": checks do not log in'],
  [["-"],                    LDIRECTORD, "wrr", '-:4: not carried: login="ops": checks do not log in'],
  [["-"],                    "-A -t 192.0.2.10:80 -s sed\n-X\n", "sed", "-:2: not carried: -X: "],
];

test.for(kinds)(
  "sluice import %j tells of which kind it is",
  async ([words, input, scheduler, told]) => {
    const { code, stdout, stderr } = await importing(input, "--json", ...words);
    expect(JSON.parse(stdout)).toMatchObject({ services: [{ vip: "192.0.2.10", scheduler }] });
    expect(stderr).toContain(told);
    expect(code).toBe(1);
  },
);

test("a keepalived.conf that is carried whole is told nothing of", async () => {
  const whole = KEEPALIVED.replace(/ +ha_suspend.*\n/, "");
  expect(await importing(whole, "keepalived", "-")).toEqual({
    code: 0,
    stderr: "",
    stdout: `# From what keepalived reads.
services:
  - protocol: tcp
    vip: 192.0.2.10
    port: 80
    scheduler: rr
    defaults:
      forwarding: route
    check:
      type: tcp
      interval: 5
      timeout: 2
      retry: 1
      fall: 2
      rise: 1
      via: direct
    destinations:
      - address: 192.0.2.21
        weight: 1
`,
  });
});

test("lines of other machines are left out", async () => {
  const text = KEEPALIVED.replace("lb_algo rr", "@one lb_algo rr\n  @two lb_algo sed");
  for (const [id, scheduler] of [
    ["one", "rr"],
    ["two", "sed"],
    ["three", "wlc"],
  ] as const) {
    const { stdout } = await importing(text, "keepalived", "--json", "--id", id, "-");
    expect(JSON.parse(stdout)).toMatchObject({ services: [{ scheduler }] });
  }
});

test("a path with what no URL has is written as a URL has it", async () => {
  const check = `HTTP_GET {
    url {
      path "/two words/é"
    }
  }`;
  const text = KEEPALIVED.replace("TCP_CHECK { connect_timeout 2 }", check).replace(
    / +ha_suspend.*\n/,
    "",
  );
  const { code, stdout, stderr } = await importing(text, "keepalived", "--json", "-");
  expect([code, stderr]).toEqual([
    0,
    "-:7: note: path /two words/é: no URL has such characters: /two%20words/%C3%A9\n",
  ]);
  expect(JSON.parse(stdout)).toMatchObject({
    services: [{ check: { path: "/two%20words/%C3%A9" } }],
  });
});

const EXPECTED = "expected keepalived FILE, ldirectord FILE or ipvsadm-save FILE";

// biome-ignore format: a table
const mistakes: [words: string[], code: number, complaint: string][] = [
  [["haproxy.cfg", "x"],              2, `sluice import: ${EXPECTED}, got haproxy.cfg x\n`],
  [["keepalived", "x", "y"],          2, `sluice import: ${EXPECTED}, got keepalived x y\n`],
  [["ipvsadm-save"],                  2, `sluice import: ${EXPECTED}, got ipvsadm-save\n`],
  [["--json"],                        2, `sluice import: ${EXPECTED}, got nothing\n`],
  [["-"],                             2, `sluice import: cannot tell what kind of file - is: ${EXPECTED}\n`],
  [["ipvsadm-save", "/nowhere/file"], 1, "sluice import: cannot read /nowhere/file: "],
];

test.for(mistakes)("sluice import %j is refused", async ([words, code, complaint]) => {
  const answer = await importing("", ...words);
  expect([answer.code, answer.stdout]).toEqual([code, ""]);
  expect(answer.stderr).toContain(complaint);
});
