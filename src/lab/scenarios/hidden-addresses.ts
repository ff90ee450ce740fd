/** The VIP on the real servers too, where nobody hears of it: what direct routing and tunnels ask of them. */
import type { Family } from "../../net/address.ts";
import { addressOn, type LabPlan, macOf } from "../network/plan.ts";
import type { Wire } from "../network/taps.ts";
import { countBy } from "./listing.ts";
import type { Statement, Step } from "./scenario.ts";
import { hasAddress, pings } from "./statements.ts";

/** How a real server has the VIP, and nobody hears of it. */
interface Hiding {
  readonly card: string;
  readonly prefixLength: number;
  /** Before the VIP is there: once it has been announced, it is too late to hide it. */
  readonly settings: readonly string[];
  add(vip: string): string;
  remove(vip: string): string;
  readonly discovery: string;
}

export const HIDING: Readonly<Record<Family, Hiding>> = {
  inet: {
    card: "lo:2",
    prefixLength: 32,
    settings: ["eth0", "all"].flatMap((name) => [
      `echo 1 > /proc/sys/net/ipv4/conf/${name}/arp_ignore`,
      `echo 2 > /proc/sys/net/ipv4/conf/${name}/arp_announce`,
    ]),
    // All four ones of the mask keep the real server's route to the client on eth0: with /24 the network would be on lo
    // too, which is nearer, and its frames would never leave.
    add: (vip) => `ifconfig lo:2 ${vip} netmask 255.255.255.255`,
    remove: () => "ifconfig lo:2 down",
    discovery: "ARP",
  },
  inet6: {
    card: "lo",
    prefixLength: 128,
    // Neighbour discovery answers only for the addresses of the card that the question came in by (RFC 4861 section
    // 7.2.3; ndisc_recv_ns()), so there is nothing to set, and no arp_ignore that could be.
    settings: [],
    add: (vip) => `ip addr add ${vip}/128 dev lo nodad`,
    remove: (vip) => `ip addr del ${vip}/128 dev lo`,
    discovery: "neighbour discovery",
  },
};

export function hiddenAddresses(plan: LabPlan, wire: Wire): Step {
  const { vip, client, realServers } = plan;
  const hiding = HIDING[plan.family];
  return {
    title: `The VIP hidden on ${hiding.card} of node02 and node03`,
    perform: async (stage) => {
      for (const { host } of realServers) {
        for (const setting of hiding.settings) await stage.run(host, setting);
        await stage.run(host, hiding.add(vip));
      }
    },
    statements: [
      ...realServers.map(({ host }) =>
        hasAddress(host, hiding.card, `${vip}/${hiding.prefixLength}`),
      ),
      answersAlone(plan, wire),
      ...(plan.family === "inet6" ? [realServersStaySilent(plan, wire)] : []),
      ...realServers.map(({ rip }) => pings("client", rip)),
      ...realServers.map(({ host }) => pings(host, client)),
    ],
  };
}

function answersAlone(plan: LabPlan, wire: Wire): Statement {
  const { vip, family } = plan;
  return {
    says: `${HIDING[family].discovery} for ${vip} is answered by node01 alone`,
    check: async (stage) => {
      // The ping also makes the client ask; whoever answers first would stand in its table, so the wire is read too.
      await stage.attempt("client", `ip neigh flush to ${vip}; ping -c 1 -W 2 ${vip}`);
      const { stdout } = await stage.run("client", `ip neigh show ${vip}`);
      const known = /lladdr (\S+)/.exec(stdout)?.[1];
      const replies = (await wire.frames("client")).filter(
        ({ content }) =>
          (content.kind === "arp-reply" || content.kind === "neighbour-advertisement") &&
          content.about === vip,
      );
      const from = replies.map(({ ethernetSource }) => ethernetSource);
      const director = macOf(addressOn(plan, "node01", "lan"));
      return {
        ok: known === director && from.length > 0 && from.every((mac) => mac === director),
        evidence: `replies on the client's wire: ${countBy(from)}; node01 is ${director}`,
      };
    },
  };
}

/** A switch may keep multicast from those who did not join: then their silence would prove nothing. */
function realServersStaySilent({ vip, realServers }: LabPlan, wire: Wire): Statement {
  return {
    says: "node02 and node03 hear who is asked for, and do not answer",
    check: async () => {
      const seen = await Promise.all(
        realServers.map(async ({ host, rip }) => {
          const frames = (await wire.frames(host)).filter(
            ({ content }) => "about" in content && content.about === vip,
          );
          const count = (kind: string, isOwn: boolean): number =>
            frames.filter(
              ({ content, ethernetSource }) =>
                content.kind === kind && (ethernetSource === macOf(rip)) === isOwn,
            ).length;
          return {
            host,
            heard: count("neighbour-solicitation", false),
            said: count("neighbour-advertisement", true),
          };
        }),
      );
      return {
        ok: seen.every(({ heard, said }) => heard > 0 && said === 0),
        evidence: seen
          .map(({ host, heard, said }) => `${host}: ${heard} solicitations heard, ${said} answered`)
          .join("; "),
      };
    },
  };
}
