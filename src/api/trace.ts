/** GET /v1/trace: packets as they go by, as Server-Sent Events. Loaded when somebody watches. */
import { BusyError } from "../control/control.ts";
import type { Engine } from "../engine/engine.ts";
import { explainReason } from "../engine/reason-words.ts";
import type { TraceOptions } from "../engine/trace.ts";
import type { TraceFilter } from "../ipvs/trace/trace-filter.ts";
import type { TracedPacket } from "../ipvs/trace/traced-packet.ts";
import { readFilter } from "./connections.ts";
import type { WireTracedPacket } from "./messages.ts";
import { BadRequest } from "./problem.ts";

/** Each costs every packet something. */
const WATCHES_MAX = 4;
const PER_SECOND = 1_000;
const PER_SECOND_MAX = 10_000;
/** Who has gone is found out by then. */
const HEARTBEAT_MS = 2_000;

const OWN_TERMS = ["reason", "connection", "rate", "headers"];
const FOREIGN_TERMS = ["older", "templates"];

let watches = 0;

/** Throws a BadRequest, or a BusyError when too many watch. */
export async function traceTo(
  engine: Engine,
  query: Readonly<Record<string, string>>,
): Promise<AsyncGenerator<string>> {
  if (engine.trace === undefined) {
    throw new BadRequest(`The engine ${engine.name} cannot tell what becomes of packets`);
  }
  const options = readOptions(query);
  if (watches >= WATCHES_MAX) {
    throw new BusyError(`${WATCHES_MAX} watch packets already: try again later`);
  }
  return traceStream(engine, options);
}

/** Begins to watch when it is read first, so that one that nobody reads costs nothing. */
async function* traceStream(engine: Engine, options: TraceOptions): AsyncGenerator<string> {
  watches++;
  try {
    using watch = await engine.trace!(options);
    yield ": sluice\n\n";
    for (;;) {
      const news = await watch.next(HEARTBEAT_MS);
      if (news === undefined) return;
      const { packets, untold } = news;
      const all = packets.map((packet) => event("packet", tracedToWire(packet)));
      if (untold > 0) all.push(event("untold", { untold }));
      yield all.length === 0 ? ": still here\n\n" : all.join("");
    }
  } finally {
    watches--;
  }
}

function readOptions(query: Readonly<Record<string, string>>): TraceOptions {
  const { reason, connection, rate = String(PER_SECOND), headers } = query;
  const perSecond = Number(rate);
  if (!/^\d{1,5}$/.test(rate) || perSecond < 1 || perSecond > PER_SECOND_MAX) {
    throw new BadRequest(
      `rate: expected packets a second from 1 to ${PER_SECOND_MAX}, got ${JSON.stringify(rate)}`,
    );
  }
  if (connection !== undefined && connection !== "new" && connection !== "found") {
    throw new BadRequest(`connection: expected new or found, got ${JSON.stringify(connection)}`);
  }
  if (reason !== undefined && !/^[a-z-]+$/.test(reason)) {
    throw new BadRequest(
      `reason: expected how one begins, such as drop or forward-reply, got ${JSON.stringify(reason)}`,
    );
  }
  const filter: TraceFilter = {
    ...filterOf(query),
    reason,
    isNew: connection === undefined ? undefined : connection === "new",
  };
  return { filter, perSecond, hasHeaders: headers === "yes" };
}

/** Terms of connections, where a packet has them; and icmp, which connections are not. */
function filterOf(query: Readonly<Record<string, string>>): TraceFilter {
  const foreign = FOREIGN_TERMS.find((name) => query[name] !== undefined);
  if (foreign !== undefined) throw new BadRequest(`${foreign}: connections have that, not packets`);
  if (query.protocol?.toLowerCase() === "icmp") {
    const { protocol: _, ...others } = readFilter(query, [...OWN_TERMS, "protocol"]);
    return { ...others, protocol: "ICMP" };
  }
  const { protocol, ...others } = readFilter(query, OWN_TERMS);
  if (protocol === "IP") throw new BadRequest("protocol: expected tcp, udp, sctp or icmp, got ip");
  return { ...others, protocol };
}

function tracedToWire(packet: TracedPacket): WireTracedPacket {
  const { at, headers, sent, arrival, flags, service, connection, scheduler, choice } = packet;
  return {
    ...packet,
    at: new Date(at).toISOString(),
    atMicroseconds: Math.round(at * 1_000),
    flags: flags ?? null,
    arrival: arrival ?? null,
    service: service ?? null,
    scheduler: scheduler ?? null,
    choice: choice ?? null,
    connection:
      connection === undefined ? null : { ...connection, state: connection.state ?? null },
    means: explainReason(packet.reason),
    headers: base64(headers),
    sent:
      sent === undefined
        ? null
        : { ...sent, interface: sent.interface ?? null, headers: base64(sent.headers) },
  };
}

function base64(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : Buffer.from(bytes).toString("base64");
}

/** JSON has no line breaks, which would need a field each. */
function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
