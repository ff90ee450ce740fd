import { expect, test } from "vitest";
import { parseMac } from "../net/mac-address.ts";
import { PROGRAMS } from "./commands/index.ts";
import { Simulation } from "./simulation.ts";

async function pair(seed = 1): Promise<Simulation> {
  const simulation = new Simulation({ seed, programs: PROGRAMS });
  const wire = simulation.addSwitch("lan");
  for (const [index, name] of ["a", "b", "c"].entries()) {
    const host = simulation.addHost(name);
    host.plug("eth0", parseMac(`02:00:00:00:00:0${index + 1}`)!, wire);
    await simulation.run(name, "ip link set lo up; ip link set eth0 up");
    await simulation.run(name, `ip addr add 10.0.0.${index + 1}/24 brd + dev eth0`);
  }
  return simulation;
}

test("a host that is asked by ARP answers, and then the ping", async () => {
  const simulation = await pair();
  const { status, output } = await simulation.run("a", "ping -c 1 10.0.0.2");
  expect(output).toMatch(/64 bytes from 10\.0\.0\.2: icmp_seq=1 ttl=64 time=0\.\d+ ms/);
  expect(output).toContain("1 packets transmitted, 1 received, 0% packet loss, time 0ms");
  expect(status).toBe(0);
  expect((await simulation.run("a", "ip neigh")).output).toBe(
    "10.0.0.2 dev eth0 lladdr 02:00:00:00:00:02 REACHABLE \n",
  );
});

test("the same seed and lines give the same events, frame by frame", async () => {
  const [one, other] = [await pair(7), await pair(7)];
  for (const simulation of [one, other])
    await simulation.run("a", "ping -c 2 10.0.0.3 && ip neigh");
  expect(one.events).toEqual(other.events);
  expect(one.events.length).toBeGreaterThan(20);
});

test("nobody is there: three questions, and what waits is told so", async () => {
  const simulation = await pair();
  const { status, output } = await simulation.run("a", "ping -c 1 10.0.0.9");
  expect(output).toContain("From 10.0.0.1 icmp_seq=1 Destination Host Unreachable");
  expect(status).toBe(1);
  expect((await simulation.run("a", "ip neigh")).output).toBe("10.0.0.9 dev eth0 FAILED \n");
});
