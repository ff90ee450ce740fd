/** Whether a real server keeps silent about its VIP: arp_ignore and arp_announce, by the larger of all and the card's. */
import { commands, type Finding, type Remedy } from "../finding.ts";
import { cards, isOnLink, placesOf } from "../host/interfaces.ts";
import type { ServerFacts } from "./facts.ts";

/** The values of arp_ignore that hide an address of another interface; 3 hides one of scope host alone. */
const HIDING = new Set([1, 2]);
const SCOPE_HOST_HIDDEN = 3;
const ALL_SILENT = 8;
const ANNOUNCE_BEST = 2;

export function* hiddenFromArp(facts: ServerFacts): Generator<Finding> {
  const { question, interfaces, settingsOf, loArpIgnore } = facts;
  const { vip, forwarding } = question;
  // IPv6 answers for addresses of the card alone (ndisc_recv_ns()), so there is nothing to set.
  if (forwarding === "masquerade" || vip.family === "inet6") return;
  const places = [...placesOf(interfaces, vip)];
  if (places.length === 0) return;
  const isScopeHost = places.every(({ as }) => as.scope === "host");
  for (const card of cards(interfaces)) {
    // One without an address of its own hears no questions.
    if (card.addresses.every(({ address }) => address.family !== "inet")) continue;
    const { arpIgnore, arpAnnounce } = settingsOf(card.name);
    const evidence = (name: string, { all, own, holds }: typeof arpIgnore): string =>
      `net.ipv4.conf.all.${name}=${all}, ${card.name}'s own ${own}: the larger, ${holds}, holds`;
    const ignores =
      HIDING.has(arpIgnore.holds) || (arpIgnore.holds === SCOPE_HOST_HIDDEN && isScopeHost);
    if (arpIgnore.holds === ALL_SILENT) {
      yield {
        code: "arp-silent",
        about: card.name,
        says: "arp_ignore is 8: this host answers ARP for none of its addresses",
        evidence: evidence("arp_ignore", arpIgnore),
        leadsTo: "nobody finds this host, the director neither",
        remedy: set("arp_ignore", 1, card.name, arpIgnore),
      };
    } else if (!ignores) {
      const leadsTo =
        "this host says that it has the VIP: some clients come here, past the director, until their ARP entry expires";
      if (arpIgnore.holds === SCOPE_HOST_HIDDEN) {
        yield {
          code: "arp-ignore-3",
          about: card.name,
          says: "arp_ignore is 3, which hides addresses of scope host alone, and the VIP's is global",
          evidence: evidence("arp_ignore", arpIgnore),
          leadsTo,
          remedy: set("arp_ignore", 1, card.name, arpIgnore),
        };
      } else if (loArpIgnore > 0 && arpIgnore.holds === 0) {
        yield {
          code: "arp-ignore-on-lo",
          about: card.name,
          says: `arp_ignore is set on lo, where no question arrives: what counts is ${card.name}, and all`,
          evidence: `${evidence("arp_ignore", arpIgnore)}; net.ipv4.conf.lo.arp_ignore=${loArpIgnore}`,
          leadsTo,
          remedy: set("arp_ignore", 1, card.name, arpIgnore),
        };
      } else {
        yield {
          code: "arp-ignore",
          about: card.name,
          says: `arp_ignore is ${arpIgnore.holds}: questions that arrive by ${card.name} are answered for the VIP, wherever it is`,
          evidence: evidence("arp_ignore", arpIgnore),
          leadsTo,
          remedy: set("arp_ignore", 1, card.name, arpIgnore),
        };
      }
    }
    const isNear = isOnLink(card, vip);
    if (arpAnnounce.holds < ANNOUNCE_BEST && (arpAnnounce.holds === 0 || isNear)) {
      yield {
        code: arpAnnounce.holds === 1 ? "arp-announce-1" : "arp-announce",
        about: card.name,
        says:
          arpAnnounce.holds === 1
            ? `arp_announce is 1, which keeps the VIP as the asker, for it lies in ${card.name}'s own network`
            : "arp_announce is 0: this host asks for its clients in the VIP's name",
        evidence: evidence("arp_announce", arpAnnounce),
        leadsTo:
          "neighbours that hear such a question learn that the VIP is here, and their packets go past the director",
        remedy: set("arp_announce", ANNOUNCE_BEST, card.name, arpAnnounce),
      };
    }
  }
}

/** On all, and on the card where its own value, being larger, would hold. */
function set(name: string, value: number, card: string, { own }: { readonly own: number }): Remedy {
  const all = `sysctl -w net.ipv4.conf.all.${name}=${value}`;
  return own > value
    ? commands(all, `sysctl -w net.ipv4.conf.${card}.${name}=${value}`)
    : commands(all);
}
