/** The three ways, each by one request and its answer: what every packet says, and in amber what the director changed. */

import { macOf } from "../../src/lab/network/plan.ts";
import {
  DirectorRun,
  FLAGS,
  type Headers,
  headersOfSegment,
  type ServerPlan,
} from "./director-run.ts";
import type { Meaning, Span } from "./drawing.ts";
import { type Column, drawLadder, type Rung } from "./ladder.ts";

export type Way = "nat" | "dr" | "tun";

interface Network {
  readonly title: string;
  readonly client: string;
  readonly vip: string;
  /** The director's, on the clients' side and on the servers'. */
  readonly outside: string;
  readonly inside: string;
  readonly server: ServerPlan & { readonly port: number };
  readonly serverHasVip: boolean;
}

const ONE_WIRE = {
  client: "192.168.150.1",
  vip: "192.168.150.100",
  outside: "192.168.150.11",
  inside: "192.168.150.11",
  serverHasVip: true,
};
const SERVER = "192.168.150.12";

const NETWORKS: Readonly<Record<Way, Network>> = {
  nat: {
    title: "NAT",
    client: "203.0.113.1",
    vip: "203.0.113.100",
    outside: "203.0.113.11",
    inside: "192.168.150.11",
    server: { address: SERVER, port: 8080, forwarding: { kind: "masquerade" } },
    serverHasVip: false,
  },
  dr: {
    title: "Direct routing",
    ...ONE_WIRE,
    server: { address: SERVER, port: 80, forwarding: { kind: "route" } },
  },
  tun: {
    title: "Tunnelling",
    ...ONE_WIRE,
    server: {
      address: SERVER,
      port: 80,
      forwarding: { kind: "tunnel", encapsulation: "ipip" },
    },
  },
};

const CLIENT_PORT = 40_000;

export function drawWay(way: Way): string {
  const network = NETWORKS[way];
  const { client, vip, outside, inside, server } = network;
  const run = new DirectorRun({
    vip,
    own: inside,
    scheduler: "rr",
    servers: [server],
  });
  const request = { from: client, fromPort: CLIENT_PORT, to: vip, toPort: 80, flags: FLAGS.syn };
  const sent = headersOfSegment(request);
  const forwarded = run.send(request)!;
  const rungs: Rung[] = [
    rung(0, 1, "client", sent, undefined, [macOf(client), macOf(outside)]),
    rung(1, 2, "director", forwarded.headers, sent, [macOf(inside), macOf(forwarded.nextHop)]),
  ];
  if (network.serverHasVip) {
    // The server's own stack answers: what came for the VIP is answered from the VIP.
    const answer = headersOfSegment(answerTo(vip, 80, client));
    rungs.push(rung(2, 0, "server", answer, undefined, [macOf(server.address), macOf(client)]));
  } else {
    const segment = answerTo(server.address, server.port, client);
    const answer = headersOfSegment(segment);
    const returned = run.send(segment)!;
    rungs.push(
      rung(2, 1, "server", answer, undefined, [macOf(server.address), macOf(inside)]),
      rung(1, 0, "director", returned.headers, answer, [macOf(outside), macOf(client)]),
    );
  }
  return drawLadder({ title: network.title, width: 900, columns: columnsOf(network), rungs });
}

function answerTo(from: string, fromPort: number, client: string) {
  return { from, fromPort, to: client, toPort: CLIENT_PORT, flags: FLAGS.synAck };
}

function columnsOf({ client, vip, outside, inside, server, serverHasVip }: Network): Column[] {
  const own = outside === inside ? [inside] : [outside, inside];
  return [
    { x: 105, name: "client", meaning: "client", notes: [client] },
    { x: 450, name: "node01", meaning: "director", notes: [...own, `VIP ${vip}`] },
    {
      x: 795,
      name: "node02",
      meaning: "server",
      notes: [server.address, ...(serverHasVip ? [`VIP ${vip}`] : [])],
    },
  ];
}

function rung(
  from: number,
  to: number,
  meaning: Meaning,
  headers: Headers,
  before: Headers | undefined,
  macs: readonly [from: string, to: string],
): Rung {
  const isNew = before !== undefined;
  const inner = headers.inner;
  const lines = [
    pair("MAC", shortMac(macs[0]), shortMac(macs[1]), isNew, isNew),
    inner === undefined
      ? pair(
          "IP",
          headers.source,
          headers.destination,
          isNew && headers.source !== before.source,
          isNew && headers.destination !== before.destination,
        )
      : pair("IP", headers.source, headers.destination, true, true),
    ...(inner === undefined ? [] : [pair("in it", inner.source, inner.destination, false, false)]),
  ];
  return { from, to, meaning, lines };
}

/** The last two bytes tell hosts apart. */
function shortMac(mac: string): string {
  return `…${mac.slice(-5)}`;
}

function pair(
  what: string,
  source: string,
  destination: string,
  isSourceChanged: boolean,
  isDestinationChanged: boolean,
): Span[] {
  const end = (text: string, isChanged: boolean): Span =>
    isChanged ? { text, meaning: "changed" } : { text };
  return [
    { text: `${what} `, meaning: "faint" },
    end(source, isSourceChanged),
    { text: " → ", meaning: "faint" },
    end(destination, isDestinationChanged),
  ];
}
