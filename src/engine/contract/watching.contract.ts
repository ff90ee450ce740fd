/** How the contract's tests speak: commands as ipvsadm's, packets as rows (test/packets/packet-text.ts). */
import { command } from "../../../test/packets/commands.ts";
import { Names } from "../../../test/packets/names.ts";
import { formatEnd, formatPacket, parsePacket } from "../../../test/packets/packet-text.ts";
import { writeTrueChecksums } from "../../../test/packets/true-checksums.ts";
import type { Instant } from "../../base/clock.ts";
import { type DesiredState, EMPTY_STATE } from "../../ipvs/desired/desired-state.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { Ipv4View } from "../../net/ipv4.ts";
import { Reassembler } from "../../net/reassembly.ts";
import type { Arrival, Bench, Station } from "../engine.contract.ts";

export const INET = new Names("inet");
export const INET6 = new Names("inet6");

/** The state after ipvsadm's commands, from `before` on. */
export function changed(before: DesiredState, ...commands: readonly string[]): DesiredState {
  return commands.reduce((state, text) => command(state, text, INET), before);
}

/** The state that ipvsadm's commands make of nothing. */
export function state(...commands: readonly string[]): DesiredState {
  return changed(EMPTY_STATE, ...commands);
}

export function packet(row: string, names = INET): Uint8Array {
  const bytes = parsePacket(row, names);
  writeTrueChecksums(bytes);
  return bytes;
}

/** What comes of a packet that a station sends, as `R1: C:1000 > V:80 S ttl 63`, in the order of arrival. */
export async function sees(
  bench: Bench,
  from: Station,
  row: string,
  names = INET,
): Promise<string[]> {
  await bench.send(from, packet(row, names));
  return seen(await bench.arrivals(), names);
}

/** Packets as rows; a wrong checksum, which a row would not show, as `!!`. */
export function seen(arrivals: readonly Arrival[], names = INET): string[] {
  return arrivals.map(({ at, packet }) => `${at}: ${show(packet, names)}`);
}

/** As seen(), with fragments put together again; those that make nothing whole are seen as they are. */
export function seenWhole(arrivals: readonly Arrival[]): string[] {
  const reassembler = new Reassembler();
  const incomplete = new Map<string, Arrival[]>();
  const whole = arrivals.flatMap((arrival) => {
    const view = Ipv4View.over(arrival.packet);
    if (typeof view === "string" || !view.isFragment) return seen([arrival]);
    const key = `${arrival.at} ${view.source} ${view.destination} ${view.identification}`;
    incomplete.set(key, [...(incomplete.get(key) ?? []), arrival]);
    const packet = reassembler.add(view, 0 as Instant);
    if (packet === undefined) return [];
    incomplete.delete(key);
    return seen([{ at: arrival.at, packet }]);
  });
  return [...whole, ...seen([...incomplete.values()].flat())];
}

/** Where a client's packet comes out: "nowhere", or at more than one place, is no station. */
export async function stationOf(bench: Bench, row: string): Promise<string> {
  await bench.send("C", packet(row));
  const stations = (await bench.arrivals()).map(({ at }) => at);
  return stations.join(" and ") || "nowhere";
}

/** Where six new connections of one client go. */
export async function homesOf(bench: Bench, service: string): Promise<Set<string>> {
  const homes = new Set<string>();
  for (let port = 5000; port < 5006; port++) {
    homes.add(await stationOf(bench, `C:${port} > ${service} S`));
  }
  return homes;
}

function show(packet: Uint8Array, names: Names): string {
  const view = Ipv4View.over(packet);
  if (typeof view === "string") return formatPacket(packet, names) + fault(packet);
  const ends = `${formatEnd(view.source, undefined, names)} > ${formatEnd(view.destination, undefined, names)}`;
  if (view.isFragment) return `${ends} fragment at ${view.fragmentOffset}`;
  if (view.protocol !== IP_PROTOCOL.ipip) return formatPacket(packet, names) + fault(packet);
  return `${ends} ttl ${view.timeToLive} in ipip ${show(view.payload, names)}${fault(packet)}`;
}

function fault(packet: Uint8Array): string {
  const copy = packet.slice();
  writeTrueChecksums(copy);
  return Buffer.compare(copy, packet) === 0 ? "" : " !! wrong checksum";
}
