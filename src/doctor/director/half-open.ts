/** Handshakes that are never completed though the server answers the director: answers go another way. */
import type { WireConnection } from "../../control/wire.ts";
import { Address } from "../../net/address.ts";
import { advice, type Finding } from "../finding.ts";
import type { DirectorFacts, ServerSeen } from "./facts.ts";

/** A handshake that is as young may still be going on. */
const YOUNG_S = 2;

export function* halfOpen({ servers, told, clientBeside }: DirectorFacts): Generator<Finding> {
  for (const seen of servers) {
    if (seen.answer !== "open") continue;
    const stuck = stuckOnes(told.connections, seen);
    const [first] = stuck;
    if (first === undefined) continue;
    const { address } = seen.server;
    const about = `${seen.service.name} -> ${address.toString()}`;
    const evidence = `${stuck.length} connections in SYN_RECV since the last that was whole, as from ${first.client.address}`;
    const isNat = seen.server.forwarding.kind === "masquerade";
    const client = Address.parse(first.client.address);
    if (isNat && client !== undefined && clientBeside(client, address)) {
      yield {
        code: "client-beside-server",
        about,
        says: `the client ${first.client.address} is in the servers' own network`,
        evidence,
        leadsTo:
          "the server answers straight to it, past this host: the client asked the VIP, hears from the server, and resets that",
        remedy: advice(
          `on the server 'ip route add ${first.client.address} via' this host's inner address; or rewrite such clients' source, too (SNAT, with net.ipv4.vs.conntrack=1)`,
        ),
      };
    } else {
      yield {
        code: "answers-lost",
        about,
        says: `${address.toString()} answers this host, but clients' handshakes with it are not completed`,
        evidence,
        leadsTo: "these clients hang",
        remedy: advice(
          isNat
            ? `its default gateway has to be this host: 'sluice doctor --server ${String(seen.service.vip)}:${seen.server.port} --nat' there tells`
            : `its way to clients is wrong, or theirs back: 'sluice doctor --server ${String(seen.service.vip)}:${seen.service.port}' there tells`,
        ),
      };
    }
  }
}

/**
 * Those half open that are not older than any that was whole. Ages are whole seconds of when they began: of two of the same second
 * nobody knows which came first, and it may be the last connection that there ever is.
 */
function stuckOnes(
  connections: readonly WireConnection[],
  { server, service }: ServerSeen,
): readonly WireConnection[] {
  const own = connections.filter(
    ({ destination, virtual, client }) =>
      destination.address === server.address.toString() &&
      destination.port === server.port &&
      client.port !== 0 &&
      (service.vip === undefined || virtual.address === service.vip.toString()),
  );
  const ages = own.flatMap(({ state, ageSeconds }) =>
    state === "SYN_RECV" || ageSeconds === null ? [] : [ageSeconds],
  );
  const youngest = Math.min(...ages, Number.POSITIVE_INFINITY);
  return own.filter(
    ({ state, ageSeconds }) =>
      state === "SYN_RECV" &&
      ageSeconds !== null &&
      ageSeconds >= YOUNG_S &&
      ageSeconds <= youngest,
  );
}
