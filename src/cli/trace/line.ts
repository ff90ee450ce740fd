/** What became of a packet, in a line. */
import type { WireTracedPacket } from "../../api/messages.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";

const PROTOCOLS = new Map<number, string>(
  Object.entries(IP_PROTOCOL).map(([name, number]) => [number, name.toUpperCase()]),
);
/** Servers that a line has room for, beside the one that was chosen. */
const OTHERS_MAX = 3;

export function lineOf(traced: WireTracedPacket): string {
  const { packet, flags, bytes, engine, reason } = traced;
  const flagged = flags === null ? "" : ` [${flags}]`;
  const marked = packet.mark === 0 ? "" : ` mark ${packet.mark}`;
  const protocol = PROTOCOLS.get(packet.protocol) ?? `protocol ${packet.protocol}`;
  const came = `${protocol} ${packet.source} > ${packet.destination}${flagged}${marked}, ${bytes} bytes`;
  const steps = [connection(traced), choice(traced), sent(traced), reason];
  return `${timeOf(traced.at)} ${came} (${engine}): ${steps.filter((step) => step !== "").join("; ")}`;
}

/** The time of day, where who reads it is. */
function timeOf(at: string): string {
  const date = new Date(at);
  const part = (value: number, width = 2): string => String(value).padStart(width, "0");
  return `${part(date.getHours())}:${part(date.getMinutes())}:${part(date.getSeconds())}.${part(date.getMilliseconds(), 3)}`;
}

function connection({ by, connection: known, service }: WireTracedPacket): string {
  if (by === "nobody") return service === null ? "" : service;
  const state = known?.state == null ? "" : `, ${known.state}`;
  const how = by === "connection" ? "found" : by === "template" ? "new, by its template" : "new";
  return `${how}${state}${service === null ? "" : `, ${service}`}`;
}

function choice({
  scheduler,
  candidates,
  candidatesOmitted,
  choice: chosen,
}: WireTracedPacket): string {
  if (scheduler === null) return chosen === null ? "" : `server ${chosen}`;
  const [first, ...others] = candidates;
  const isChosen = chosen !== null;
  const rest = isChosen ? others : candidates;
  const omitted = rest.length - OTHERS_MAX + candidatesOmitted;
  const told = rest.slice(0, OTHERS_MAX).map(load);
  if (omitted > 0) told.push(`${omitted} more`);
  if (!isChosen) return `${scheduler} chose none of ${told.join(", ") || "no servers"}`;
  const over = told.length === 0 ? "" : ` over ${told.join(", ")}`;
  return `${scheduler} chose ${first === undefined ? chosen : load(first)}${over}`;
}

function load(candidate: WireTracedPacket["candidates"][number]): string {
  const { destination, weight, activeConnections, inactiveConnections, mayBeChosen } = candidate;
  const counts = `weight ${weight}, ${activeConnections}+${inactiveConnections}`;
  const compared = candidate.load === undefined ? "" : `, load ${candidate.load}`;
  return `${destination} (${counts}${compared}${mayBeChosen ? "" : ", not eligible"})`;
}

function sent({ sent: leaving, packet }: WireTracedPacket): string {
  if (leaving === null) return "";
  const changes = [
    leaving.protocol === packet.protocol ? "" : "tunnelled",
    leaving.source === packet.source ? "" : `source ${leaving.source}`,
    leaving.destination === packet.destination ? "" : `destination ${leaving.destination}`,
  ].filter((change) => change !== "");
  const by = leaving.interface ?? `interface ${leaving.interfaceIndex}`;
  return `${changes.length === 0 ? "as it came" : changes.join(", ")}, by ${by} to ${leaving.nextHop}`;
}
