/**
 * The layout of what the programs in bpf/ and the daemon share, in bytes, and its numbers. Made by scripts/build-bpf of
 * bpf/abi.h, bpf/abi/: not to be edited.
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

export const way = {
  size: 24,
  generation: 0,
  departure: 4,
  linkAddresses: 8,
  mtu: 20,
} as const;

export const connection = {
  size: 40,
  seen: 0,
  word: 8,
  packets: 16,
  timeout: 20,
  destination: 24,
  generation: 28,
  arrival: 32,
  port: 36,
} as const;

export const news = {
  size: 80,
  flow: 0,
  connection: 40,
} as const;

export const reply = {
  size: 56,
  way: 0,
  address: 24,
  port: 40,
  generation: 44,
  arrival: 48,
  record: 52,
} as const;

export const clientKey = {
  size: 32,
  client: 0,
  service: 16,
} as const;

export const template = {
  size: 8,
  destination: 0,
  id: 4,
} as const;

export const tunnel = {
  size: 24,
  source: 0,
  port: 16,
  overhead: 18,
  encapsulation: 20,
  family: 21,
  hasChecksum: 22,
} as const;

export const destination = {
  size: 128,
  address: 0,
  port: 16,
  flags: 18,
  weight: 20,
  isAvailable: 24,
  upper: 28,
  low: 32,
  active: 36,
  inactive: 40,
  isOverloaded: 44,
  way: 48,
  connections: 72,
  inPackets: 80,
  inBytes: 88,
  outPackets: 96,
  outBytes: 104,
  key: 112,
  isDrained: 120,
} as const;

export const serviceKey = {
  size: 20,
  address: 0,
  port: 16,
  protocol: 18,
  family: 19,
} as const;

export const service = {
  size: 32,
  index: 0,
  isLocal: 4,
  mark: 8,
  mask: 12,
  port: 28,
  isPersistent: 30,
  isOnePacket: 31,
} as const;

export const plan = {
  size: 32,
  first: 0,
  count: 4,
  top: 8,
  step: 12,
  hash: 16,
  rules: 20,
  levels: 24,
  tag: 28,
} as const;

export const turn = {
  size: 8,
  position: 0,
  plan: 2,
  level: 4,
} as const;

export const schedule = {
  size: 72,
  turn: 0,
  plans: 8,
} as const;

export const editSchedule = {
  size: 52,
  service: 0,
  edit: 4,
  which: 8,
  plan: 12,
  position: 44,
  level: 48,
} as const;

export const playMatches = {
  size: 16,
  destination: 0,
} as const;

export const pickDestination = {
  size: 20,
  service: 0,
  clientFold: 4,
  clientPort: 8,
  destinationFold: 12,
  picked: 16,
} as const;

export const changeConnection = {
  size: 96,
  flow: 0,
  connection: 40,
  keeps: 80,
  found: 84,
  number: 88,
} as const;

export const settings = {
  size: 8640,
  generation: 0,
  opensOnWire: 4,
  carried: 8,
  atCard: 12,
  opened: 16,
  reuseMode: 20,
  expiresNodest: 24,
  expiresQuiescent: 28,
  copiesDontFragment: 32,
  isSloppy: 36,
  isWatched: 40,
  kinds: 44,
  udpTimeout: 48,
  activeStates: 52,
  timeouts: 56,
  indexShift: 120,
  indexMask: 124,
  halfOpenMax: 128,
  multiplier: 136,
  secret: 144,
  states: 184,
  servers: 440,
  attendedUntil: 8632,
} as const;

export const tally = {
  size: 40,
  epoch: 0,
  records: 4,
  identification: 8,
  halfOpen: 12,
  opened: 16,
  unheard: 24,
  expired: 32,
} as const;

export const card = {
  size: 12,
  index: 0,
  address: 4,
  flags: 10,
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
  destination: 52,
  arrival: 56,
  departure: 60,
  length: 64,
  address: 68,
  port: 84,
  state: 86,
  isNew: 87,
  linkAddresses: 88,
  headersLength: 100,
  headers: 104,
} as const;

export const edit = {
  bound: 0,
  added: 1,
  removed: 2,
  edited: 3,
  resumed: 4,
  weighed: 5,
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
  passDirector: 13,
  passNoWay: 14,
  passNoServer: 15,
  passFull: 16,
  forwardTunnel: 17,
  passUnfinished: 18,
  passNoXdp: 19,
  passHalfOpen: 20,
} as const;
