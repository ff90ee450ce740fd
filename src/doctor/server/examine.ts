/** What is wrong with a real server, for one VIP. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "../../net/address.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import type { Examination, Finding, Skipped } from "../finding.ts";
import { readFirewall } from "../host/firewall.ts";
import { cards, type HostInterface, ownAddress, readInterfaces } from "../host/interfaces.ts";
import { defaultRoute } from "../host/routes.ts";
import { interfaceSetting, readSetting } from "../host/settings.ts";
import { readListeners } from "../host/sockets.ts";
import { whoHas } from "../wire/who-has.ts";
import { Wire } from "../wire/wire.ts";
import { diagnose } from "./diagnose.ts";
import type { ServerFacts, WireFacts } from "./facts.ts";
import { ownServices } from "./own-services.ts";

export interface ServerQuestion {
  readonly vip: Address;
  /** Undefined: whether anybody listens is not asked. */
  readonly port: number | undefined;
  readonly protocol: "tcp" | "udp";
  /** How the director sends to this server. */
  readonly forwarding: "route" | "tunnel" | "masquerade";
  readonly listenMs: number;
}

export async function examineServer(question: ServerQuestion): Promise<Examination> {
  const { vip } = question;
  const interfaces = await readInterfaces();
  const skipped: Skipped[] = [];
  const [gateway, services] = await Promise.all([defaultRoute(vip.family), ownServices(vip)]);
  const wires: WireFacts[] = [];
  const listenTo = async (card: HostInterface): Promise<void> => {
    try {
      const facts = await listen(
        card,
        question,
        gateway.kind === "out" ? gateway.nextHop : undefined,
      );
      if (facts !== undefined) wires.push(facts);
    } catch (error) {
      skipped.push({ what: `the wire of ${card.name}`, why: (error as Error).message });
    }
  };
  await Promise.all(cards(interfaces).map(listenTo));
  // Now, when what went by meanwhile is counted.
  const firewall = await readFirewall();
  if (firewall === undefined) {
    skipped.push({ what: "firewall rules", why: "neither iptables-save nor nft tells them" });
  }
  const facts: ServerFacts = {
    question,
    interfaces,
    settingsOf: (name) => ({
      arpIgnore: interfaceSetting("arp_ignore", name),
      arpAnnounce: interfaceSetting("arp_announce", name),
      reversePathFilter: interfaceSetting("rp_filter", name),
    }),
    loArpIgnore: readSetting("net/ipv4/conf/lo/arp_ignore") ?? 0,
    gateway,
    listeners: readListeners(question.protocol),
    firewall: firewall ?? [],
    services,
    wires,
  };
  const findings: Finding[] = [...diagnose(facts)];
  return { findings, skipped };
}

/** Who says that he has the VIP and the gateway's address, and from whom packets for the VIP come meanwhile. */
async function listen(
  card: HostInterface,
  { vip, listenMs }: ServerQuestion,
  gateway: Address | undefined,
): Promise<WireFacts | undefined> {
  const asker = ownAddress(card, vip, [vip]);
  if (asker === undefined) return undefined;
  using wire = new Wire(card);
  const senders = new Map<MacAddress, string>();
  using _listening = wire.listen(({ source, destination, content }) => {
    if (content.kind !== "packet" || !content.to.equals(vip)) return;
    if (destination === wire.mac && source !== wire.mac) {
      senders.set(source, content.from.toString());
    }
  });
  const asking = Promise.all([
    whoHas(wire, asker, vip),
    gateway === undefined ? [] : whoHas(wire, ownAddress(card, gateway, [vip]) ?? asker, gateway),
  ]);
  const [[holders, gateways]] = await Promise.all([asking, sleep(listenMs)]);
  if (wire.trouble !== undefined) throw new Error(`the kernel refuses frames: ${wire.trouble}`);
  return { card: card.name, holders, gateways, senders };
}
