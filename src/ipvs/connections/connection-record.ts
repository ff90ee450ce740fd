/**
 * Where a connection's facts lie in its record of 32-bit words, and how a flow and its binding are put there and read.
 *
 * The first sixteen words (a cache line) are all that a packet of a known flow needs. `expiresAt` is a double over two
 * words; ports share a word, the client's in its upper half.
 */
import { type Binding, CONNECTION_FLAG, type Flow } from "./flow.ts";

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
  /**
   * With CONNECTION_FLAG.data, where persistence-data.ts keeps a template's; else the second in which the connection was
   * added, 0 in records of a Sluice that did not write it.
   */
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

/** The virtual and destination port of a template that nobody finds any more. */
export const INVALID_PORT = 0xffff;

/** The part of the word `kind` that a packet determines. */
export function identityOf(flow: Flow): number {
  return (flow.protocol << KIND.protocolShift) | (flow.family === 6 ? KIND.inet6 : 0);
}

/** The flag of a flow that is also found by what its packet says. */
export function dataFlag({ dataLength }: Flow): number {
  return dataLength > 0 ? CONNECTION_FLAG.data : 0;
}

/** The word `ports`. */
export function portsOf(flow: Flow): number {
  return (flow.clientPort << 16) | flow.virtualPort;
}

/** Puts all there is of a flow and its binding, with state 0, into the record at `at`. */
export function writeEnds(words: Int32Array, at: number, flow: Flow, binding: Binding): void {
  // Word by word, as in readEnds(): what is read of each packet is numbers in objects of one shape, not in arrays.
  words[at + FIELD.client] = flow.client0;
  words[at + FIELD.client + 1] = flow.client1;
  words[at + FIELD.client + 2] = flow.client2;
  words[at + FIELD.client + 3] = flow.client3;
  words[at + FIELD.virtual] = flow.virtual0;
  words[at + FIELD.virtual + 1] = flow.virtual1;
  words[at + FIELD.virtual + 2] = flow.virtual2;
  words[at + FIELD.virtual + 3] = flow.virtual3;
  words[at + FIELD.ports] = portsOf(flow);
  words[at + FIELD.kind] = identityOf(flow) | (binding.flags & KIND.flagsMask) | dataFlag(flow);
  words[at + FIELD.destinationId] = binding.destinationId;
  words[at + FIELD.destination] = binding.destination0;
  words[at + FIELD.destination + 1] = binding.destination1;
  words[at + FIELD.destination + 2] = binding.destination2;
  words[at + FIELD.destination + 3] = binding.destination3;
  words[at + FIELD.destinationPort] = binding.destinationPort | (binding.family << 16);
  words[at + FIELD.mark] = binding.mark;
}

/** What lookups need of a record: the flow, without its data, and where it goes. */
export function readEnds(words: Int32Array, at: number, flow: Flow, binding: Binding): void {
  const kind = words[at + FIELD.kind]!;
  const ports = words[at + FIELD.ports]!;
  flow.family = (kind & KIND.inet6) === 0 ? 4 : 6;
  flow.protocol = kind >>> KIND.protocolShift;
  flow.client0 = words[at + FIELD.client]!;
  flow.client1 = words[at + FIELD.client + 1]!;
  flow.client2 = words[at + FIELD.client + 2]!;
  flow.client3 = words[at + FIELD.client + 3]!;
  flow.clientPort = ports >>> 16;
  flow.virtual0 = words[at + FIELD.virtual]!;
  flow.virtual1 = words[at + FIELD.virtual + 1]!;
  flow.virtual2 = words[at + FIELD.virtual + 2]!;
  flow.virtual3 = words[at + FIELD.virtual + 3]!;
  flow.virtualPort = ports & 0xffff;
  flow.dataLength = 0;
  binding.destination0 = words[at + FIELD.destination]!;
  binding.destination1 = words[at + FIELD.destination + 1]!;
  binding.destination2 = words[at + FIELD.destination + 2]!;
  binding.destination3 = words[at + FIELD.destination + 3]!;
  binding.destinationPort = words[at + FIELD.destinationPort]! & 0xffff;
  binding.flags = kind & KIND.flagsMask;
}
