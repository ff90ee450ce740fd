/**
 * Where a connection's facts lie in its record of 32-bit words.
 *
 * The first sixteen words (a cache line) are all that a packet of a known flow needs. `expiresAt` is a double over two
 * words; ports share a word, the client's in its upper half.
 */
export const FIELD = {
  client: 0,
  virtual: 4,
  ports: 8,
  kind: 9,
  expiresAt: 10,
  armedTick: 12,
  timeout: 13,
  destinationId: 14,
  inPackets: 15,
  destination: 16,
  destinationPort: 20,
  mark: 21,
  control: 22,
  controlled: 23,
  timerNext: 24,
  timerPrevious: 25,
  clientHash: 26,
  replyHash: 27,
  /** Where persistence-data.ts keeps a template's; unset without CONNECTION_FLAG.data. */
  data: 28,
  /** Not 0 while the record is whole: record-store.ts. */
  commit: 29,
  /** Which server of which service: destination-key.ts. A double over two words; `destinationId` is the process's own. */
  destinationKey: 30,
} as const;

/** How the word `kind` is divided: protocol 8 bits, 1 unused, 1 for IPv6, state 6, flags 16. */
export const KIND = {
  protocolShift: 24,
  inet6: 1 << 22,
  stateShift: 16,
  stateMask: 0x3f,
  flagsMask: 0xffff,
} as const;
