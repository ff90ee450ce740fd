/** Statements about what went over the wires. */
import { endpoint } from "../endpoint.ts";
import { type LabPlan, macOf } from "../network/plan.ts";
import type { Wire, WireFrame } from "../network/taps.ts";
import { countBy } from "./listing.ts";
import type { Statement } from "./scenario.ts";

/** TCP frames among `frames` that come from `source` (`address:port`). */
export function tcpFrom(frames: readonly WireFrame[], source: string): readonly WireFrame[] {
  return frames.filter(({ content }) => content.kind === "tcp" && content.source === source);
}

export function repliesComeFromRealServers({ vip, realServers }: LabPlan, wire: Wire): Statement {
  const site = endpoint(vip, 80);
  const servers = new Map(realServers.map(({ host, rip }) => [macOf(rip), host as string]));
  return {
    says: "the replies' frames reach the client from the real servers' cards",
    check: async () => {
      const replies = tcpFrom(await wire.frames("client"), site);
      const from = replies.map(({ ethernetSource }) => servers.get(ethernetSource));
      return {
        ok: from.length > 0 && !from.includes(undefined),
        evidence: `frames from ${site} by sender: ${countBy(from.map((host) => host ?? "another"))}`,
      };
    },
  };
}

export function repliesBypassTheDirector({ vip }: LabPlan, wire: Wire): Statement {
  const site = endpoint(vip, 80);
  return {
    says: "no frame of a reply passes node01",
    check: async () => {
      const frames = await wire.frames("node01");
      const replies = tcpFrom(frames, site);
      return {
        ok: frames.length > 0 && replies.length === 0,
        evidence: `${frames.length} frames on node01's wire, ${replies.length} from ${site}`,
      };
    },
  };
}
