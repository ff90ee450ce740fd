/** Knobs of a daemon that balances: set by `sluice sysctl`, in effect, and kept over its restart. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { DaemonHome } from "./daemon.ts";
import { Network, R1, V } from "./network.ts";

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

test("a knob that was set is in effect after a restart", async () => {
  const first = await home.start(network.director);
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`);
  expect(home.sluice("sysctl -w net.ipv4.vs.sloppy_tcp=1")).toEqual({
    code: 0,
    stdout: "net.ipv4.vs.sloppy_tcp = 1\n",
    stderr: "",
  });
  const held = await network.hold(80);
  await first.end("SIGTERM");

  // The connection's entry is gone with the first daemon: a sloppy one takes it up in its middle.
  const second = await home.start(network.director);
  expect(home.sluice("sysctl -n net.ipv4.vs.sloppy_tcp").stdout).toBe("1\n");
  await held.end();
  expect(await second.count("forward-masquerade")).toBeGreaterThan(0);
  expect(await second.count("pass-not-first")).toBe(0);

  expect(home.sluice("sysctl -q net/ipv4/vs/sloppy_tcp=0").stdout).toBe("");
  const other = await network.hold(80);
  await second.end("SIGTERM");
  const third = await home.start(network.director);
  await other.end().catch(() => {});
  await expect.poll(() => third.count("pass-not-first")).toBeGreaterThan(0);
});

test("what cannot be set is refused, and nothing with it", async () => {
  await home.start(network.director);
  expect(
    home.sluice(
      "sysctl net.ipv4.vs.drop_packet=3 net.ipv4.vs.drop_entry=4 net.ipv4.vs.debug_level=1",
    ),
  ).toEqual({
    code: 1,
    stdout: "",
    stderr: `sysctl: setting key "net.ipv4.vs.drop_entry": Invalid argument
sysctl: setting key "net.ipv4.vs.debug_level": Operation not supported: Sluice has no messages in the kernel's log
sysctl: nothing is set: all values of a call are, or none
`,
  });
  expect(home.sluice("sysctl -n net.ipv4.vs.drop_packet").stdout).toBe("0\n");
});
