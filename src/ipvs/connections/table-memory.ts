/**
 * What a connection table lies in: memory that ends with the process, or some that whoever maps it hands in, and that
 * outlives the process.
 *
 * Such memory may be read by another program than the one that wrote it. So LAYOUT says all that the meaning of its bytes
 * depends on: who finds another layout begins anew.
 */
import { FIELD, KIND } from "./connection-record.ts";
import { CONNECTION_FLAG, FORWARDING } from "./flow.ts";
import { PROTOCOL, TEMPLATE_STATE } from "./protocol-states.ts";
import { SCTP_STATE } from "./sctp-state.ts";
import { TCP_STATE } from "./tcp-state.ts";
import { UDP_STATE } from "./udp-state.ts";

/** 32-bit words in a record, as a power of two. */
export const RECORD_SHIFT = 5;
export const RECORD_BYTES = 4 << RECORD_SHIFT;

/** A persistence engine's data lie in slots, the first byte of which is the length; slots lie in chunks. */
export const SLOT_SHIFT = 8;
export const CHUNK_SHIFT = 12;
export const CHUNK_BYTES = 1 << (CHUNK_SHIFT + SLOT_SHIFT);

/** Which of `ends` counts what. */
export const END = { records: 0, slots: 1 } as const;

export interface TableMemory {
  /** Of `limit` records; zeros at first. */
  readonly words: Int32Array;
  /** How many records and slots were ever used. Lies with them. */
  readonly ends: Int32Array;
  /** For how many records there is memory, `wanted` or more; less when there is no more to be had. */
  room(wanted: number): number;
  /** A chunk of slots, always the same; undefined when there is no memory for it. */
  chunk(index: number): Uint8Array | undefined;
}

/** Memory that ends with the process. The system provides it page by page when it is first written. */
export function ownMemory(limit: number): TableMemory {
  const chunks: Uint8Array[] = [];
  return {
    words: new Int32Array(limit << RECORD_SHIFT),
    ends: new Int32Array(2),
    room: () => limit,
    chunk(index) {
      chunks[index] ??= new Uint8Array(CHUNK_BYTES);
      return chunks[index];
    },
  };
}

/** Anything here that changes makes another layout. The last number is for changes that nothing here shows. */
export const LAYOUT = JSON.stringify([
  [RECORD_SHIFT, SLOT_SHIFT, CHUNK_SHIFT, END],
  [FIELD, KIND, FORWARDING, CONNECTION_FLAG],
  [PROTOCOL, TCP_STATE, UDP_STATE, SCTP_STATE, TEMPLATE_STATE],
  1,
]);
