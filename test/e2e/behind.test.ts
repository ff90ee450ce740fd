/** The host's rules behind the director: with net.ipv4.vs.conntrack they see what goes on to servers and clients. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { DaemonHome } from "./daemon.ts";
import { D, Network, R1, V } from "./network.ts";

let network: Network;
let home: DaemonHome;

beforeAll(async () => {
  network = new Network();
  home = new DaemonHome();
  network.director.run("sysctl -qw net.ipv4.ip_forward=1");
  await network.speak(network.server, 80);
  await home.start(network.director);
  home.configure(`-A -t ${V}:80 -s rr`, `-a -t ${V}:80 -r ${R1} -m`);
});

afterAll(() => {
  network[Symbol.dispose]();
  home[Symbol.dispose]();
});

const nft = (commands: string): string => network.director.run(`nft ${commands}`);
const knob = (value: number): string => home.sluice(`sysctl net.ipv4.vs.conntrack=${value}`).stdout;

test("a rule in output counts and stops what goes to a server, when conntrack is on", () => {
  nft(
    `add table ip operator; add chain ip operator out { type filter hook output priority 0; }; add rule ip operator out ip daddr ${R1} counter drop`,
  );
  expect(network.ask(80)).toBe(R1);
  expect(knob(1)).toBe("net.ipv4.vs.conntrack = 1\n");
  expect(network.ask(80)).toBe("silence");
  expect(nft("list chain ip operator out")).toMatch(/counter packets [1-9]/);
  nft("delete table ip operator");
  expect(network.ask(80)).toBe(R1);
});

test("full NAT: a server without a way back to its clients answers the director's own address", () => {
  network.server.batch(["route delete 10.9.0.0/16"]);
  knob(0);
  expect(network.ask(80)).toBe("silence");
  nft(
    `add table ip operator; add chain ip operator post { type nat hook postrouting priority 100; }; add rule ip operator post ip daddr ${R1} tcp dport 80 masquerade`,
  );
  knob(1);
  expect(network.ask(80)).toBe(R1);
  const seen = network.server.run("ss -Htan state time-wait state established sport = :80");
  expect(seen).toContain(D);
  network.answersGo("through the director");
  nft("delete table ip operator");
  knob(0);
});
