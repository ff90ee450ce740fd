/** LVS by NAT: the director rewrites both ways, so it has to be the real servers' gateway. */
import type { Equipment } from "./equipment.ts";
import { experiment } from "./experiment.ts";
import { countBy } from "./listing.ts";
import { type LabPlan, macOf, REAL_SERVERS } from "./plan.ts";
import type { Statement, Step } from "./scenario.ts";
import { connectionTable, requests, virtualService, webServers } from "./service-steps.ts";
import { hasAddress, hasNoSocketWith, holdsSockets, pings, tcpFrom } from "./statements.ts";
import type { Wire } from "./wire.ts";

const GATEWAY = "192.168.150.11";
const OUTSIDE_CARD = "203.0.113.11";
const ADD_ROUTE = `route add default gw ${GATEWAY}`;

export function masquerading(equipment: Equipment): readonly Step[] {
  const { plan, wire } = equipment;
  const answered: string[] = [];
  return [
    virtualAddress(plan),
    gateway(),
    webServers(equipment, "node01"),
    virtualService(equipment, "-m", "Masq"),
    requests(equipment, answered),
    {
      title: "Who shakes hands with the client",
      statements: [
        hasNoSocketWith(plan.client),
        ...REAL_SERVERS.map((server) =>
          holdsSockets(server, `${server.rip}:${plan.realPort}`, plan.client, () => answered),
        ),
        repliesGoThroughTheDirector(plan, wire),
        repliesAreRewritten(plan, wire),
      ],
    },
    connectionTable(equipment),
    experiment(
      equipment,
      {
        title: (host) => `${host} loses its default route`,
        breaking: `route del default gw ${GATEWAY}`,
        mending: ADD_ROUTE,
      },
      () => answered,
    ),
  ];
}

function virtualAddress({ vip }: LabPlan): Step {
  return {
    title: "The VIP on node01's eth0:2, and forwarding",
    perform: async (stage) => {
      await stage.run("node01", `ifconfig eth0:2 ${vip}/24`);
      await stage.run("node01", "ifconfig eth0:2");
      await stage.run("node01", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    },
    statements: [hasAddress("node01", "eth0:2", `${vip}/24`), pings("client", vip)],
  };
}

function gateway(): Step {
  return {
    title: "node01 is the gateway of node02 and node03",
    perform: async (stage) => {
      for (const { host } of REAL_SERVERS) await stage.run(host, ADD_ROUTE);
    },
    statements: [
      ...REAL_SERVERS.map(
        ({ host }): Statement => ({
          says: `${host} sends what is not for its own network to ${GATEWAY}`,
          check: async (stage) => {
            const { stdout } = await stage.run(host, "route -n");
            const line = stdout.split("\n").find((row) => row.startsWith("0.0.0.0")) ?? "none";
            return { ok: line.split(/\s+/)[1] === GATEWAY, evidence: line };
          },
        }),
      ),
      ...REAL_SERVERS.map(({ host }) => pings(host, GATEWAY)),
      {
        says: "the client has no way to the real servers: it knows the VIP alone",
        check: async (stage) => {
          const { rip } = REAL_SERVERS[0]!;
          const { code, output } = await stage.attempt("client", `ping -c 1 -W 1 ${rip}`);
          return { ok: code !== 0, evidence: output.trim() };
        },
      },
    ],
  };
}

function repliesGoThroughTheDirector({ vip }: LabPlan, wire: Wire): Statement {
  const director = macOf(OUTSIDE_CARD);
  return {
    says: "every frame of a reply reaches the client from node01",
    check: async () => {
      const replies = tcpFrom(await wire.frames("client"), `${vip}:80`);
      const from = replies.map(({ ethernetSource }) =>
        ethernetSource === director ? "node01" : ethernetSource,
      );
      return {
        ok: from.length > 0 && from.every((name) => name === "node01"),
        evidence: `frames from ${vip}:80 by sender: ${countBy(from)}`,
      };
    },
  };
}

function repliesAreRewritten({ vip, client, realPort }: LabPlan, wire: Wire): Statement {
  return {
    says: "real servers reply as themselves, and the client never sees it",
    check: async () => {
      const count = async (host: "node01" | "client"): Promise<number> => {
        const frames = await wire.frames(host);
        return REAL_SERVERS.flatMap(({ rip }) => tcpFrom(frames, `${rip}:${realPort}`)).filter(
          ({ content }) => content.kind === "tcp" && content.destination.startsWith(`${client}:`),
        ).length;
      };
      const [inside, outside] = [await count("node01"), await count("client")];
      return {
        ok: inside > 0 && outside === 0,
        evidence: `frames from port ${realPort}: ${inside} on node01's wires, ${outside} on the client's; those from ${vip}:80 replace them`,
      };
    },
  };
}
