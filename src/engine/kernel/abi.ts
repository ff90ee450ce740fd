/**
 * The layout of what the programs in bpf/ and the daemon share, in bytes, and its numbers. Made by scripts/build-bpf of
 * bpf/abi.h: not to be edited.
 */
export const flowKey = {
  size: 40,
  source: 0,
  destination: 16,
  sourcePort: 32,
  destinationPort: 34,
  protocol: 36,
  family: 37,
} as const;

export const flow = {
  size: 72,
  seen: 0,
  packets: 8,
  generation: 16,
  counter: 20,
  arrival: 24,
  departure: 28,
  address: 32,
  port: 48,
  mtu: 50,
  action: 52,
  linkAddresses: 53,
} as const;

export const counter = {
  size: 32,
  inPackets: 0,
  inBytes: 8,
  outPackets: 16,
  outBytes: 24,
} as const;

export const settings = {
  size: 8,
  generation: 0,
  isWatched: 4,
} as const;

export const watch = {
  size: 48,
  missed: 0,
  client: 8,
  mask: 24,
  protocol: 40,
  family: 41,
} as const;

export const toldPacket = {
  size: 232,
  at: 0,
  key: 8,
  verdict: 48,
  counter: 52,
  arrival: 56,
  departure: 60,
  length: 64,
  address: 68,
  port: 84,
  action: 86,
  linkAddresses: 88,
  headersLength: 100,
  headers: 104,
} as const;

export const flowAction = {
  none: 0,
  route: 1,
  rewriteDestination: 2,
  rewriteSource: 3,
} as const;

export const verdict = {
  passNotOurs: 0,
  passMalformed: 1,
  passUnknown: 2,
  passOld: 3,
  passEvent: 4,
  passTimeToLive: 5,
  passTooBig: 6,
  passElsewhere: 7,
  passNoChecksum: 8,
  dropNoMemory: 9,
  forwardRoute: 10,
  forwardMasquerade: 11,
  forwardReply: 12,
} as const;
