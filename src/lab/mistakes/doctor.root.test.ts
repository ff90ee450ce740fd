/** `sluice doctor` names every mistake on the host that it is to be seen on, and nothing where nothing is wrong. */
import { describe, expect, test } from "vitest";
import type { Laboratory } from "../laboratory.ts";
import type { ScenarioName } from "../network/plan.ts";
import { openLaboratory } from "../run/namespace-laboratory.ts";
import { HEALTHY_INET6, OUTSIDE_VIP, VIP, VIP6 } from "./healthy.ts";
import { MISTAKES } from "./index.ts";
import { goneLook, type Line, type Mistake, on } from "./mistake.ts";
import { build, lookUntilShown, type, witness } from "./perform.ts";

const LISTEN = "--listen 1 --json";
/** Where each is examined as what it is. */
const SERVER: Readonly<Record<ScenarioName, string>> = {
  dr: `--server ${VIP}:80`,
  tun: `--server ${VIP}:80 --tunnel`,
  nat: `--server ${OUTSIDE_VIP}:8080 --nat`,
};

/** What its connections leave for a minute is theirs, and no mistake of those after it. */
const LAST = "test-from-director";
/** To be seen while packets go by. */
const WITH_TRAFFIC = ["stale-arp", "sysctl-after-vip"];

/** What the doctor finds besides the classic mistakes. */
interface Fault {
  readonly breaking: readonly Line[];
  /** Runs again and again while the doctor looks. */
  readonly traffic?: Line;
  readonly says: string;
  readonly evidence: RegExp;
  readonly cure: readonly Line[];
}

const FAR = "198.51.100.7";
const MORE: Readonly<Record<ScenarioName, readonly Fault[]>> = {
  dr: [],
  tun: [
    {
      // What is larger than its card takes the switch loses without a word.
      breaking: [on("node02", "ip link set eth0 mtu 1400")],
      says: "tunnel-path-mtu",
      evidence: /takes 140\d bytes, the tunnel's header 20 of them: 138\d are left/,
      cure: [on("node01", "ip route replace 192.168.150.12 dev eth0 mtu 1400")],
    },
  ],
  nat: [
    {
      breaking: [
        on("client", "sysctl -w net.ipv4.conf.all.arp_announce=2"),
        on("client", `ip address add ${FAR}/32 dev lo`),
        on("node01", `ip route add ${FAR} via 192.168.150.12`),
        on("node01", "sysctl -w net.ipv4.conf.eth0.rp_filter=1"),
      ],
      traffic: on("client", `curl -sS -m 1 --interface ${FAR} http://${OUTSIDE_VIP}/`),
      says: "rp-filter",
      evidence: /came by eth0; .* leads by eth1; .*the larger, 1, holds/,
      cure: [
        on("node01", "sysctl -w net.ipv4.conf.eth0.rp_filter=0"),
        on("node01", `ip route del ${FAR}`),
      ],
    },
  ],
};

const LOOKS_MAX = 5;

interface Told {
  readonly findings: readonly { readonly code: string; readonly evidence: string }[];
  readonly skipped: readonly unknown[];
}

async function examine(laboratory: Laboratory, host: string, server: string): Promise<Told> {
  const line = `sluice doctor ${host === "node01" ? "" : server} ${LISTEN}`;
  const { output } = await laboratory.run(host, line);
  try {
    return JSON.parse(output) as Told;
  } catch {
    throw new Error(`${host}: ${line}: ${output}`);
  }
}

async function expectNothing(laboratory: Laboratory, server: string): Promise<void> {
  const all = await Promise.all(
    ["node01", "node02", "node03"].map((host) => examine(laboratory, host, server)),
  );
  expect(all).toEqual(all.map(() => ({ findings: [], skipped: [] })));
}

/** As `sluice lab mistake` shows it, and with the doctor's word for it before it is mended. */
async function expectNamed(laboratory: Laboratory, mistake: Mistake): Promise<void> {
  const { name, breaking, symptom, frames, doctor, cure, restoring = [] } = mistake;
  await type(laboratory, breaking, () => undefined);
  const seen = await witness(laboratory, mistake);
  expect(seen.symptom, name).toMatch(symptom.shows);
  expect(seen.frames, name).toMatch(frames.shows);

  let codes: readonly string[] = [];
  // On a busy machine a frame or an answer may be late, and a handshake too young to be called half open.
  for (let looks = 0; looks < LOOKS_MAX && !codes.includes(doctor.says); looks++) {
    const asksOn = WITH_TRAFFIC.includes(name);
    // What neighbours believe wrongly they find out by themselves after some seconds.
    if (asksOn) await type(laboratory, breaking, () => undefined);
    const asking = `timeout 4 sh -c 'while :; do ${symptom.line}; sleep 0.2; done'`;
    const [{ findings }] = await Promise.all([
      examine(laboratory, doctor.on, SERVER[mistake.laboratory]),
      asksOn && laboratory.run(symptom.on, asking),
    ]);
    codes = findings.map(({ code }) => code);
  }
  expect({ name, codes }).toEqual({ name, codes: expect.arrayContaining([doctor.says]) });

  await type(laboratory, cure, () => undefined);
  const gone = goneLook(mistake);
  expect(await lookUntilShown(laboratory, gone), name).toMatch(gone.shows);
  await type(laboratory, restoring, () => undefined);
}

