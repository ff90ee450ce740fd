/** One file says which services there are, on real packets: at the start, by SIGHUP, by `sluice apply`, and after a SIGKILL. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DaemonHome } from "./daemon.ts";
import { Network, R1, R2, V } from "./network.ts";

/** A process of its own reads the file. */
const PATIENCE = { timeout: 30_000 };

let network: Network;
let home: DaemonHome;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80);
});

afterEach(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

const web = (server: string, rest = ""): string => `services:
  - name: web
    vip: ${V}
    port: 80
    destinations:
      - {address: ${server}, forwarding: masquerade${rest}}
`;

const plan = (): [number | null, string] => {
  const { code, stdout, stderr } = home.sluice(`plan ${home.configuration}`);
  return [code, stdout + stderr.replaceAll(`${home.directory}/`, "")];
};

test("a daemon without services is told all by one file, and its connections go on", async () => {
  const daemon = await home.start(network.director);
  writeFileSync(home.configuration, web(R1));
  expect(plan()).toEqual([2, expect.stringContaining(`+ tcp:${V}:80 (web)  scheduler wlc\n`)]);
  expect(network.ask(80)).toBe("refused");
  expect(home.sluice(`apply ${home.configuration}`).code).toBe(0);
  expect(network.ask(80)).toBe(R1);
  expect(plan()).toEqual([0, "Nothing would change.\n"]);

  const held = await network.hold(80);
  writeFileSync(home.configuration, web(R2));
  const dropping =
    /^- tcp:\S+ \(web\) -> \S+:80 {2}\(would drop the packets of \d+ connections?\)$/m;
  await expect.poll(plan).toEqual([2, expect.stringMatching(dropping)]);
  await held.end();
  expect(home.sluice(`apply --dry-run ${home.configuration}`).code).toBe(0);
  expect(network.ask(80)).toBe(R1);

  writeFileSync(home.configuration, web(R2, ", weight: ten"));
  expect(home.sluice(`apply ${home.configuration}`)).toMatchObject({ code: 1, stdout: "" });
  expect(plan()).toEqual([
    1,
    `sluice.yaml:6:62: services[0].destinations[0].weight: expected an integer from 0 to 65535, got "ten"\n`,
  ]);
  expect(network.ask(80)).toBe(R1);

  writeFileSync(home.configuration, home.sluice("export").stdout);
  expect(plan()).toEqual([0, "Nothing would change.\n"]);
  expect(await daemon.end("SIGTERM")).toBe(0);
});

test("--config is in force at the start and by SIGHUP; a bad file changes nothing", async () => {
  writeFileSync(home.configuration, web(R1));
  const daemon = await home.start(network.director, "--config", home.configuration);
  expect(network.ask(80)).toBe(R1);

  writeFileSync(home.configuration, web(R2, ", weight: 70000"));
  daemon.signal("SIGHUP");
  const told = (wanted: string, times: number) =>
    expect
      .poll(() => daemon.messages.filter((message) => message.includes(wanted)).length, PATIENCE)
      .toBe(times);
  await told("the configuration is not used: all stays as it is", 1);
  expect(network.ask(80)).toBe(R1);
  const refused = home.sluice("status");
  expect(refused.code).toBe(3);
  expect(refused.stdout).toMatch(/\nReload +REFUSED .*weight: expected .*got 70000\n/);

  writeFileSync(home.configuration, web(R2));
  daemon.signal("SIGHUP");
  await told("the configuration is in force", 1);
  expect(network.ask(80)).toBe(R2);
  expect(home.sluice("status").stdout).not.toContain("REFUSED");

  home.configure(`-e -t ${V}:80 -r ${R2}:80 -m -w 7`, `-A -t ${V}:8080`);
  daemon.signal("SIGHUP");
  await told("the configuration is in force", 2);
  const listing = (): string => home.ipvsadm("-S -n").stdout;
  const kept = `-A -t ${V}:80 -s wlc\n-a -t ${V}:80 -r ${R2}:80 -m -w 7\n`;
  expect(listing()).toBe(kept);

  await daemon.end("SIGKILL");
  const next = await home.start(network.director, "--config", home.configuration);
  expect(listing()).toBe(kept);
  expect(network.ask(80)).toBe(R2);
  expect(await next.end("SIGTERM")).toBe(0);
});

test("a daemon does not start with a bad file, and says all that is wrong with it", async () => {
  writeFileSync(home.configuration, web(R1, ", wieght: 5").replace("port: 80", "port: http"));
  const child = home.launch(network.director, "--config", home.configuration);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(1);
  expect(
    said,
  ).toBe(`sluice daemon: ${home.configuration}:4:11: services[0].port: expected an integer from 0 to 65535, or a range such as 8000-8010, got "http"
${home.configuration}:6:54: services[0].destinations[0].wieght: unknown key, did you mean "weight"?
`);
});
