/** The same questions about the same topology, answered by simulated hosts. */
import { Address } from "../../src/net/address.ts";
import { ARP_OPERATION, type ArpMessage, emitArpRequest } from "../../src/net/arp.ts";
import { BROADCAST_MAC, parseMac } from "../../src/net/mac-address.ts";
import { PROGRAMS } from "../../src/simnet/commands/index.ts";
import { emitFrame } from "../../src/simnet/neighbours/arp.ts";
import { Simulation } from "../../src/simnet/simulation.ts";
import type { Answers, Topology } from "./topology.ts";

const ANSWER_MS = 40;

export async function answerSimulated(topology: Topology): Promise<Answers> {
  const simulation = new Simulation({ seed: 1, programs: PROGRAMS });
  const done: boolean[] = [];
  const segments = new Map(topology.segments.map((name) => [name, simulation.addSwitch(name)]));
  for (const { name, cards, lines } of topology.hosts) {
    const host = simulation.addHost(name);
    host.settings.write("net.ipv6.conf.all.disable_ipv6", "1");
    for (const card of cards)
      host.plug(card.name, parseMac(card.mac)!, segments.get(card.segment)!);
    host.addresses.add(host.interface("lo")!, {
      address: Address.parse("127.0.0.1")!,
      prefixLength: 8,
    });
    host.addresses.up(host.interface("lo")!);
    for (const line of lines) {
      done.push((await simulation.run(name, line)).status === 0);
    }
  }
  const reached: boolean[] = [];
  for (const { host, target } of topology.pings) {
    reached.push((await simulation.run(host, `ping -c 1 -W 1 -w 1 ${target}`)).status === 0);
  }
  const answers: string[][] = [];
  for (const question of topology.questions) answers.push(await ask(simulation, question));
  return { done, answers, reached };
}

async function ask(
  simulation: Simulation,
  { card, sender, target }: Topology["questions"][number],
): Promise<string[]> {
  const asker = simulation.host("asker");
  const found = new Set<string>();
  const [from, to] = [Address.parse(sender)!, Address.parse(target)!];
  const hear = (_card: unknown, message: ArpMessage): void => {
    const isAnswer = message.operation === ARP_OPERATION.reply && message.sender.equals(to);
    if (isAnswer && message.target.equals(from)) found.add(message.senderMac);
  };
  const own = asker.interface(card)!;
  asker.arp.listeners.add(hear);
  asker.sendFrame(own, emitFrame(own.mac, BROADCAST_MAC, emitArpRequest(own.mac, from, to)));
  await simulation.pass(ANSWER_MS);
  asker.arp.listeners.delete(hear);
  return [...found].toSorted();
}
