/** Which way answers leave a real server, and which way requests come. */
import { advice, type Finding } from "../finding.ts";
import type { ServerFacts } from "./facts.ts";

/** With direct routing and tunnels answers go past the director, with NAT through it. */
export function* gatewayFaults({ question, gateway, wires }: ServerFacts): Generator<Finding> {
  const { forwarding } = question;
  if (gateway.kind !== "out") {
    // With direct routing and tunnels a client may be on the same wire; with NAT the director has to be on the way.
    if (forwarding !== "masquerade" || gateway.kind !== "none") return;
    yield {
      code: "no-gateway",
      about: "this host",
      says: "there is no default route",
      evidence: "'ip route show default' is empty",
      leadsTo: "clients of other networks get no answer",
      remedy: advice("'ip route add default via' the director's inner address"),
    };
    return;
  }
  const { interfaceName, nextHop } = gateway;
  const wire = wires.find(({ card }) => card === interfaceName);
  if (wire === undefined || wire.holders.length === 0 || wire.gateways.length === 0) return;
  const isDirector = wire.gateways.some((mac) => wire.holders.includes(mac));
  const evidence = `'ip route show default' has via ${nextHop.toString()} dev ${interfaceName}, which is at ${wire.gateways.join(", ")}; the VIP is at ${wire.holders.join(", ")}`;
  if (forwarding === "masquerade" && !isDirector) {
    yield {
      code: "gateway-not-director",
      about: "this host",
      says: `the default route leads to ${nextHop.toString()}, which is not the director`,
      evidence,
      leadsTo:
        "answers leave with this host's own address, where the director cannot make them the VIP's again: clients reset or never get them",
      remedy: advice("'ip route replace default via' the director's inner address"),
    };
  }
  if (forwarding !== "masquerade" && isDirector) {
    yield {
      code: "gateway-is-director",
      about: "this host",
      says: `the default route leads to ${nextHop.toString()}, which is the director itself`,
      evidence,
      leadsTo:
        "answers come from the VIP to a host that has the VIP: it drops them as martians, and clients of other networks hang",
      remedy: advice("'ip route replace default via' the router"),
    };
  }
}

/** Direct routing's frames come from the director's MAC address, tunnels' packets in others: anything else is a client's. */
export function* bypasses({ question, wires }: ServerFacts): Generator<Finding> {
  const { vip, forwarding } = question;
  if (forwarding === "masquerade") return;
  for (const { card, holders, senders } of wires) {
    if (holders.length === 0) continue;
    const strangers = [...senders].filter(([mac]) => !holders.includes(mac));
    if (strangers.length === 0) continue;
    const named = strangers.map(([mac, client]) => `${mac} (a packet of ${client})`);
    yield {
      code: "bypasses-director",
      about: card,
      says: `packets for ${vip.toString()} come here past the director`,
      evidence: `from ${named.join(", ")}; the director is at ${holders.join(", ")}`,
      leadsTo:
        "these clients always get this server, and the director does not know of them: their ARP entry for the VIP is wrong, from before it was hidden here",
      remedy: advice(
        `on the director: 'arping -U -c 3 -I INTERFACE ${vip.toString()}', which corrects everybody's entry`,
      ),
    };
  }
}
