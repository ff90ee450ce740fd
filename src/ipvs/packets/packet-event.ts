/** What a packet means to its protocol's state machine (connections/): an event's number. */
import {
  SCTP_CHUNK,
  SCTP_CHUNK_HEADER_LENGTH,
  SCTP_CHUNK_OFFSET,
  SCTP_HEADER_LENGTH,
} from "../../net/sctp.ts";
import { TCP_FLAG, TCP_OFFSET } from "../../net/tcp.ts";
import { readUint16 } from "../../net/words.ts";
import { PROTOCOL } from "../connections/protocol-states.ts";
import { sctpEvent } from "../connections/sctp-state.ts";
import { tcpEvent } from "../connections/tcp-state.ts";
import { UDP_EVENT } from "../connections/udp-state.ts";
import type { Sysctls } from "../desired/sysctls.ts";
import type { Packet } from "./packet.ts";

type Sloppiness = Pick<Sysctls, "sloppy_tcp" | "sloppy_sctp">;

/** An SCTP packet without a whole chunk says nothing: its connection stays in its state. */
export const NO_EVENT = -1;

const NO_CHUNK = -1;

export function eventOf(packet: Packet): number {
  switch (packet.protocol) {
    case PROTOCOL.tcp:
      return tcpEvent(tcpFlags(packet));
    case PROTOCOL.sctp:
      return sctpEventOf(packet);
    default:
      return UDP_EVENT.datagram;
  }
}

/** is_new_conn(): TCP's SYN, whatever else is set; SCTP's INIT. */
export function isFirst(packet: Packet): boolean {
  switch (packet.protocol) {
    case PROTOCOL.tcp:
      return (tcpFlags(packet) & TCP_FLAG.syn) !== 0;
    case PROTOCOL.sctp:
      return firstChunk(packet) === SCTP_CHUNK.init;
    default:
      return false;
  }
}

/** is_tcp_reset() and is_sctp_abort(): nothing is answered to it. */
export function isReset(packet: Packet): boolean {
  switch (packet.protocol) {
    case PROTOCOL.tcp:
      return (tcpFlags(packet) & TCP_FLAG.rst) !== 0;
    case PROTOCOL.sctp:
      return firstChunk(packet) === SCTP_CHUNK.abort;
    default:
      return false;
  }
}

/** Whether a connection may begin with it, where that is sloppy in its middle, too: tcp_conn_schedule() and its kin. */
export function mayOpen(packet: Packet, { sloppy_tcp, sloppy_sctp }: Sloppiness): boolean {
  switch (packet.protocol) {
    case PROTOCOL.tcp:
      return !isReset(packet) && (sloppy_tcp !== 0 || isFirst(packet));
    case PROTOCOL.sctp:
      return !isReset(packet) && (sloppy_sctp !== 0 || isFirst(packet));
    default:
      return true;
  }
}

/** SCTP without a whole chunk: nobody can tell what it wants, so nothing begins with it. */
export function isEmpty(packet: Packet): boolean {
  return packet.protocol === PROTOCOL.sctp && firstChunk(packet) === NO_CHUNK;
}

/** Packet has found the transport header whole. */
function tcpFlags({ bytes, transport }: Packet): number {
  return bytes[transport + TCP_OFFSET.flags]!;
}

function firstChunk({ bytes, transport, end }: Packet): number {
  const at = transport + SCTP_HEADER_LENGTH;
  return at + SCTP_CHUNK_HEADER_LENGTH > end ? NO_CHUNK : bytes[at]!;
}

/** From the first two chunks; the second begins at a multiple of four (RFC 9260 section 3.2). */
function sctpEventOf(packet: Packet): number {
  const { bytes, transport, end } = packet;
  const type = firstChunk(packet);
  if (type === NO_CHUNK) return NO_EVENT;
  const first = transport + SCTP_HEADER_LENGTH;
  const length = readUint16(bytes, first + SCTP_CHUNK_OFFSET.length);
  const second = first + ((length + 3) & ~3);
  const hasSecond = length >= SCTP_CHUNK_HEADER_LENGTH && second + SCTP_CHUNK_HEADER_LENGTH <= end;
  return sctpEvent(type, hasSecond ? bytes[second]! : NO_CHUNK);
}
