import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatRange } from "../ipvs/desired/port-range.ts";
import { formatEndpoint, formatForwarding, formatServiceKey } from "../ipvs/desired/service.ts";
import { type Configuration, loadConfiguration } from "./load.ts";
import { ConfigurationError } from "./problem.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-configuration-"));
});
afterEach(() => rm(folder, { recursive: true }));

type Files = Readonly<Record<string, string>>;

async function load(
  files: string | Files,
  environment: Readonly<Record<string, string>> = {},
): Promise<Configuration> {
  const all = typeof files === "string" ? { "sluice.yaml": files } : files;
  for (const [name, text] of Object.entries(all)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return loadConfiguration(join(folder, "sluice.yaml"), environment);
}

/** The problems, a line each. */
async function mistakes(...given: Parameters<typeof load>): Promise<string[]> {
  try {
    await load(...given);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message.replaceAll(`${folder}/`, "").split("\n");
  }
}

/** `TCP 10.0.0.1:80 wlc 10.0.0.2:80 route w5`, a line a service. */
function told({ wanted }: Configuration): string[] {
  return wanted.services.map(({ spec, destinations }) => {
    const servers = destinations.map(
      ({ endpoint, forwarding, weight }) =>
        `${formatEndpoint(endpoint)} ${formatForwarding(forwarding)} w${weight ?? "?"}`,
    );
    return [formatServiceKey(spec.key), spec.scheduler, servers.join(", ")].join(" ");
  });
}

const WEB = `services:
  - name: web
    vip: 10.0.0.1
    port: 80
    destinations:
      - address: 10.0.0.2
      - address: 10.0.0.3
        weight: WEIGHT
`;

describe("what a file says", () => {
  test("the least", async () => {
    const configuration = await load(WEB.replace("WEIGHT", "5"));
    expect(told(configuration)).toEqual([
      "TCP 10.0.0.1:80 wlc 10.0.0.2:80 route w?, 10.0.0.3:80 route w5",
    ]);
    expect([...configuration.names]).toEqual([["TCP 10.0.0.1:80", "web"]]);
  });

  test("a range of ports is a service of a mark, which is called by it", async () => {
    const configuration = await load(`
services:
  - {vip: 10.0.0.1, port: 8000-8010, destinations: [{address: 10.0.0.2, forwarding: masquerade}]}
  - {name: media, protocol: udp, vip: "2001:db8::1", port: 10000-20000, mark: 7}
`);
    expect(told(configuration)).toEqual([
      "FWM 1401165979 wlc 10.0.0.2:0 masquerade w?",
      "FWM 7 IPv6 wlc ",
    ]);
    expect(configuration.wanted.services.map(({ spec }) => formatRange(spec.range!))).toEqual([
      "TCP 10.0.0.1:8000-8010",
      "UDP [2001:db8::1]:10000-20000",
    ]);
    expect([...configuration.names.values()]).toEqual(["tcp:10.0.0.1:8000-8010", "media"]);
  });

  test("pools, and defaults from the nearest place that has one", async () => {
    const configuration = await load(`
defaults:
  service: {scheduler: rr}
  destination: {forwarding: masquerade, weight: 1}
pools:
  blue:
    defaults: {port: 8080}
    destinations:
      - address: 10.0.0.2
      - {address: 10.0.0.3, port: 9090, weight: 3}
services:
  - {vip: 10.0.0.1, port: 80, pool: blue, defaults: {port: 7070, weight: 2}}
  - vip: 10.0.0.1
    port: 443
    scheduler: sh
    pool: blue
    destinations: [{address: 10.0.0.4, forwarding: {tunnel: gue, port: 6080, checksum: remote}}]
  - {mark: 7, family: inet6}
`);
    expect(told(configuration)).toEqual([
      "TCP 10.0.0.1:80 rr 10.0.0.2:8080 masquerade w2, 10.0.0.3:9090 masquerade w3",
      "TCP 10.0.0.1:443 sh 10.0.0.2:8080 masquerade w1, 10.0.0.3:9090 masquerade w3, 10.0.0.4:443 tunnel gue:6080 checksum remote w1",
      "FWM 7 IPv6 rr ",
    ]);
  });

  test("times, persistence, knobs, and what becomes of others", async () => {
    const { wanted } = await load(`
others: keep
timeouts: {tcp: 15m, udp: 30}
sysctls: {sloppy_tcp: 1}
services:
  - {vip: "2001:db8::1", port: 0, persistence: {timeout: 2h, prefixLength: 64}}
  - {vip: 10.0.0.1, port: 80, persistence: {prefixLength: 24}, flags: [port, fallback]}
`);
    const { services, file, ...settings } = wanted;
    expect(file).toMatchObject({ drift: "keep", source: expect.stringMatching(/sluice\.yaml$/) });
    expect(settings).toEqual({
      timeouts: { tcp: 900, udp: 30 },
      sysctls: { sloppy_tcp: 1 },
      vips: [],
      keepsOthers: true,
    });
    expect(services.map(({ spec }) => [spec.persistence, spec.schedulerFlags])).toEqual([
      [{ timeoutSeconds: 7200, netmask: 64 }, 0],
      [{ timeoutSeconds: 300, netmask: 0xffff_ff00 }, 0x18],
    ]);
  });

  test("nothing at all", async () => {
    expect(told(await load("# nothing yet\n"))).toEqual([]);
  });

  test("variables", async () => {
    const text = WEB.replace("10.0.0.1", `\${VIP}`).replace("WEIGHT", `\${WEIGHT:-9}`);
    const one = await load(text, { VIP: "10.0.0.9" });
    expect(told(one)[0]).toContain("TCP 10.0.0.9:80 wlc");
    expect(told(one)[0]).toContain("w9");
    expect(told(await load(text, { VIP: "10.0.0.9", WEIGHT: "4" }))[0]).toContain("w4");
    const quoted = WEB.replace("web", () => `"$\${X} \${N}"`).replace("WEIGHT", "1");
    expect([...(await load(quoted, { N: "5" })).names.values()]).toEqual([`\${X} 5`]);
  });

  test("included files, whose pools are everybody's and whose defaults are their own", async () => {
    const configuration = await load({
      "sluice.yaml": `include: [conf.d/*.yaml]
defaults: {destination: {weight: 7}}
services: [{vip: 10.0.0.1, port: 80, pool: blue}]
`,
      "conf.d/b.yaml": "services: [{vip: 10.0.0.1, port: 82, pool: blue}]",
      "conf.d/a.yaml": `defaults: {service: {scheduler: rr}}
pools: {blue: {destinations: [{address: 10.0.0.2}]}}
services: [{vip: 10.0.0.1, port: 81, pool: blue}]`,
      "conf.d/a.yaml.old": "nonsense",
    });
    expect(told(configuration)).toEqual([
      "TCP 10.0.0.1:81 rr 10.0.0.2:81 route w7",
      "TCP 10.0.0.1:82 wlc 10.0.0.2:82 route w7",
      "TCP 10.0.0.1:80 wlc 10.0.0.2:80 route w7",
    ]);
  });
});

describe("what is wrong", () => {
  // biome-ignore format: a table
  const weights: [weight: string, got: string][] = [
    ["ten",   '"ten"'],
    ["65536", "65536"],
    ["-1",    "-1"],
    ["1.5",   "1.5"],
    ["",      "null"],
    ["[1]",   "[1]"],
  ];

  test.for(weights)("the weight %s", async ([weight, got]) => {
    expect(await mistakes(WEB.replace("WEIGHT", weight))).toEqual([
      `sluice.yaml:8:17: services[0].destinations[1].weight: expected an integer from 0 to 65535, got ${got}`,
    ]);
  });

  // biome-ignore format: a table
  const files: [text: string, ...mistakes: string[]][] = [
    ["services: [{vpi: 10.0.0.1, port: 80}]",
      'sluice.yaml:1:13: services[0].vpi: unknown key, did you mean "vip"?'],
    ["colour: red",
      "sluice.yaml:1:1: colour: unknown key, expected one of include, others, drift, defaults, timeouts, sysctls, remove, api, notify, metrics, checks, vips, pools, services"],
    ["services: 5",
      "sluice.yaml:1:11: services: expected a list of services, got 5"],
    ["[]",
      "sluice.yaml:1:1: expected keys and values, got []"],
    ["services:\n  - {port: 80}",
      "sluice.yaml:2:5: services[0]: expected vip and port, or mark"],
    ["services:\n  - {vip: 10.0.0.1}",
      "sluice.yaml:2:5: services[0].port: expected an integer from 0 to 65535, got nothing"],
    ["services:\n  - {vip: 10.0.0.1, port: 0}",
      "sluice.yaml:2:27: services[0].port: expected an integer from 1 to 65535, got 0: only persistent services take every port"],
    ["services:\n  - {vip: 10.0.0.1, port: 8000-}\n  - {vip: 10.0.0.1, port: 8010-8000}\n  - {vip: 10.0.0.1, port: 8000-80000}\n  - {port: 1-2}",
      'sluice.yaml:2:27: services[0].port: expected an integer from 0 to 65535, or a range such as 8000-8010, got "8000-"',
      "sluice.yaml:3:5: services[1]: TCP 10.0.0.1:8010-8000: its last port is not above its first",
      "sluice.yaml:4:27: services[2].port: expected a range of ports up to 65535 such as 8000-8010, got 8000-80000",
      "sluice.yaml:5:5: services[3]: expected vip and port, or mark"],
    ["services:\n  - {vip: 10.0.0.1, port: 8000-8010}\n  - {vip: 10.0.0.1, port: 8010-8020, mark: 7}\n  - {vip: 10.0.0.2, port: 8010-8020, mark: 7}\n  - {mark: 7}",
      "sluice.yaml:3:27: services[1].port: it has ports in common with TCP 10.0.0.1:8000-8010 at sluice.yaml:2:5",
      "sluice.yaml:4:5: services[2]: FWM 7 stands at sluice.yaml:3:5 already",
      "sluice.yaml:5:5: services[3]: FWM 7 stands at sluice.yaml:3:5 already"],
    ["services:\n  - {vip: 10.0.0, port: 80, scheduler: wcl}",
      'sluice.yaml:2:11: services[0].vip: expected an IPv4 or IPv6 address, got "10.0.0"',
      'sluice.yaml:2:40: services[0].scheduler: expected one of rr, wrr, lc, wlc, sed, nq, lblc, lblcr, dh, sh, mh, fo, ovf, twos, none, got "wcl", did you mean "wlc"?'],
    ["services:\n  - {mark: 7, port: 80}",
      "sluice.yaml:2:21: services[0].port: a service of a mark has no port"],
    ["services:\n  - {mark: 7, pool: blue}",
      'sluice.yaml:2:21: services[0].pool: no pool is called "blue": there is none'],
    ["services:\n  - {mark: 7, destinations: [{}]}",
      "sluice.yaml:2:30: services[0].destinations[0].address: expected an IPv4 or IPv6 address, got nothing"],
    ["services:\n  - {mark: 7, destinations: [{address: 10.0.0.2, forwarding: nat}]}",
      'sluice.yaml:2:62: services[0].destinations[0].forwarding: expected route, masquerade, tunnel, or a tunnel\'s options such as {tunnel: gue, port: 6080}, got "nat"'],
    ["services:\n  - {mark: 7, destinations: [{address: 10.0.0.2, forwarding: {tunnel: gue, prot: 5}}]}",
      "sluice.yaml:2:62: services[0].destinations[0].forwarding.port: expected an integer from 1 to 65535, got nothing",
      'sluice.yaml:2:76: services[0].destinations[0].forwarding.prot: unknown key, did you mean "port"?'],
    ["services:\n  - {mark: 7, destinations: [{address: 10.0.0.2, forwarding: {tunnel: vxlan}}]}",
      'sluice.yaml:2:71: services[0].destinations[0].forwarding.tunnel: expected one of ipip, gre, gue, got "vxlan"'],
    ["services:\n  - {mark: 7, persistence: {timeout: 5 minutes}}",
      'sluice.yaml:2:38: services[0].persistence.timeout: expected seconds as a whole number, or such as "90s", "5m", "2h", up to 31 days, got "5 minutes"'],
    ["services:\n  - {mark: 7, persistence: {prefixLength: 33}}",
      "sluice.yaml:2:43: services[0].persistence.prefixLength: expected an integer from 1 to 32, got 33"],
    ["timeouts: {tcp: 32d}\nsysctls: {sloppy_tpc: 1, drop_entry: 4}",
      'sluice.yaml:1:17: timeouts.tcp: expected seconds as a whole number, or such as "90s", "5m", "2h", up to 31 days, got "32d"',
      'sluice.yaml:2:11: sysctls.sloppy_tpc: unknown key, did you mean "sloppy_tcp"?',
      "sluice.yaml:2:38: sysctls.drop_entry: expected an integer from 0 to 3, got 4"],
    ["services:\n  - {mark: 7}\n  - {vip: 10.0.0.1, port: 1}\n  - {mark: 7}",
      "sluice.yaml:4:5: services[2]: FWM 7 stands at sluice.yaml:2:5 already"],
    ["services:\n  - mark: 7\n    destinations:\n      - {address: 10.0.0.2}\n      - {address: 10.0.0.2}\n      - {address: 224.0.0.1}\n      - {address: 10.0.0.3, lowerThreshold: 5, upperThreshold: 3}",
      "sluice.yaml:5:9: services[0].destinations[1]: 10.0.0.2:0 stands there already",
      "sluice.yaml:6:9: services[0].destinations[2]: 224.0.0.1 is not a unicast address",
      "sluice.yaml:7:9: services[0].destinations[3]: lowerThreshold 5 is above upperThreshold 3"],
    ["vips: [{address: 10.0.0.1/33, interface: eth0}, {address: 10.0.0.1}]",
      'sluice.yaml:1:18: vips[0].address: expected an address, with a prefix if it is not alone on the interface, such as 192.0.2.10/24, got "10.0.0.1/33"',
      "sluice.yaml:1:49: vips[1].interface: expected an interface's name of at most 15 characters, got nothing"],
    ["vips:\n  - {address: 10.0.0.1, interface: eth0, announce: {count: 0}}",
      "sluice.yaml:2:60: vips[0].announce.count: expected an integer from 1 to 100, got 0"],
    ["vips:\n  - {address: 10.0.0.1, interface: eth0}\n  - {address: 10.0.0.1/24, interface: eth1}\n  - {address: fe80::1, interface: eth1}",
      "sluice.yaml:3:5: vips[1]: 10.0.0.1 stands at sluice.yaml:2:5 already",
      "sluice.yaml:4:5: vips[2]: it is a link-local address, which each host has of its own"],
    ["others: [keep",
      "sluice.yaml:1:14: Flow sequence in block collection must be sufficiently indented and end with a ]"],
    ["others: keep\nothers: keep",
      "sluice.yaml:2:1: Map keys must be unique"],
    ["a: &a [1]\nb: &b [*a,*a,*a]\nc: *d",
      "sluice.yaml:3:4: nothing is named &d before this"],
    [`services: [{name: '\${NAME}', mark: 7}]`,
      `sluice.yaml:1:19: the environment has no variable NAME: set it, or write \${NAME:-otherwise}`],
    ["include: other.yaml",
      "sluice.yaml:1:10: include: cannot read other.yaml: there is no such file"],
    ["include: [sluice.yaml]",
      "sluice.yaml:1:11: include[0]: sluice.yaml is included twice, or includes itself"],
  ];

  test.for(files)("%s", async ([text, ...expected]) => {
    expect(await mistakes(text)).toEqual(expected);
  });

  test("all at once: what a schema sees, and what does not fit together", async () => {
    const text = `checks:
  page: { type: http, pth: / }
pools:
  blue: { destinations: [{ address: 10.0.0.2, wieght: 2 }] }
vips: [{ address: 10.0.0.1 }]
services:
  - { vip: 10.0.0.1, port: 80, scheduler: wcl, pool: bleu, check: pgae }
  - { vip: 10.0.0.1, port: 81, pool: blue, check: page }
  - { vip: 10.0.0.1, port: 81, pool: green, health: { sorry: {} } }
  - { vip: 10.0.0.1, port: 82, destinations: [{ adress: 10.0.0.2 }, { address: 224.0.0.1 }] }
  - { vip: 10.0.0.1, port: 81, destinations: [{ address: 10.0.0.2, weight: -1 }] }
`;
    expect((await mistakes(text)).map((line) => line.replace(/, expected one of .*/, ""))).toEqual([
      'sluice.yaml:2:23: checks.page.pth: unknown key, did you mean "path"?',
      'sluice.yaml:4:47: pools.blue.destinations[0].wieght: unknown key, did you mean "weight"?',
      "sluice.yaml:5:8: vips[0].interface: expected an interface's name of at most 15 characters, got nothing",
      expect.stringMatching(
        /^sluice.yaml:7:43: services\[0\].scheduler: .*, got "wcl", did you mean "wlc"\?$/,
      ),
      'sluice.yaml:7:54: services[0].pool: no pool is called "bleu", did you mean "blue"?',
      'sluice.yaml:7:67: services[0].check: no check is called "pgae", did you mean "page"?',
      'sluice.yaml:9:38: services[2].pool: no pool is called "green": there are blue',
      "sluice.yaml:9:62: services[2].health.sorry.address: expected an IPv4 or IPv6 address, got nothing",
      "sluice.yaml:10:47: services[3].destinations[0].address: expected an IPv4 or IPv6 address, got nothing",
      'sluice.yaml:10:49: services[3].destinations[0].adress: unknown key, did you mean "address"?',
      "sluice.yaml:10:69: services[3].destinations[1]: 224.0.0.1 is not a unicast address",
      "sluice.yaml:11:5: services[4]: TCP 10.0.0.1:81 stands at sluice.yaml:8:5 already",
      "sluice.yaml:11:76: services[4].destinations[0].weight: expected an integer from 0 to 65535, got -1",
    ]);
  });

  test("nothing is told of what only another mistake brings about", async () => {
    expect(
      await mistakes("pols: {blue: {destinations: []}}\nservices: [{mark: 7, pool: blue}]"),
    ).toEqual(['sluice.yaml:1:1: pols: unknown key, did you mean "pools"?']);
    expect(
      await mistakes("defaults: {service: {persistnce: {}}}\nservices: [{vip: 10.0.0.1, port: 0}]"),
    ).toEqual([expect.stringContaining('did you mean "persistence"?')]);
    const files = { "sluice.yaml": "include: other.yaml\nservices: [{mark: 7, pool: blue}]" };
    expect(await mistakes({ ...files, "other.yaml": "pools: [" })).toEqual([
      expect.stringMatching(/^other.yaml:1:/),
    ]);
  });

  test("a file that is not there", async () => {
    await expect(loadConfiguration(join(folder, "none.yaml"), {})).rejects.toThrow(
      `${folder}/none.yaml: cannot read ${folder}/none.yaml: there is no such file`,
    );
  });

  test("in an included file, with that file's place; pools and settings that two have", async () => {
    const other = "timeouts: {tcp: 5}\npools: {blue: {destinations: []}}\n";
    const texts = { "sluice.yaml": `include: other.yaml\n${other}`, "other.yaml": other };
    expect(await mistakes({ ...texts, "other.yaml": "pools:\n  blue: 5" })).toEqual([
      "other.yaml:2:9: pools.blue: expected keys and values, got 5",
      "sluice.yaml:3:15: pools.blue: a pool of this name stands at other.yaml:2 already",
    ]);
    expect(
      await mistakes({ ...texts, "sluice.yaml": texts["sluice.yaml"].replace("tcp: 5", "tcp: 6") }),
    ).toEqual([
      "sluice.yaml:2:17: timeouts.tcp: another file says 5 already",
      "sluice.yaml:3:15: pools.blue: a pool of this name stands at other.yaml:2 already",
    ]);
  });
});

describe("health checks", () => {
  /** `192.0.2.1:80 tcp on 81 every 2000 ms`, by destination. */
  async function checked(text: string): Promise<string[]> {
    const { wanted } = await load(text);
    return wanted.services.flatMap(({ spec: { health }, destinations }) =>
      destinations.map(({ endpoint }) => {
        const at = formatEndpoint(endpoint);
        const plans = health?.destinations[at]?.checks ?? health?.checks ?? [];
        const words = plans.map(
          ({ name, type, intervalMs }) => `${name ?? "unnamed"} ${type} ${intervalMs}`,
        );
        return `${at} ${words.join(" and ") || "nothing"}`;
      }),
    );
  }

  test("the nearest level that says any counts alone", async () => {
    const text = `
checks: { quick: { type: tcp, interval: 500ms }, slow: { type: tcp, interval: 1m } }
defaults: { destination: { check: slow } }
pools:
  web: { check: quick, destinations: [{ address: 10.0.0.2 }, { address: 10.0.0.3, checks: [] }] }
services:
  - vip: 10.0.0.1
    port: 80
    pool: web
    check: { type: file, path: /run/x }
    destinations: [{ address: 10.0.0.4 }]
  - { vip: 10.0.0.1, port: 81, destinations: [{ address: 10.0.0.4, checks: [quick, { type: tcp }] }, { address: 10.0.0.5 }] }
`;
    expect(await checked(text)).toEqual([
      "10.0.0.2:80 quick tcp 500",
      "10.0.0.3:80 nothing",
      "10.0.0.4:80 unnamed file 5000",
      "10.0.0.4:81 quick tcp 500 and unnamed tcp 5000",
      "10.0.0.5:81 slow tcp 60000",
    ]);
  });

  test("the file's health holds key by key", async () => {
    const { wanted } = await load(`
defaults: { service: { health: { quorum: 2, onFailure: inhibit }, check: { type: tcp } } }
services: [{ vip: 10.0.0.1, port: 80, health: { quorum: 3 }, destinations: [{ address: 10.0.0.2 }] }]
`);
    expect(wanted.services[0]!.spec.health).toMatchObject({ quorum: 3, onFailure: "inhibit" });
  });

  test("mistakes are told where they are", async () => {
    const text = `checks:
  one: { type: tcp, interval: 0 }
  two: { type: htp }
  three: { type: exec }
services:
  - { vip: 10.0.0.1, port: 80, check: { type: tcp, tiemout: 3s }, health: { quorum: 0 } }
`;
    expect(await mistakes(text)).toEqual([
      expect.stringMatching(/^sluice.yaml:2:.*checks.one.interval: expected seconds.*got 0$/),
      expect.stringMatching(/^sluice.yaml:3:.*checks.two.type: expected one of tcp.*got "htp"$/),
      expect.stringMatching(/^sluice.yaml:4:.*checks.three.command: expected a program/),
      expect.stringMatching(/^sluice.yaml:6:.*did you mean "timeout"\?$/),
      expect.stringMatching(/^sluice.yaml:6:.*quorum: expected an integer from 1/),
    ]);
  });

  test("what does not fit together is told once", async () => {
    const text = `checks:
  web: { type: tcp }
pools:
  web: { check: wbe, destinations: [{ address: 10.0.0.2 }, { address: 10.0.0.3 }] }
services:
  - { mark: 7, destinations: [{ address: 10.0.0.2, check: web }] }
  - { vip: 10.0.0.1, port: 80, pool: web }
  - { vip: 10.0.0.1, port: 81, pool: web }
  - { vip: 10.0.0.1, port: 82, check: web, health: { panic: 50, sorry: { address: 10.0.0.9 } } }
`;
    expect(await mistakes(text)).toEqual([
      'sluice.yaml:4:17: pools.web.check: no check is called "wbe", did you mean "web"?',
      "sluice.yaml:6:31: services[0].destinations[0]: its check web needs a port: neither of them has one",
      expect.stringMatching(/services\[3\].health.sorry: sorry and panic exclude each other$/),
    ]);
  });

  test("what is no longer wanted may be drained", async () => {
    expect((await load("remove: { drain: 5m }")).wanted.drainSeconds).toBe(300);
  });
});
