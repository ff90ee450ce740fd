/** LVS by tunnels: the director puts each request, as it is, into another packet to the real server. */
import type { Family } from "../../net/address.ts";
import { endpoint, url } from "../endpoint.ts";
import type { Equipment } from "../network/equipment.ts";
import type { LabPlan } from "../network/plan.ts";
import { experiment } from "./experiment.ts";
import { hiddenAddresses } from "./hidden-addresses.ts";
import type { Step } from "./scenario.ts";
import {
  connectionTable,
  handshake,
  requests,
  virtualAddress,
  virtualService,
  webServers,
} from "./service-steps.ts";
import {
  arrivesWhole,
  fillsTheWire,
  hasOuterHeaders,
  isLoose,
  keepsHostSilent,
  listsTunnel,
  tellsClientWhatFits,
} from "./tunnel-statements.ts";
import { TUNNELS, type Tunnel } from "./tunnels.ts";
import { repliesBypassTheDirector, repliesComeFromRealServers } from "./wire-statements.ts";

/**
 * Over IPv6 the address that came last is the source of what a host sends, tunnel packets too: these would seem to come
 * from the VIP. A deprecated address is none (RFC 6724 section 5, rule 3).
 */
const DIRECTORS_VIP: Readonly<
  Record<Family, (plan: LabPlan) => Parameters<typeof virtualAddress>[1]>
> = {
  inet: () => ({}),
  inet6: ({ vip, prefixLength }) => ({
    also: ", but no source",
    commands: [`ip addr change ${vip}/${prefixLength} dev eth0 preferred_lft 0`],
  }),
};

const UPLOAD_BYTES = 1_000_000;
const UPLOAD = "/run/upload";

export function tunnelling(equipment: Equipment): readonly Step[] {
  const { plan, wire, options, decapsulators } = equipment;
  const tunnels = options.tunnels.map((name) => TUNNELS[name]);
  const answered: string[] = [];
  return [
    virtualAddress(plan, DIRECTORS_VIP[plan.family](plan)),
    hiddenAddresses(plan, wire),
    webServers(equipment, "client"),
    otherEnds(equipment),
    ...tunnels.flatMap((tunnel, index) => tunnelSteps(equipment, tunnel, index === 0, answered)),
    handshake(equipment, () => endpoint(plan.vip, 80), answered, [
      repliesComeFromRealServers(plan, wire),
      repliesBypassTheDirector(plan, wire),
    ]),
    connectionTable(equipment, tunnels.length * (options.requests + 1)),
    experiment(
      equipment,
      {
        title: (host) => `the decapsulator ends on ${host}`,
        breaking: async (server) => void (await decapsulators.stop(server)),
        mending: (server) => decapsulators.start(server),
        // At once, where the real server's own stack knows no tunnels: it says "unreachable", which node01 passes on.
        symptom: "fail",
      },
      () => answered,
    ),
  ];
}

function otherEnds({ plan, decapsulators }: Equipment): Step {
  return {
    title: "The tunnels' other ends on node02 and node03",
    perform: async (stage) => {
      for (const { host } of plan.family === "inet" ? plan.realServers : []) {
        // As distributions have it. A tunnel's end has to be an exception: what comes out of it is from clients whom the
        // real server would answer by eth0.
        await stage.run(host, "echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter");
      }
      await Promise.all(plan.realServers.map((server) => decapsulators.start(server)));
    },
    // IPv6 has no such filter.
    statements: plan.realServers.flatMap(({ host }) => [
      keepsHostSilent(host),
      ...(plan.family === "inet" ? [isLoose(host)] : []),
    ]),
  };
}

function tunnelSteps(
  equipment: Equipment,
  tunnel: Tunnel,
  isFirst: boolean,
  answered: string[],
): readonly Step[] {
  const { plan, wire } = equipment;
  const service = virtualService(equipment, tunnel.flags, "Tunnel", isFirst);
  const own: string[] = [];
  const asking = requests(equipment, own);
  return [
    {
      ...service,
      title: `${tunnel.title}: ${service.title.toLowerCase()}`,
      statements: [...service.statements, listsTunnel(plan, tunnel)],
    },
    {
      ...asking,
      title: `${tunnel.title}: ${asking.title}`,
      perform: async (stage) => {
        await asking.perform?.(stage);
        answered.push(...own);
      },
      statements: [...asking.statements, hasOuterHeaders(plan, wire, tunnel)],
    },
    upload(equipment, tunnel, isFirst),
  ];
}

/** More than fits into one packet, so that how much fits into one matters. */
function upload({ plan, wire }: Equipment, tunnel: Tunnel, isFirst: boolean): Step {
  const sent = { digest: "", answer: "" };
  return {
    title: `${tunnel.title}: an upload of 1 MB`,
    perform: async (stage) => {
      if (isFirst) {
        // Without this a card between namespaces carries segments that are still to be cut: 64 KB in one piece.
        await stage.run("client", "ip link set eth0 gso_max_segs 1");
        await stage.run("client", `head -c ${UPLOAD_BYTES} /dev/urandom > ${UPLOAD}`);
      }
      // What the client was told of another tunnel must not be what it knows of this one.
      const flush = plan.family === "inet" ? "ip route flush cache" : "ip -6 route flush cache";
      const { stdout } = await stage.run("client", `${flush}; sha256sum ${UPLOAD}`);
      sent.digest = stdout.split(" ")[0] ?? "";
      const command = `curl -sS --max-time 10 --data-binary @${UPLOAD} ${url(plan.vip)}`;
      sent.answer = (await stage.attempt("client", command)).output;
    },
    statements: [
      arrivesWhole(sent, UPLOAD_BYTES),
      tellsClientWhatFits(plan, wire, tunnel),
      fillsTheWire(plan, wire, tunnel),
    ],
  };
}
