/**
 * Ends TCP connections in the middle, as seen from both sides.
 *
 * A side takes a reset whose sequence number is the very one that it expects next (RFC 5961 section 3.2), and IPVS keeps
 * none. So the client is asked: to a SYN within a connection it answers with an acknowledgement that says both what it
 * sends next and what it expects (the challenge ACK of section 4.2). That answer, or whatever comes first of either side,
 * is not forwarded: out of it both resets are made. Who does not answer gets none.
 */
import type { Instant } from "../../base/clock.ts";
import { Address, type AddressPair } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import { emitIpv6 } from "../../net/ipv6.ts";
import type { Port } from "../../net/port.ts";
import { emitTcp, TCP_FLAG, TCP_OFFSET, type TcpFields } from "../../net/tcp.ts";
import { readUint32 } from "../../net/words.ts";
import type { ConnectionTable } from "../connections/connection-table.ts";
import type { Packet } from "../packets/packet.ts";

/** Linux answers a socket's strange segments twice a second at most (tcp_invalid_ratelimit). */
const ASK_AGAIN_MS = 700;
const ASKED_MAX = 4;
/** Connections that are being ended at once. */
const UNDER_WAY_MAX = 16_384;
/** Questions that are sent at once. */
const ASKED_AT_ONCE = 512;

/** How many were reset, and how many were forgotten without: whoever asked for it counts. */
export interface ResetTally {
  reset: number;
  forgotten: number;
}

interface UnderWay {
  readonly tally: ResetTally;
  asked: number;
  askAt: number;
}

export interface ResetsParts {
  readonly table: ConnectionTable;
  /** Forgets a connection, and a template with its last one. */
  readonly forget: (id: number) => void;
}

export class Resets {
  readonly #parts: ResetsParts;
  readonly #underWay = new Map<number, UnderWay>();

  constructor(parts: ResetsParts) {
    this.#parts = parts;
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0;
  }

  get hasRoom(): boolean {
    return this.#underWay.size < UNDER_WAY_MAX;
  }

  begin(id: number, now: Instant, tally: ResetTally): void {
    this.#underWay.set(id, { tally, asked: 0, askAt: now });
  }

  has(id: number): boolean {
    return this.#underWay.has(id);
  }

  /** The connection is gone, for whatever reason. */
  leave(id: number): void {
    const each = this.#underWay.get(id);
    if (each === undefined) return;
    this.#underWay.delete(id);
    each.tally.forgotten++;
  }

  /** Asks clients, for the first time or again, and gives those up that never answer. */
  ask(now: Instant, out: Uint8Array[]): void {
    let asked = 0;
    for (const [id, each] of this.#underWay) {
      if (each.askAt > now) continue;
      if (each.asked === ASKED_MAX) {
        this.#parts.forget(id);
        continue;
      }
      if (asked === ASKED_AT_ONCE) break;
      asked++;
      each.asked++;
      each.askAt = now + ASK_AGAIN_MS;
      out.push(this.#toClient(id, { flags: TCP_FLAG.syn, sequence: 1 }));
    }
  }

  /**
   * What the packet, of either side, tells: a reset for the client as the service, and one for the server as the client.
   * Undefined when it tells nothing.
   */
  resetsBy(
    packet: Packet,
    id: number,
    isFromClient: boolean,
  ): { readonly toClient: Uint8Array; readonly toServer: Uint8Array } | undefined {
    const { bytes, transport, protocol } = packet;
    if (protocol !== IP_PROTOCOL.tcp) return undefined;
    const flags = bytes[transport + TCP_OFFSET.flags]!;
    if ((flags & TCP_FLAG.ack) === 0 || (flags & (TCP_FLAG.syn | TCP_FLAG.rst)) !== 0) {
      return undefined;
    }
    const sequence = readUint32(bytes, transport + TCP_OFFSET.sequence);
    const acknowledgement = readUint32(bytes, transport + TCP_OFFSET.acknowledgement);
    const [own, others] = isFromClient ? [sequence, acknowledgement] : [acknowledgement, sequence];
    const reset = TCP_FLAG.rst | TCP_FLAG.ack;
    return {
      toClient: this.#toClient(id, { flags: reset, sequence: others, acknowledgement: own }),
      toServer: this.#asClient(id, { flags: reset, sequence: own, acknowledgement: others }),
    };
  }

  /** Both were told. */
  done(id: number): void {
    const each = this.#underWay.get(id);
    if (each === undefined) return;
    this.#underWay.delete(id);
    each.tally.reset++;
    this.#parts.forget(id);
  }

  #toClient(id: number, fields: Omit<TcpFields, "source" | "destination">): Uint8Array {
    const { table } = this.#parts;
    const { source, destination } = this.#ends(id);
    return emit(
      {
        ...fields,
        source: table.virtualPort(id) as Port,
        destination: table.clientPort(id) as Port,
      },
      { source: destination, destination: source },
    );
  }

  #asClient(id: number, fields: Omit<TcpFields, "source" | "destination">): Uint8Array {
    const { table } = this.#parts;
    return emit(
      {
        ...fields,
        source: table.clientPort(id) as Port,
        destination: table.virtualPort(id) as Port,
      },
      this.#ends(id),
    );
  }

  /** Client and service. */
  #ends(id: number): AddressPair {
    const { table } = this.#parts;
    const address = (word: (index: number) => number): Address =>
      table.family(id) === 4
        ? Address.inet(word(3))
        : Address.inet6(word(0), word(1), word(2), word(3));
    return {
      source: address((index) => table.client(id, index)),
      destination: address((index) => table.virtual(id, index)),
    };
  }
}

function emit(fields: TcpFields, addresses: AddressPair): Uint8Array {
  const segment = emitTcp(fields, new Uint8Array(0), addresses);
  return addresses.source.family === "inet"
    ? emitIpv4({ protocol: IP_PROTOCOL.tcp, ...addresses }, segment)
    : emitIpv6({ nextHeader: IP_PROTOCOL.tcp, ...addresses }, segment);
}
