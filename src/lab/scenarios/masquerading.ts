/** LVS by NAT: the director rewrites both ways, so it has to be the real servers' gateway. */
import type { Family } from "../../net/address.ts";
import { endpoint } from "../endpoint.ts";
import type { Equipment } from "../network/equipment.ts";
import { addressOn, type LabPlan, macOf } from "../network/plan.ts";
import type { Wire } from "../network/taps.ts";
import { experiment } from "./experiment.ts";
import { countBy } from "./listing.ts";
import type { Statement, Step } from "./scenario.ts";
import {
  connectionTable,
  handshake,
  requests,
  virtualAddress,
  virtualService,
  webServers,
} from "./service-steps.ts";
import { pings } from "./statements.ts";
import { tcpFrom } from "./wire-statements.ts";

/** The words for forwarding and for the way out. */
interface Routing {
  readonly forward: string;
  add(gateway: string): string;
  remove(gateway: string): string;
  readonly show: string;
  /** The default route's row of what `show` prints, with its gateway. */
  readonly defaultRow: RegExp;
}

const ROUTING: Readonly<Record<Family, Routing>> = {
  inet: {
    forward: "echo 1 > /proc/sys/net/ipv4/ip_forward",
    add: (gateway) => `route add default gw ${gateway}`,
    remove: (gateway) => `route del default gw ${gateway}`,
    show: "route -n",
    defaultRow: /^0\.0\.0\.0 +(\S+).*/m,
  },
  inet6: {
    forward: "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
    add: (gateway) => `ip -6 route add default via ${gateway}`,
    remove: (gateway) => `ip -6 route del default via ${gateway}`,
    show: "ip -6 route show default",
    defaultRow: /^default via (\S+).*/m,
  },
};

export function masquerading(equipment: Equipment): readonly Step[] {
  const { plan, wire } = equipment;
  const routing = ROUTING[plan.family];
  const insideAddress = addressOn(plan, "node01", "lan");
  const address = virtualAddress(plan, { also: ", and forwarding", commands: [routing.forward] });
  const answered: string[] = [];
  return [
    { ...address, statements: [...address.statements, pings("client", plan.vip)] },
    gateway(plan, routing, insideAddress),
    webServers(equipment, "node01"),
    virtualService(equipment, "-m", "Masq"),
    requests(equipment, answered),
    handshake(equipment, ({ rip }) => endpoint(rip, plan.realPort), answered, [
      repliesGoThroughTheDirector(plan, wire),
      repliesAreRewritten(plan, wire),
    ]),
    connectionTable(equipment),
    experiment(
      equipment,
      {
        title: (host) => `${host} loses its default route`,
        breaking: routing.remove(insideAddress),
        mending: routing.add(insideAddress),
      },
      () => answered,
    ),
  ];
}

function gateway({ realServers }: LabPlan, routing: Routing, address: string): Step {
  return {
    title: "node01 is the gateway of node02 and node03",
    perform: async (stage) => {
      for (const { host } of realServers) await stage.run(host, routing.add(address));
    },
    statements: [
      ...realServers.map(
        ({ host }): Statement => ({
          says: `${host} sends what is not for its own network to ${address}`,
          check: async (stage) => {
            const { stdout } = await stage.run(host, routing.show);
            const [row = "none", found] = routing.defaultRow.exec(stdout) ?? [];
            return { ok: found === address, evidence: row };
          },
        }),
      ),
      ...realServers.map(({ host }) => pings(host, address)),
      {
        says: "the client has no way to the real servers: it knows the VIP alone",
        check: async (stage) => {
          const { rip } = realServers[0]!;
          const { code, output } = await stage.attempt("client", `ping -c 1 -W 1 ${rip}`);
          return { ok: code !== 0, evidence: output.trim() };
        },
      },
    ],
  };
}

function repliesGoThroughTheDirector(plan: LabPlan, wire: Wire): Statement {
  const site = endpoint(plan.vip, 80);
  const director = macOf(addressOn(plan, "node01", "outside"));
  return {
    says: "every frame of a reply reaches the client from node01",
    check: async () => {
      const replies = tcpFrom(await wire.frames("client"), site);
      const from = replies.map(({ ethernetSource }) =>
        ethernetSource === director ? "node01" : ethernetSource,
      );
      return {
        ok: from.length > 0 && from.every((name) => name === "node01"),
        evidence: `frames from ${site} by sender: ${countBy(from)}`,
      };
    },
  };
}

function repliesAreRewritten(plan: LabPlan, wire: Wire): Statement {
  const { vip, client, realPort, realServers } = plan;
  return {
    says: "real servers reply as themselves, and the client never sees it",
    check: async () => {
      const count = async (host: "node01" | "client"): Promise<number> => {
        const frames = await wire.frames(host);
        return realServers
          .flatMap(({ rip }) => tcpFrom(frames, endpoint(rip, realPort)))
          .filter(
            ({ content }) =>
              content.kind === "tcp" && content.destination.startsWith(endpoint(client, "")),
          ).length;
      };
      const [inside, outside] = [await count("node01"), await count("client")];
      return {
        ok: inside > 0 && outside === 0,
        evidence: `frames from port ${realPort}: ${inside} on node01's wires, ${outside} on the client's; those from ${endpoint(vip, 80)} replace them`,
      };
    },
  };
}
