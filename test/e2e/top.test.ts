/** `sluice top` in a real terminal, before a real daemon with real traffic. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Daemon, DaemonHome } from "./daemon.ts";
import { Network, NOBODY, R1, R2, V } from "./network.ts";
import { Terminal } from "./terminal.ts";

const COMMAND = new URL("../../bin/sluice", import.meta.url).pathname;

let network: Network;
let home: DaemonHome;
let daemon: Daemon;
let terminal: Terminal | undefined;

beforeEach(async () => {
  network = new Network();
  home = new DaemonHome();
  await network.speak(network.server, 80, "one");
});

async function start(engine: string): Promise<void> {
  daemon = await home.start(network.director, "--engine", engine);
  home.configure(
    `-A -t ${V}:80 -s rr`,
    `-a -t ${V}:80 -r ${R1}:80 -m -w 3`,
    `-a -t ${V}:80 -r ${R2}:80 -m -w 2`,
    `-A -u ${V}:53 -s rr`,
    `-a -u ${V}:53 -r ${R1}:53 -m`,
  );
}

afterEach(() => {
  terminal?.[Symbol.dispose]();
  terminal = undefined;
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

function top(columns = 80, rows = 24): Terminal {
  terminal = new Terminal(`SLUICE_SOCKET=${home.socket} ${COMMAND} top --interval 0.2`, {
    columns,
    rows,
  });
  return terminal;
}

const seen = () => expect.poll(() => terminal!.screen);

test("traffic is seen, servers are drained by keys, and the terminal is given back", async () => {
  await start("kernel");
  const screen = top();
  await seen().toMatch(new RegExp(`^>- tcp:${V}:80 +2/2 `, "m"));
  const held = await network.hold(80);
  // Of its active and inactive connections, and how many come a second.
  const asked = (): string => {
    expect(network.ask(80)).toBe("one");
    return screen.screen;
  };
  const busy = new RegExp(`^>- tcp:${V}:80 +2/2 +1 +[1-9]\\d* +[1-9]`, "m");
  await expect.poll(asked).toMatch(busy);
  screen.type("Down", "d");
  await seen().toContain(`Drain ${R1}:80? y/n`);
  screen.type("y");
  await seen().toMatch(new RegExp(`^> +${R1}:80 +draining +0 `, "m"));
  expect(home.sluice("drain").stdout).toContain(`tcp:${V}:80 -> ${R1}:80`);
  expect(home.sluice("history").stdout).toContain("sluice top");
  screen.type("u");
  await seen().toContain(`Undrain ${R1}:80? y/n`);
  screen.type("y");
  await seen().toMatch(new RegExp(`^> +${R1}:80 +unchecked +3 `, "m"));
  screen.type("2");
  await seen().toMatch(/^ +\d+ +[\d.]+ {2}forward-masquerade /m);
  screen.type("1/:53", "Enter");
  await seen().toMatch(new RegExp(`WEIGHT .*\\n - udp:${V}:53 `));
  screen.type("q");
  await seen().toMatch(/^ended with 0\n/);
  await held.end();
});

test("a lost daemon is said, and found again when there is one", async () => {
  await start("userspace");
  const screen = top();
  await seen().toContain(`process ${daemon.pid}`);
  await daemon.end("SIGKILL");
  await seen().toMatch(
    new RegExp(`^Nothing answers on ${home.socket} \\(for \\d+ s; asking again`),
  );
  // The last figures stay.
  expect(screen.screen).toContain(`tcp:${V}:80`);
  daemon = await home.start(network.director);
  await seen().toContain(`process ${daemon.pid}`);
  screen.type("C-c");
  await seen().toMatch(/^ended with 0\n/);
});

test("what is wrong is seen, at any size, and for pipes there are text and JSON", async () => {
  await start("userspace");
  home.configure(`-a -t ${V}:80 -r ${NOBODY}:80 -m -w 100`);
  const screen = top();
  await seen().toContain("BYTE/S\n");
  screen.resize(160, 40);
  await seen().toMatch(/PKT\/S IN +OUT +BYTE\/S IN +OUT +WHY$/m);
  expect(screen.screen.trimEnd().split("\n")).toHaveLength(40);
  screen.resize(50, 10);
  // Its ten lines have no room for that; between two pages it is empty.
  await seen().toMatch(new RegExp(`^(?!.*Nothing is known).*tcp:${V}:80`, "s"));
  screen.resize(30, 10);
  await seen().toMatch(/^Too small: 40x8 at least/);
  screen.resize(80, 24);
  await seen().toContain("BYTE/S\n");
  network.ask(80);
  await seen().toMatch(new RegExp(`^Wrong: TCP ${V}:80 -> ${NOBODY}: `, "m"));
  const once = home.sluice("top --once");
  expect(once).toMatchObject({ code: 0, stderr: "" });
  expect(once.stdout).toMatch(new RegExp(`^ +${R2}:80 +unchecked +2 `, "m"));
  const { code, stdout } = home.sluice("top --json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    pid: daemon.pid,
    services: [{ id: `tcp:${V}:80`, servers: [{ name: `${R1}:80` }, {}, {}] }, {}],
    findings: [{ code: "neighbour-silent" }],
  });
  expect(home.sluice("top")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there is no terminal to draw on: --once writes one page"),
  });
});
