/** What `sluice explain` says of a packet is what then becomes of it. */
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Client } from "../../src/api/client.ts";
import { DaemonHome } from "./daemon.ts";
import { C, Network, R1, R2, V } from "./network.ts";

let network: Network;
let home: DaemonHome;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80);
});

async function start(engine: string): Promise<void> {
  await home.start(network.director, "--engine", engine);
  home.configure(
    `-A -t ${V}:80 -s wlc`,
    `-a -t ${V}:80 -r ${R1}:80 -m`,
    `-a -t ${V}:80 -r ${R2}:80 -m`,
  );
}

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

/** Who is said to get the client's next connection, and why: "scheduler", "template". */
async function foreseen(): Promise<{ readonly choice: string; readonly by: string }> {
  const { choice = "nobody", by } = await new Client(home.socket).call(
    "explain",
    { service: SERVICE },
    { client: { address: C, port: 0 }, to: null, protocol: null, whatIf: [] },
  );
  return { choice, by };
}

const SERVICE = {
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: V, port: 80 },
} as const;

const SCHEDULINGS = ["rr", "wrr", "wlc", "sed", "sh", "mh", "lblc", "rr -p 60"];

test.for(["userspace", "kernel"])(
  "what is told happens to the packet, engine %s",
  async (engine) => {
    await start(engine);
    home.configure(`-e -t ${V}:80 -r ${R1}:80 -m -w 3`);
    for (const scheduling of SCHEDULINGS) {
      home.configure(`-E -t ${V}:80 -s ${scheduling}`);
      const told: string[] = [];
      const happened: string[] = [];
      for (let count = 0; count < 4; count++) {
        const { choice, by } = await foreseen();
        told.push(choice);
        happened.push(`${network.ask(80)}:80`);
        if (count > 0)
          expect([scheduling, by]).toEqual([
            scheduling,
            scheduling.includes("-p") ? "template" : "scheduler",
          ]);
      }
      expect([scheduling, ...told]).toEqual([scheduling, ...happened]);
    }
  },
);

test("a page says each step, and what if", async () => {
  await start("userspace");
  const { stdout } = home.sluice(`explain ${C}:1234 ${V}:80`);
  expect(stdout).toContain(`Packet      ${C}:1234 to ${V}:80, TCP, the first of a connection`);
  expect(stdout).toContain(`Service     TCP ${V}:80: scheduler wlc, not persistent`);
  expect(stdout).toMatch(/^-> {2}10\.1\.0\.2[12]:80 {2}masquerade {2}1 .*gets it$/m);
  expect(stdout).toMatch(
    /^Leaves {6}as 10\.9\.0\.2:1234 to 10\.1\.0\.2[12]:80, 40 bytes, by \S+ to 10\.1\.0\.2[12]$/m,
  );
});

test("a whole file, before it is applied, with what is known of servers", async () => {
  await start("kernel");
  const service = (port: number, ...servers: readonly string[]): string => `
  - name: web${port}
    vip: ${V}
    port: ${port}
    scheduler: rr
    check: {type: tcp, interval: 200ms, timeout: 200ms, fall: 1}
    destinations: [${servers.map((each) => `{address: ${each}, forwarding: masquerade}`).join(", ")}]`;
  const write = (...services: readonly string[]): void =>
    writeFileSync(home.configuration, `services:${services.join("")}\n`);
  const explain = (port: number): unknown => {
    const { stdout } = home.sluice(
      `explain --json --what-if ${home.configuration} ${C} web${port}`,
    );
    return JSON.parse(stdout);
  };
  // Nobody listens at R2:81, and Sluice learns so.
  write(service(80, R1, R2), service(81, R2));
  expect(home.sluice(`apply --wait ${home.configuration}`).code).toBe(3);
  const health = home.sluice("status --json").stdout;

  // A service that is not there yet, one that changes, and R2:81, which is down wherever it is asked.
  write(service(80, R2), service(81, R2, R1), service(82, R1));
  expect(explain(82)).toMatchObject({ choice: `${R1}:82`, service: { name: `TCP ${V}:82` } });
  expect(explain(81)).toMatchObject({ choice: `${R1}:81`, candidates: [{}] });
  expect(explain(80)).toMatchObject({ choice: `${R2}:80`, candidates: [{}] });
  const two = `explain --json --what-if ${home.configuration} --what-if`;
  expect(home.sluice(`${two} ${home.configuration} ${C} ${V}:80`).code).toBe(2);
  const unknown = home.sluice(`explain --what-if ${home.configuration} ${C} ${V}:83`);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("No such service") });

  // Nothing was changed by the questions, and what was told then happens.
  expect(JSON.parse(home.sluice("status --json").stdout)).toMatchObject({
    generation: (JSON.parse(health) as { generation: number }).generation,
    services: 2,
  });
  expect(home.sluice(`apply ${home.configuration}`).code).toBe(0);
  expect(network.ask(80)).toBe(R2);
});

test("nobody gets it: exit 3; mistakes are told", async () => {
  await start("kernel");
  home.configure(`-e -t ${V}:80 -r ${R1}:80 -m -w 0`, `-e -t ${V}:80 -r ${R2}:80 -m -w 0`);
  const { code, stdout } = home.sluice(`explain ${C} ${V}:80`);
  expect([code, stdout]).toEqual([3, expect.stringContaining("no server gets it")]);
  expect(home.sluice(`explain ${C} ${V}:81`)).toMatchObject({ code: 1, stdout: "" });
  expect(home.sluice("explain nonsense").stderr).toContain("expected CLIENT[:PORT] SERVICE");
  expect(home.sluice(`explain 2001:db8::1 ${V}:80`).stderr).toContain("different families");
});
