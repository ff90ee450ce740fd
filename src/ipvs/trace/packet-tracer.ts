/**
 * Sees a packet before the director does and after it, and what the director was told between: all that there is to say
 * about it. Packets are rewritten where they lie, so what they were is noted before.
 */
import { Address } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import type { Port } from "../../net/port.ts";
import { TCP_FLAG, TCP_OFFSET } from "../../net/tcp.ts";
import { type ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";
import { formatEndpoint, formatServiceKey } from "../desired/service.ts";
import type { Director } from "../director.ts";
import {
  type Ends,
  type ExplainedCandidate,
  endsOf,
  explained,
  sentBy,
} from "../explain/explain.ts";
import type { Outcome } from "../packets/outcome.ts";
import type { Hook, Packet } from "../packets/packet.ts";
import type { Destination } from "../services/destination.ts";
import type { VirtualService } from "../services/virtual-service.ts";
import type { Place, Traced } from "./trace-filter.ts";
import type { TracedConnection, TracedPacket } from "./traced-packet.ts";
import type { Witness } from "./witness.ts";

/** Of each packet as much is kept: the headers of IP and TCP fit in with all their options; and, when it leaves, a tunnel's. */
const HEADERS_MAX = 128;
const LEAVING_MAX = 256;
/** Servers that are told when one was chosen. */
const CANDIDATES_MAX = 16;
/** As tcpdump writes them. */
// biome-ignore format: a table
const FLAG_LETTERS: readonly (readonly [flag: number, letter: string])[] = [
  [TCP_FLAG.fin, "F"], [TCP_FLAG.syn, "S"], [TCP_FLAG.rst, "R"], [TCP_FLAG.psh, "P"], [TCP_FLAG.ack, "."],
  [TCP_FLAG.urg, "U"], [TCP_FLAG.ece, "E"], [TCP_FLAG.cwr, "W"],
];

/** What is known of a packet that was decided about: cheap, until it is known that somebody wants it told. */
export interface Decided extends Traced {
  /** `at`: in milliseconds since 1970. */
  told(at: number, hasHeaders: boolean): TracedPacket;
}

interface Picking {
  readonly service: VirtualService;
  readonly candidates: readonly ExplainedCandidate[];
}

interface Known {
  readonly destination: Destination;
  readonly client: Place;
  readonly virtual: Place;
  readonly server: Place;
}

export class PacketTracer implements Witness {
  readonly #director: Director;
  /** Of an interface's index. */
  readonly #nameOf: (index: number) => string | undefined;
  readonly #headers = new Uint8Array(HEADERS_MAX);
  #headersLength = 0;
  #length = 0;
  #hook: Hook = "wire";
  #arrival = 0;
  #ends: Ends | undefined;
  #source: Place | undefined;
  #destination: Place | undefined;
  #flags: string | undefined;
  #picking: Picking | undefined;
  #opened: Known | undefined;

  constructor(director: Director, nameOf: (index: number) => string | undefined) {
    this.#director = director;
    this.#nameOf = nameOf;
  }

  picked(service: VirtualService, chosen: Destination | undefined): void {
    this.#picking = { service, candidates: candidatesOf(service, chosen) };
  }

  opened(id: number): void {
    // Of a service that schedules each packet for itself the connection is gone when the packet is.
    this.#opened = this.#knownOf(id);
  }

  /** To be called before the director has the packet. `arrival`: the interface, or 0. */
  arrived(packet: Packet, arrival: number): void {
    const { bytes, start, source, destination } = packet;
    this.#headersLength = headersLengthOf(packet);
    this.#headers.set(bytes.subarray(start, start + this.#headersLength));
    this.#length = packet.length;
    this.#hook = packet.hook;
    this.#arrival = arrival;
    this.#ends = endsOf(packet);
    this.#source = { address: source, port: packet.sourcePort };
    this.#destination = { address: destination, port: packet.destinationPort };
    this.#flags = flagsOf(packet);
    this.#picking = this.#opened = undefined;
  }

  /** To be called after the director had it, before it is sent. */
  decided(outcome: Outcome): Decided {
    const { connection: id, reason } = outcome;
    const known = this.#opened ?? (id === NO_CONNECTION ? undefined : this.#knownOf(id));
    const service = known?.destination.service ?? this.#picking?.service;
    return {
      service: service?.keyText,
      client: known?.client ?? this.#source!,
      virtual: known?.virtual ?? this.#destination!,
      server: known?.server,
      state: this.#stateOf(id, known),
      reason,
      isNew: this.#opened !== undefined,
      told: (at, hasHeaders) => this.#told(outcome, known, service, at, hasHeaders),
    };
  }

  #told(
    outcome: Outcome,
    known: Known | undefined,
    service: VirtualService | undefined,
    at: number,
    hasHeaders: boolean,
  ): TracedPacket {
    const { verdict, reason, connection: id } = outcome;
    const picking = this.#picking;
    const sent = sentBy(outcome);
    return {
      at,
      engine: "userspace",
      packet: this.#ends!,
      bytes: this.#length,
      flags: this.#flags,
      hook: this.#hook,
      arrival: this.#nameOf(this.#arrival),
      service: service && formatServiceKey(service.key),
      by: this.#way(known),
      connection: known && connectionOf(known, this.#stateOf(id, known)),
      scheduler: picking?.service.plan.scheduler,
      candidates: picking?.candidates ?? [],
      candidatesOmitted:
        (picking?.service.destinations.length ?? 0) - (picking?.candidates.length ?? 0),
      choice: known && formatPlace(known.server),
      verdict,
      reason,
      sent: sent && {
        ...sent,
        interface: this.#nameOf(sent.interfaceIndex),
        headers: hasHeaders ? leavingHeaders(outcome) : undefined,
      },
      headers: hasHeaders ? this.#headers.slice(0, this.#headersLength) : undefined,
    };
  }

  #way(known: Known | undefined): TracedPacket["by"] {
    if (this.#opened !== undefined) return this.#picking === undefined ? "template" : "scheduler";
    return known === undefined ? "nobody" : "connection";
  }

  /** Of a service that schedules each packet for itself the connection is over by now. */
  #stateOf(id: number, known: Known | undefined): string | undefined {
    if (id === NO_CONNECTION || known?.destination.service.plan.onePacket !== false)
      return undefined;
    return this.#director.connections.progress.stateName(id);
  }

  #knownOf(id: number): Known {
    const { table } = this.#director.connections;
    const destination = this.#director.services.destination(table.destinationId(id));
    return { destination, ...placesOf(table, id) };
  }
}