async function expectFound(laboratory: Laboratory, fault: Fault): Promise<void> {
  const { breaking, traffic, says, evidence, cure } = fault;
  await type(laboratory, breaking, () => undefined);
  let found: Told["findings"] = [];
  for (let looks = 0; looks < LOOKS_MAX && !found.some(({ code }) => code === says); looks++) {
    const asking = `timeout 4 sh -c 'while :; do ${traffic?.line}; done'`;
    const [told] = await Promise.all([
      examine(laboratory, "node01", ""),
      traffic !== undefined && laboratory.run(traffic.on, asking),
    ]);
    found = told.findings;
  }
  expect(found.map(({ code }) => code)).toEqual([says]);
  expect(found[0]!.evidence).toMatch(evidence);
  await type(laboratory, cure, () => undefined);
  const { findings } = await examine(laboratory, "node01", "");
  expect(findings.map(({ code }) => code)).not.toContain(says);
}

const isLast = ({ name }: Mistake): number => Number(name === LAST);
const ofScenario = (scenario: ScenarioName): readonly Mistake[] =>
  MISTAKES.filter(({ laboratory }) => laboratory === scenario).toSorted(
    (one, other) => isLast(one) - isLast(other),
  );
/** Every fourth: what they wait for they wait for together. */
const part = (which: number): readonly Mistake[] =>
  ofScenario("dr").filter((_, index) => index % 4 === which);

const PARTS: readonly (readonly [scenario: ScenarioName, mistakes: readonly Mistake[]])[] = [
  ["dr", part(0)],
  ["dr", part(1)],
  ["dr", part(2)],
  ["dr", part(3)],
  ["nat", ofScenario("nat")],
  ["tun", ofScenario("tun")],
];

describe.concurrent("sluice doctor", () => {
  test.for(PARTS)(
    "in a laboratory of %s names nothing when it is healthy, and each mistake that is made",
    { timeout: 300_000 },
    async ([scenario, mistakes]) => {
      const laboratory = await openLaboratory({ scenario, family: "inet" });
      try {
        await build(laboratory, scenario);
        await expectNothing(laboratory, SERVER[scenario]);
        for (const mistake of mistakes) await expectNamed(laboratory, mistake);
        for (const fault of MORE[scenario]) await expectFound(laboratory, fault);
      } finally {
        await laboratory.close();
      }
    },
  );

  test("mends what it has found, when it is told to", { timeout: 120_000 }, async () => {
    const laboratory = await openLaboratory({ scenario: "dr", family: "inet" });
    try {
      await build(laboratory, "dr");
      await laboratory.run("node02", `ifconfig lo:2 ${VIP} netmask 255.255.255.0`);
      await laboratory.run("node02", "sysctl -w net.ipv4.conf.all.arp_ignore=0");
      await laboratory.run("node02", "sysctl -w net.ipv4.conf.eth0.arp_ignore=0");
      const doctor = `sluice doctor ${SERVER.dr} --listen 1`;
      // The first is agreed to, and the second not.
      const asked = await laboratory.run("node02", `printf 'y\\nno\\n' | ${doctor} --fix`);
      expect(asked.output).toMatch(
        /2 things are wrong[\s\S]*run this\? \[y\/N\][\s\S]*ran: ip address/,
      );
      expect(asked.status).toBe(1);
      const { status, output } = await laboratory.run("node02", `${doctor} --fix --yes --json`);
      expect({ status, ...(JSON.parse(output) as object) }).toMatchObject({
        status: 1,
        findings: [{ code: "arp-ignore" }],
        fixed: [{ line: "sysctl -w net.ipv4.conf.all.arp_ignore=1", status: 0 }],
      });
      expect(await laboratory.run("node02", doctor)).toEqual({
        status: 0,
        output: "✔ Nothing is wrong.\n",
      });
      // There is no director here to be examined.
      const { status: refused } = await laboratory.run("node02", "sluice doctor");
      expect(refused).toBe(3);
    } finally {
      await laboratory.close();
    }
  });

  test("names nothing over IPv6", { timeout: 120_000 }, async () => {
    const laboratory = await openLaboratory({ scenario: "dr", family: "inet6" });
    try {
      await type(laboratory, HEALTHY_INET6.dr, () => undefined);
      await laboratory.run("client", `curl -sS -m 2 http://[${VIP6}]/ http://[${VIP6}]/`);
      await expectNothing(laboratory, `--server [${VIP6}]:80`);
    } finally {
      await laboratory.close();
    }
  });
});
