/**
 * The reverse path filter where clients' packets arrive: with the way back by another interface a strict one drops them before any
 * service sees them, and a loose one those of whom there is no way back at all (__fib_validate_source() in
 * net/ipv4/fib_frontend.c). ARP questions it drops as well.
 */
import { advice, commands, type Finding, type Remedy } from "../finding.ts";
import type { ArrivalSeen, DirectorFacts } from "./facts.ts";

const OFF = 0;
const STRICT = 1;
const LOOSE = 2;

/** Packets for a VIP that this host's filter drops. */
export function dropsByReversePath({ card, route, reversePathFilter, vip }: ArrivalSeen): boolean {
  // IPv6 has no such filter of the kernel's own.
  if (vip.family === "inet6" || reversePathFilter.holds === OFF) return false;
  if (route.kind === "none") return true;
  const isElsewhere = route.kind === "out" && route.interfaceName !== card;
  return isElsewhere && reversePathFilter.holds === STRICT;
}

export function* reversePathFaults({ arrivals }: DirectorFacts): Generator<Finding> {
  const seen = new Set<string>();
  for (const arrival of arrivals.filter(dropsByReversePath)) {
    const { card, client, vip, route, reversePathFilter } = arrival;
    if (seen.has(card)) continue;
    seen.add(card);
    const { all, own, holds } = reversePathFilter;
    const back = route.kind === "out" ? `by ${route.interfaceName}` : "by no route";
    yield {
      code: "rp-filter",
      about: card,
      says: `the reverse path filter of ${card} drops clients' packets: the way back to ${client.toString()} is ${back}`,
      evidence: `a packet of ${client.toString()} for ${vip.toString()} came by ${card}; 'ip route get ${client.toString()}' leads ${back}; net.ipv4.conf.all.rp_filter=${all}, ${card}'s own ${own}: the larger, ${holds}, holds ('nstat -az TcpExtIPReversePathFilter' counts)`,
      leadsTo: "requests hang, and no service, counter or firewall rule ever sees them",
      remedy: remedyFor(arrival),
    };
  }
}

function remedyFor({ card, route, reversePathFilter: { all } }: ArrivalSeen): Remedy {
  if (route.kind === "none") return advice("add a route to these clients");
  // The larger holds: 2 on the card is more than whatever all says.
  return all > LOOSE
    ? advice("see rp_filter")
    : commands(`sysctl -w net.ipv4.conf.${card}.rp_filter=${LOOSE}`);
}