/** A service's servers as they stand now: the one that was chosen, then the others, some of them at most. */
export function candidatesOf(
  { plan, destinations }: VirtualService,
  chosen: Destination | undefined,
): readonly ExplainedCandidate[] {
  const others = destinations.filter((each) => each !== chosen);
  const all = chosen === undefined ? others : [chosen, ...others];
  return all.slice(0, CANDIDATES_MAX).map((each) => explained(each, plan.scheduler));
}

/** A connection's ends. */
function placesOf(
  table: ConnectionTable,
  id: number,
): Pick<Known, "client" | "virtual" | "server"> {
  const family = table.family(id);
  const place = (of: number, word: (id: number, word: number) => number, port: number): Place => ({
    address:
      of === 4
        ? Address.inet(word(id, 3))
        : Address.inet6(word(id, 0), word(id, 1), word(id, 2), word(id, 3)),
    port,
  });
  return {
    client: place(family, (...at) => table.client(...at), table.clientPort(id)),
    virtual: place(family, (...at) => table.virtual(...at), table.virtualPort(id)),
    server: place(
      table.destinationFamily(id),
      (...at) => table.destination(...at),
      table.destinationPort(id),
    ),
  };
}

export function formatPlace({ address, port }: Place): string {
  return formatEndpoint({ address, port: port as Port });
}

function connectionOf(known: Known, state: string | undefined): TracedConnection {
  return {
    client: formatPlace(known.client),
    virtual: formatPlace(known.virtual),
    server: formatPlace(known.server),
    state,
  };
}

/** As far as headers go: what clients and servers say to each other is nobody's. */
function headersLengthOf(packet: Packet): number {
  const { bytes, start, end, transport, protocol, isFragment } = packet;
  const isTcp = protocol === IP_PROTOCOL.tcp && !isFragment;
  const length = isTcp ? (bytes[transport + TCP_OFFSET.dataOffset]! >>> 4) * 4 : isFragment ? 0 : 8;
  return Math.min(transport + length, end, start + HEADERS_MAX) - start;
}

/** What leaves begins with other headers where a tunnel is round it: those that came end where its data begins. */
function leavingHeaders({ packet }: Outcome): Uint8Array {
  const { bytes, start, end } = packet;
  // The views still stand where the packet that came is.
  const inner = packet.transport - start + transportLengthOf(packet);
  return bytes.slice(start, Math.min(start + inner, end, start + LEAVING_MAX));
}

function transportLengthOf({ bytes, transport, protocol }: Packet): number {
  if (protocol !== IP_PROTOCOL.tcp) return 8;
  return (bytes[transport + TCP_OFFSET.dataOffset]! >>> 4) * 4;
}

function flagsOf({ bytes, transport, protocol, isFragment }: Packet): string | undefined {
  if (protocol !== IP_PROTOCOL.tcp || isFragment) return undefined;
  return flagsText(bytes[transport + TCP_OFFSET.flags]!);
}

export function flagsText(flags: number): string {
  return FLAG_LETTERS.filter(([flag]) => (flags & flag) !== 0)
    .map(([, letter]) => letter)
    .join("");
}
