/** Whether the VIP is the director's, and everybody knows it. */
import { advice, commands, type Finding } from "../finding.ts";
import { bitsOf } from "../host/interfaces.ts";
import type { DirectorFacts } from "./facts.ts";

export function* vipFaults({ vips, names, told }: DirectorFacts): Generator<Finding> {
  for (const { vip, isLocal, card, holders, sentTo } of vips) {
    const about = vip.toString();
    if (!isLocal) {
      yield {
        code: "vip-not-local",
        about,
        says: `${about} is no address of this host, and no local route makes it one`,
        evidence: `'ip route get ${about}' does not say "local"`,
        leadsTo: "nobody answers for the VIP, and no packet reaches its services",
        remedy: commands(
          `ip address add ${about}/${bitsOf(vip.family)} dev ${card ?? "INTERFACE"}`,
        ),
      };
    }
    const known = (mac: string): string => {
      const name = names.get(mac as never);
      return name === undefined ? mac : `${mac} (${name})`;
    };
    if (holders.length > 0) {
      yield {
        code: "vip-elsewhere",
        about,
        says: `${holders.length === 1 ? "another host says" : `${holders.length} other hosts say`} that ${about} is theirs`,
        evidence: `asked on ${card ?? "the wire"}, ${holders.map(known).join(" and ")} answered`,
        leadsTo:
          "some clients go there, past this director: they always get one server, and are not counted here",
        remedy: advice(
          `on that host: 'sluice doctor --server ${about}', which tells which setting it is; a second director must give the VIP up`,
        ),
      };
    }
    const sent = [...sentTo].filter(([mac]) => !holders.includes(mac));
    if (sent.length > 0) {
      yield {
        code: "sent-elsewhere",
        about,
        says: "packets for it go by that are sent to another MAC address",
        evidence: sent.map(([mac, client]) => `to ${known(mac)}, of ${client}`).join("; "),
        leadsTo: `their senders, or their router, still believe that ${about} is there, as before a failover: nobody answers them`,
        remedy: commands(`arping -U -c 3 -I ${card ?? "INTERFACE"} ${about}`),
      };
    }
  }
  for (const { code, about, says, remedy } of told.findings) {
    if (code !== "local-client") continue;
    yield {
      code,
      about,
      says: "a client on this host itself asks it",
      evidence: says,
      leadsTo:
        "what is tested so is not what clients get, and hangs with direct routing and tunnels",
      remedy: advice(remedy),
    };
  }
}
