import { expect, test } from "vitest";
import { parseMac } from "../../net/mac-address.ts";
import { PROGRAMS } from "../commands/index.ts";
import { Simulation } from "../simulation.ts";

const ASKER = "10.1.0.2";
const SERVER = "10.1.0.11";
const VIP = "10.1.0.100";

/** A real server with a hidden VIP, and somebody who asks for it. */
async function laboratory(...settings: readonly string[]): Promise<Simulation> {
  const simulation = new Simulation({ seed: 1, programs: PROGRAMS });
  const wire = simulation.addSwitch("lan");
  for (const [name, mac, address] of [
    ["asker", "02:00:00:00:00:02", ASKER],
    ["server", "02:00:00:00:00:11", SERVER],
  ] as const) {
    simulation.addHost(name).plug("eth0", parseMac(mac)!, wire);
    const line = `ip link set lo up; ip addr add ${address}/24 dev eth0; ip link set eth0 up`;
    await simulation.run(name, line);
  }
  await simulation.run(
    "server",
    settings.map((each) => `sysctl -w net.ipv4.conf.${each}`).join("; ") || ":",
  );
  await simulation.run("server", `ip addr add ${VIP}/32 dev lo`);
  return simulation;
}

// biome-ignore format: a table
const IGNORING: readonly (readonly [settings: string[], vip: boolean, fromOtherSubnet: boolean])[] = [
  [[],                                              true,  true],
  [["all.arp_ignore=1"],                            false, true],
  [["eth0.arp_ignore=1"],                           false, true],
  [["lo.arp_ignore=1"],                             true,  true],
  [["all.arp_ignore=2"],                            false, false],
  [["all.arp_ignore=1", "eth0.arp_ignore=2"],       false, false],
  [["all.arp_ignore=3"],                            true,  true],
  [["all.arp_ignore=4"],                            true,  true],
  [["all.arp_ignore=7"],                            true,  true],
  [["all.arp_ignore=8"],                            false, false],
];

test.for(IGNORING)(
  "with %j the VIP is answered for: %s; the RIP, asked from elsewhere: %s",
  async ([settings, vip, other]) => {
    const simulation = await laboratory(...settings);
    const ask = async (line: string): Promise<boolean> =>
      (await simulation.run("asker", line)).status === 0;
    expect(await ask(`arping -c 1 -w 1 -I eth0 ${VIP}`)).toBe(vip);
    await simulation.run("asker", "ip addr add 172.16.0.1/24 dev eth0");
    await simulation.run("server", "ip route add 172.16.0.0/24 dev eth0");
    expect(await ask(`arping -c 1 -w 1 -s 172.16.0.1 -I eth0 ${SERVER}`)).toBe(other);
  },
);

test("arp_ignore=3 is silent for an address of scope host", async () => {
  const simulation = await laboratory("all.arp_ignore=3");
  await simulation.run(
    "server",
    `ip addr del ${VIP}/32 dev lo; ip addr add ${VIP}/32 dev lo scope host`,
  );
  expect((await simulation.run("asker", `arping -c 1 -w 1 -I eth0 ${VIP}`)).status).toBe(1);
});

// biome-ignore format: a table
const ANNOUNCING: readonly (readonly [setting: string, told: string])[] = [
  ["all.arp_announce=0",  VIP],
  ["all.arp_announce=1",  VIP],
  ["all.arp_announce=2",  SERVER],
  ["eth0.arp_announce=2", SERVER],
  ["lo.arp_announce=2",   VIP],
];

test.for(ANNOUNCING)(
  "with %s a server that sends from the VIP asks as %s",
  async ([setting, told]) => {
    const simulation = await laboratory(setting);
    const listening = simulation.run("asker", "timeout 2 tcpdump -n -c 1 -i eth0 arp");
    await simulation.run("server", `ping -c 1 -W 1 -I ${VIP} 10.1.0.99`);
    expect((await listening).output).toContain(`Request who-has 10.1.0.99 tell ${told}, length 28`);
  },
);
