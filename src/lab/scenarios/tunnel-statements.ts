/** Statements about tunnels. */
import type { Family } from "../../net/address.ts";
import { endpoint } from "../endpoint.ts";
import type { TunnelContent } from "../network/frame-content.ts";
import { addressOn, type LabPlan, type RealServerPlan } from "../network/plan.ts";
import type { Wire, WireFrame } from "../network/taps.ts";
import { countBy } from "./listing.ts";
import type { Statement } from "./scenario.ts";
import type { Tunnel } from "./tunnels.ts";

/** Every card's: Ethernet's. */
const MTU = 1500;

const IP_HEADER_LENGTH: Readonly<Record<Family, number>> = { inet: 20, inet6: 40 };

/** A stack that knows no tunnels would answer each packet with "unreachable". */
export function keepsHostSilent(host: RealServerPlan["host"]): Statement {
  return {
    says: `${host}'s own stack does not see tunnel packets: nftables drops them behind the decapsulator`,
    check: async (stage) => {
      const { stdout } = await stage.run(host, "nft list ruleset");
      const rules = stdout.split("\n").filter((line) => line.endsWith("drop"));
      return { ok: rules.length === 2, evidence: rules.map((rule) => rule.trim()).join("; ") };
    },
  };
}

/** The loose reverse path filter where packets come out of the tunnel: the larger of all's and its own counts. */
export function isLoose(host: RealServerPlan["host"]): Statement {
  return {
    says: `${host} takes packets from anywhere out of the tunnel: rp_filter is 2 there`,
    check: async (stage) => {
      const file = "/proc/sys/net/ipv4/conf/sluice-inner/rp_filter";
      const { stdout } = await stage.run(host, `cat ${file}`);
      return { ok: stdout.trim() === "2", evidence: `sluice-inner: ${stdout.trim()}, all: 1` };
    },
  };
}

/** `ipvsadm -ln --tun-info` names the tunnel of both real servers. */
export function listsTunnel({ realServers, realPort }: LabPlan, { listed }: Tunnel): Statement {
  return {
    says: `ipvsadm --tun-info lists both as ${listed}`,
    check: async (stage) => {
      const { stdout } = await stage.run("node01", "ipvsadm -ln --tun-info");
      const found = realServers.map(({ rip }) => {
        const row = stdout
          .split("\n")
          .find((line) => line.includes(` ${endpoint(rip, realPort)} `));
        return row?.trim().split(/\s+/).slice(1, 4).join(" ") ?? "nothing";
      });
      const wanted = realServers.map(({ rip }) => `${endpoint(rip, realPort)} Tunnel ${listed}`);
      return { ok: found.join() === wanted.join(), evidence: found.join(", ") };
    },
  };
}

/** What the director writes before each request. */
export function hasOuterHeaders(plan: LabPlan, wire: Wire, tunnel: Tunnel): Statement {
  const director = addressOn(plan, "node01", "lan");
  const port = tunnel.encapsulation === "gue" ? `, to port ${tunnel.listed.split(":")[1]}` : "";
  return {
    says: `outer headers are from ${director} to the real server${port}, with the request's time to live`,
    check: async () => {
      const seen: string[] = [];
      const wrong: string[] = [];
      const wires = await Promise.all(plan.realServers.map(({ host }) => wire.frames(host)));
      for (const [index, { rip }] of plan.realServers.entries()) {
        for (const { content } of wires[index]!) {
          if (content.kind !== "tunnel" || content.encapsulation !== tunnel.encapsulation) continue;
          seen.push(describe(content));
          if (!isRight(content, rip)) wrong.push(describe(content));
        }
      }
      const evidence = wrong.length > 0 ? `wrong: ${countBy(wrong)}` : countBy(seen);
      return { ok: seen.length > 0 && wrong.length === 0, evidence };
    },
  };

  function isRight(
    { source, destination, timeToLive, port: to, inner }: TunnelContent,
    rip: string,
  ) {
    return (
      source === director &&
      destination === rip &&
      timeToLive === inner.timeToLive &&
      inner.source.startsWith(endpoint(plan.client, "")) &&
      inner.destination === endpoint(plan.vip, 80) &&
      (to === undefined || tunnel.listed.includes(`:${to}:`))
    );
  }
}

function describe({
  encapsulation,
  source,
  destination,
  timeToLive,
  port,
  inner,
}: TunnelContent): string {
  const to = port === undefined ? destination : endpoint(destination, port);
  return `${encapsulation} ${source} > ${to} ttl ${timeToLive} (to ${inner.destination} ttl ${inner.timeToLive})`;
}

/** The upload's digest, as the real server has it. */
export function arrivesWhole(
  sent: { readonly digest: string; readonly answer: string },
  length: number,
): Statement {
  return {
    says: "the real server's answer shows that every byte arrived",
    check: async () => ({
      ok: sent.digest !== "" && sent.answer.includes(`${sent.digest}  ${length} bytes`),
      evidence: sent.answer.trim() || "no answer",
    }),
  };
}

/** Path MTU discovery: RFC 1191, RFC 8201. */
export function tellsClientWhatFits(plan: LabPlan, wire: Wire, tunnel: Tunnel): Statement {
  const { vip, client, family } = plan;
  const fits = MTU - IP_HEADER_LENGTH[family] - tunnel.overhead;
  return {
    says: `node01 told the client, as ${vip}, that ${fits} bytes fit: ${MTU} less the tunnel's headers`,
    check: async (stage) => {
      const { stdout } = await stage.run("client", `ip route get ${vip}`);
      const known = /mtu (\d+)/.exec(stdout)?.[1];
      const told = (await wire.frames("client")).flatMap(({ content }) =>
        content.kind === "too-big" && content.destination === client
          ? [`${content.mtu} from ${content.source}`]
          : [],
      );
      return {
        ok: known === `${fits}` && told.includes(`${fits} from ${vip}`),
        evidence: `the client's route has ${known ?? "no"} mtu; ICMP so far: ${countBy(told)}`,
      };
    },
  };
}

/** Nothing was fragmented or cut, and nothing would have to be on a real wire. */
export function fillsTheWire({ hosts }: LabPlan, wire: Wire, { encapsulation }: Tunnel): Statement {
  return {
    says: `no packet on any wire is longer than ${MTU} bytes, and the tunnel's longest is as long`,
    check: async () => {
      const all = await Promise.all(hosts.map(({ name }) => wire.frames(name)));
      const longest = all.map(longestOf);
      const tunnels = longestOf(
        all
          .flat()
          .filter(
            ({ content: one }) => one.kind === "tunnel" && one.encapsulation === encapsulation,
          ),
      );
      return {
        ok: tunnels === MTU && longest.every((length) => length <= MTU),
        evidence: `${hosts.map(({ name }, index) => `${name} ${longest[index]}`).join(", ")}; in the tunnel ${tunnels}`,
      };
    },
  };
}

function longestOf(frames: readonly WireFrame[]): number {
  return frames.reduce((most, { length }) => Math.max(most, length), 0);
}
