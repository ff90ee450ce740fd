/** What `sluice explain` says of a packet is what then becomes of it. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { DaemonHome } from "./daemon.ts";
import { C, Network, R1, R2, V } from "./network.ts";

let network: Network;
let home: DaemonHome;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80);
  await home.start(network.director);
  home.configure(
    `-A -t ${V}:80 -s wlc`,
    `-a -t ${V}:80 -r ${R1}:80 -m`,
    `-a -t ${V}:80 -r ${R2}:80 -m`,
  );
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

function choice(): string {
  const { code, stdout } = home.sluice(`explain --json ${C} tcp:${V}:80`);
  expect(code).toBe(0);
  const { choice } = JSON.parse(stdout) as { readonly choice: string };
  return choice;
}

test("what is told of a client's packet happens to it", () => {
  for (let count = 0; count < 4; count++) {
    const said = choice();
    expect(`${network.ask(80)}:80`).toBe(said);
  }
});

test("a page says each step, and what if", () => {
  const { stdout } = home.sluice(`explain ${C}:1234 ${V}:80`);
  expect(stdout).toContain(`Packet      ${C}:1234 to ${V}:80, TCP, the first of a connection`);
  expect(stdout).toContain(`Service     TCP ${V}:80: scheduler wlc, not persistent`);
  expect(stdout).toMatch(/^-> {2}10\.1\.0\.2[12]:80 {2}masquerade {2}1 .*gets it$/m);
  expect(stdout).toMatch(
    /^Leaves {6}as 10\.9\.0\.2:1234 to 10\.1\.0\.2[12]:80, 40 bytes, by \S+ to 10\.1\.0\.2[12]$/m,
  );
});

test("nobody gets it: exit 3; mistakes are told", () => {
  home.configure(`-e -t ${V}:80 -r ${R1}:80 -m -w 0`, `-e -t ${V}:80 -r ${R2}:80 -m -w 0`);
  const { code, stdout } = home.sluice(`explain ${C} ${V}:80`);
  expect([code, stdout]).toEqual([3, expect.stringContaining("no server gets it")]);
  expect(home.sluice(`explain ${C} ${V}:81`)).toMatchObject({ code: 1, stdout: "" });
  expect(home.sluice("explain nonsense").stderr).toContain("expected CLIENT[:PORT] SERVICE");
  expect(home.sluice(`explain 2001:db8::1 ${V}:80`).stderr).toContain("different families");
});
