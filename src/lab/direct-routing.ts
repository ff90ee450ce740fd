/** The handbook's laboratory: LVS by direct routing. */
import type { Equipment } from "./equipment.ts";
import { experiment } from "./experiment.ts";
import { countBy } from "./listing.ts";
import { type LabPlan, macOf, REAL_SERVERS } from "./plan.ts";
import type { Statement, Step } from "./scenario.ts";
import { connectionTable, requests, virtualService, webServers } from "./service-steps.ts";
import { hasAddress, hasNoSocketWith, holdsSockets, pings, tcpFrom } from "./statements.ts";
import type { Wire } from "./wire.ts";

/**
 * All four ones of the mask keep the real server's route to the client on eth0: with /24 the network would be on lo
 * too, which is nearer, and its frames would never leave.
 */
const hiddenVip = (vip: string): string => `ifconfig lo:2 ${vip} netmask 255.255.255.255`;

/** Before the VIP is there: once it has been announced, it is too late to hide it. */
const ARP_SETTINGS = ["eth0", "all"].flatMap((name) => [
  `echo 1 > /proc/sys/net/ipv4/conf/${name}/arp_ignore`,
  `echo 2 > /proc/sys/net/ipv4/conf/${name}/arp_announce`,
]);

export function directRouting(equipment: Equipment): readonly Step[] {
  const { plan, wire } = equipment;
  const answered: string[] = [];
  return [
    virtualAddress(plan),
    hiddenAddresses(plan, wire),
    webServers(equipment, "client"),
    virtualService(equipment, "-g", "Route"),
    requests(equipment, answered),
    {
      title: "Who shakes hands with the client",
      statements: [
        hasNoSocketWith(plan.client),
        ...REAL_SERVERS.map((server) =>
          holdsSockets(server, `${plan.vip}:80`, plan.client, () => answered),
        ),
        repliesComeFromRealServers(plan, wire),
        repliesBypassTheDirector(plan, wire),
      ],
    },
    connectionTable(equipment),
    experiment(
      equipment,
      {
        title: (host) => `the VIP goes down on ${host}`,
        breaking: "ifconfig lo:2 down",
        mending: hiddenVip(plan.vip),
      },
      () => answered,
    ),
  ];
}

function virtualAddress({ vip }: LabPlan): Step {
  return {
    title: "The VIP on node01's eth0:2",
    perform: async (stage) => {
      await stage.run("node01", `ifconfig eth0:2 ${vip}/24`);
      await stage.run("node01", "ifconfig eth0:2");
    },
    statements: [hasAddress("node01", "eth0:2", `${vip}/24`)],
  };
}

function hiddenAddresses({ vip, client }: LabPlan, wire: Wire): Step {
  return {
    title: "The VIP hidden on lo:2 of node02 and node03",
    perform: async (stage) => {
      for (const { host } of REAL_SERVERS) {
        for (const setting of ARP_SETTINGS) await stage.run(host, setting);
        await stage.run(host, hiddenVip(vip));
      }
    },
    statements: [
      ...REAL_SERVERS.map(({ host }) => hasAddress(host, "lo:2", `${vip}/32`)),
      answersArpAlone(vip, wire),
      ...REAL_SERVERS.map(({ rip }) => pings("client", rip)),
      ...REAL_SERVERS.map(({ host }) => pings(host, client)),
    ],
  };
}

function answersArpAlone(vip: string, wire: Wire): Statement {
  return {
    says: `ARP for ${vip} is answered by node01 alone`,
    check: async (stage) => {
      // The ping also makes the client ask; whoever answers first would stand in its table, so the wire is read too.
      await stage.attempt("client", `ip neigh flush to ${vip}; ping -c 1 -W 2 ${vip}`);
      const { stdout } = await stage.run("client", `ip neigh show ${vip}`);
      const known = /lladdr (\S+)/.exec(stdout)?.[1];
      const replies = (await wire.frames("client")).filter(
        ({ content }) => content.kind === "arp-reply" && content.sender === vip,
      );
      const from = replies.map(({ ethernetSource }) => ethernetSource);
      const director = macOf("192.168.150.11");
      return {
        ok: known === director && from.length > 0 && from.every((mac) => mac === director),
        evidence: `replies on the client's wire: ${countBy(from)}; node01 is ${director}`,
      };
    },
  };
}

function repliesComeFromRealServers({ vip }: LabPlan, wire: Wire): Statement {
  const servers = new Map(REAL_SERVERS.map(({ host, rip }) => [macOf(rip), host as string]));
  return {
    says: "the replies' frames reach the client from the real servers' cards",
    check: async () => {
      const replies = tcpFrom(await wire.frames("client"), `${vip}:80`);
      const from = replies.map(({ ethernetSource }) => servers.get(ethernetSource));
      return {
        ok: from.length > 0 && !from.includes(undefined),
        evidence: `frames from ${vip}:80 by sender: ${countBy(from.map((host) => host ?? "another"))}`,
      };
    },
  };
}

function repliesBypassTheDirector({ vip }: LabPlan, wire: Wire): Statement {
  return {
    says: "no frame of a reply passes node01",
    check: async () => {
      const frames = await wire.frames("node01");
      const replies = tcpFrom(frames, `${vip}:80`);
      return {
        ok: frames.length > 0 && replies.length === 0,
        evidence: `${frames.length} frames on node01's wire, ${replies.length} from ${vip}:80`,
      };
    },
  };
}
