/** Who answers ARP for a hidden VIP, and as whom it is asked: simulated hosts, set each way in turn. */
import { macOf } from "../../src/lab/network/plan.ts";
import { ARP_OPERATION, type ArpMessage, ArpView } from "../../src/net/arp.ts";
import { ETHERTYPE, EthernetView } from "../../src/net/ethernet.ts";
import { parseMac } from "../../src/net/mac-address.ts";
import { PROGRAMS } from "../../src/simnet/commands/index.ts";
import { Simulation } from "../../src/simnet/simulation.ts";
import { Drawing } from "./drawing.ts";

const VIP = "192.168.150.100";
const ADDRESSES = { client: "192.168.150.1", node02: "192.168.150.12" } as const;
const NOBODY = "192.168.150.99";

/** The client, and a server with the VIP on lo. */
async function network(): Promise<Simulation> {
  const simulation = new Simulation({ seed: 1, programs: PROGRAMS });
  const lan = simulation.addSwitch("lan");
  for (const [name, address] of Object.entries(ADDRESSES)) {
    simulation.addHost(name).plug("eth0", parseMac(macOf(address))!, lan);
    await simulation.run(name, "ip link set lo up; ip link set eth0 up");
    await simulation.run(name, `ip addr add ${address}/24 brd + dev eth0`);
  }
  await simulation.run("node02", `ip addr add ${VIP}/32 dev lo`);
  return simulation;
}

/** What node02 said by ARP while `line` was typed on `host`. */
async function saidDuring(
  simulation: Simulation,
  host: string,
  line: string,
): Promise<readonly ArpMessage[]> {
  const before = simulation.events.length;
  await simulation.run(host, line);
  return simulation.events.slice(before).flatMap((event) => {
    if (event.kind !== "frame-sent" || event.host !== "node02") return [];
    const ethernet = EthernetView.over(event.bytes);
    if (typeof ethernet === "string" || ethernet.etherType !== ETHERTYPE.arp) return [];
    const view = ArpView.over(ethernet.payload);
    return typeof view === "string" ? [] : [view.message];
  });
}

async function answers(value: number, address: string): Promise<boolean> {
  const simulation = await network();
  await simulation.run("node02", `echo ${value} > /proc/sys/net/ipv4/conf/eth0/arp_ignore`);
  const said = await saidDuring(simulation, "client", `ping -c 1 -W 1 ${address}`);
  return said.some(({ operation }) => operation === ARP_OPERATION.reply);
}

async function asksAs(value: number): Promise<string> {
  const simulation = await network();
  await simulation.run("node02", `echo ${value} > /proc/sys/net/ipv4/conf/eth0/arp_announce`);
  const line = `ping -c 1 -W 1 -I ${VIP} ${NOBODY}`;
  const said = await saidDuring(simulation, "node02", line);
  return said.find(({ operation }) => operation === ARP_OPERATION.request)!.sender.toString();
}

const WIDTH = 700;
const ROW = 30;
const TOP = 64;

export async function drawArpIgnore(): Promise<string> {
  const values = [0, 1, 2, 3, 8];
  const drawing = new Drawing("Who answers, by arp_ignore", WIDTH, TOP + values.length * ROW + 16);
  const columns = [
    { x: 250, address: VIP, card: "lo" },
    { x: 480, address: ADDRESSES.node02, card: "eth0" },
  ];
  drawing.text(20, 42, "arp_ignore", { isBold: true });
  for (const { x, address, card } of columns) {
    drawing.text(x, 28, `who has ${address}?`, { meaning: "client" });
    drawing.text(x, 46, `node02 ${card}`, { meaning: "faint", size: 12 });
  }
  for (const [index, value] of values.entries()) {
    const y = TOP + index * ROW;
    drawing.line(20, y, WIDTH - 20, y);
    drawing.text(20, y + 20, `${value}`, { isBold: true });
    for (const { x, address } of columns) {
      const isAnswered = await answers(value, address);
      // For the VIP an answer is what must not be; for the server's own address, silence.
      const isRight = isAnswered === (address !== VIP);
      drawing.disc(x + 6, y + 15.5, 5, isRight ? "server" : "dropped");
      drawing.text(
        x + 22,
        y + 20,
        isAnswered ? `is at …${macOf(ADDRESSES.node02).slice(-5)}` : "(silence)",
        {
          meaning: isRight ? "server" : "dropped",
        },
      );
    }
  }
  return drawing.toString();
}

export async function drawArpAnnounce(): Promise<string> {
  const values = [0, 1, 2];
  const drawing = new Drawing(
    "As whom node02 asks, by arp_announce",
    WIDTH,
    TOP + values.length * ROW + 16,
  );
  drawing.text(20, 42, "arp_announce", { isBold: true });
  drawing.text(250, 28, `ping -I ${VIP} ${NOBODY}`, { meaning: "server" });
  drawing.text(250, 46, "node02", { meaning: "faint", size: 12 });
  for (const [index, value] of values.entries()) {
    const y = TOP + index * ROW;
    drawing.line(20, y, WIDTH - 20, y);
    drawing.text(20, y + 20, `${value}`, { isBold: true });
    const sender = await asksAs(value);
    const isRight = sender !== VIP;
    drawing.disc(256, y + 15.5, 5, isRight ? "server" : "dropped");
    drawing.text(272, y + 20, [
      { text: `who has ${NOBODY}? tell ` },
      { text: sender, meaning: isRight ? "server" : "dropped" },
    ]);
  }
  return drawing.toString();
}
