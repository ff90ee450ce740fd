/** Services, edits and packets of every kind, from a seed; and the shortest part of them that shows a difference. */
import { type Prng, prng } from "../../src/base/prng.ts";
import type { Family } from "../../src/net/address.ts";
import { Names } from "../packets/names.ts";
import { parsePacket } from "../packets/packet-text.ts";
import { writeTrueChecksums } from "../packets/true-checksums.ts";
import { GUE_PORT } from "./comparable.ts";
import type { Programs } from "./programs.ts";
import { type Coming, Twins } from "./twins.ts";

/** A command of ipvsadm, or a packet as a row, with bytes of it changed, and cut. */
export interface Step {
  readonly row: string;
  readonly changes?: readonly (readonly [at: number, value: number])[];
  /** Whether checksums are right again after the changes. */
  readonly isMended?: boolean;
  readonly length?: number;
}

export interface World {
  readonly family: Family;
  /** What decides by what the programs hash flows. */
  readonly secret: number;
  readonly steps: readonly Step[];
}

export interface Found {
  readonly world: World;
  readonly difference: string;
}

const SERVERS = ["R1", "R2", "R3"];
const CLIENTS = ["C", "C2", "C3"];
const PORTS = 6;
/** Those that the programs have, and some that they have not. */
const SCHEDULERS = [
  "rr",
  "wrr",
  "lc",
  "wlc",
  "sed",
  "nq",
  "fo",
  "ovf",
  "sh",
  "sh -b sh-fallback,sh-port",
  "dh",
  "mh",
  "mh -b mh-fallback,mh-port",
  "twos",
  "lblc",
];
/** Of the services below, in the same order. */
const SERVICES = ["-t V:80", "-t V2:443", "-u V:53", "-f 7", "-t V:0"];
const TUNNELS = [
  "",
  "--tun-type gre",
  "--tun-type gre --tun-csum",
  ...["", " --tun-csum", " --tun-remcsum"].map(
    (sum) => `--tun-type gue --tun-port ${GUE_PORT}${sum}`,
  ),
];
const PERSISTENCE = [" -p 300", " -p 600 -M 24"];
/** Flags of segments, and how many of a thousand have them; all others are a plain ACK. */
const FLAGS: readonly (readonly [string, number])[] = [
  ["S", 60],
  ["P.", 250],
  ["U.", 20],
  ["S.", 10],
  ["F.", 6],
  ["R", 3],
  ["R.", 2],
  ["-", 3],
  ["SF", 2],
];

function flags(random: Prng): string {
  let draw = random.below(1_000);
  for (const [text, share] of FLAGS) {
    if (draw < share) return text;
    draw -= share;
  }
  return ".";
}

/** A world of so many steps. */
export function worldOf(seed: number, length: number): World {
  const random = prng(seed);
  const family = random.of(["inet", "inet6"] as const);
  const steps: Step[] = SERVICES.flatMap((service) => [
    { row: `-A ${serviceOf(random, service)}` },
    ...SERVERS.map((server) => ({ row: `-a ${service} -r ${serverOf(random, server)}` })),
  ]);
  while (steps.length < length) steps.push(step(random));
  return { family, secret: seed, steps };
}

function serviceOf(random: Prng, service: string): string {
  const isPersistent = service.endsWith(":0") || random.below(2) === 0;
  const persistence = isPersistent ? random.of(PERSISTENCE) : "";
  const onePacket = service.startsWith("-u") ? random.of(["", "", " -o"]) : "";
  return `${service} -s ${random.of(SCHEDULERS)}${persistence}${onePacket}`;
}

function serverOf(random: Prng, server: string): string {
  const method = random.of(["-m", "-m", "-g", "-i"]);
  if (method === "-i") {
    const family = random.of(["", "", ".4", ".6"]);
    return `${server}${family} -i ${random.of(TUNNELS)} -w ${random.of([1, 2, 3])}`;
  }
  return `${server}${method === "-m" ? random.of(["", ":8080"]) : ""} ${method} -w ${random.of([1, 2, 3, 3, 7])}${random.of(["", "", "", " -x 4 -y 2"])}`;
}

function step(random: Prng): Step {
  if (random.below(100) === 0) return { row: edit(random) };
  const row = random.below(3) === 0 ? reply(random) : request(random);
  if (random.below(12) > 0) return { row };
  const changes = Array.from(
    { length: 1 + random.below(2) },
    () => [random.below(60), random.below(256)] as const,
  );
  const isMended = random.below(2) === 0;
  return random.below(4) === 0 ? { row, length: random.below(80) } : { row, changes, isMended };
}

function edit(random: Prng): string {
  const service = random.of(SERVICES);
  const server = random.of(SERVERS);
  switch (random.below(5)) {
    case 4:
      return `--set ${random.of([0, 500, 900])} ${random.of([0, 60, 120])} ${random.of([0, 100, 300])}`;
    case 0:
      return `-d ${service} -r ${server}`;
    case 1:
      return `-a ${service} -r ${serverOf(random, server)}`;
    case 2:
      return `-e ${service} -r ${server} ${random.of(["-m", "-g"])} -w ${random.below(4)}`;
    default:
      return `-E ${serviceOf(random, service)}`;
  }
}

function request(random: Prng): string {
  const service = random.of(["V:80", "V:80", "V:80", "V2:443", "V2:443", "V:53", "V:53", "V:81"]);
  const client = `${random.of(CLIENTS)}:${1000 + random.below(PORTS)}`;
  const way = random.of(["", "", "", " at local-in", " mark 7", " mark 8"]);
  return `${client} > ${service} ${content(random, service.endsWith(":53"))}${way}`;
}

function reply(random: Prng): string {
  const port = random.of(["80", "8080", "443", "53", "8080"]);
  const client = `${random.of(CLIENTS)}:${1000 + random.below(PORTS)}`;
  return `${random.of(SERVERS)}:${port} > ${client} ${content(random, port === "53" || random.below(6) === 0)}`;
}

function content(random: Prng, isDatagram: boolean): string {
  const kind = isDatagram ? "udp" : flags(random);
  // No test run takes a frame as short as a datagram's of nothing.
  const least = isDatagram ? 60 : undefined;
  const length =
    random.below(8) > 0 ? least : random.of([61 + random.below(1_400), 1_500, 1_501, 1_700]);
  const options = [
    length === undefined ? "" : `len ${length}`,
    random.of(["", "", "", "df"]),
    random.below(8) > 0 ? "" : random.of(["ttl 1", "ttl 2", "ttl 255"]),
    random.below(10) > 0 ? "" : random.of([isDatagram ? "nocsum" : "", "badcsum"]),
  ];
  return [kind, ...options].filter((word) => word !== "").join(" ");
}

/** The first difference in a world, and how many packets the program sent on by itself. */
export function play(
  { family, secret, steps }: World,
  programs: Programs,
): {
  readonly difference: string | undefined;
  readonly forwarded: number;
} {
  using twins = new Twins(family, secret, programs);
  const names = new Names(family);
  for (const [index, each] of steps.entries()) {
    const difference = perform(twins, names, each);
    if (difference === undefined) continue;
    return { difference: `step ${index}: ${JSON.stringify(each)}\n${difference}`, forwarded: 0 };
  }
  return { difference: twins.end(), forwarded: twins.forwarded };
}

function perform(twins: Twins, names: Names, each: Step): string | undefined {
  if (!each.row.startsWith("-")) return twins.send(packetOf(each, names), comingOf(each.row));
  try {
    twins.change(each.row);
  } catch {
    // A server that is there already, or is not: refused, and nothing has changed.
  }
  return undefined;
}

/** Marks are the host's, which the card knows nothing of. */
function comingOf(row: string): Coming {
  const mark = Number(/ mark (\d+)/.exec(row)?.[1] ?? 0);
  return { isFromLane: mark !== 0 || row.endsWith(" at local-in"), mark };
}

/** Whole packets by their rows, which come again and again. */
const KNOWN = { inet: new Map<string, Uint8Array>(), inet6: new Map<string, Uint8Array>() };
const KNOWN_MAX = 20_000;

function wholePacket(row: string, names: Names): Uint8Array {
  const known = KNOWN[names.family];
  let packet = known.get(row);
  if (packet === undefined) {
    packet = parsePacket(row, names);
    if (!isWrong(row)) writeTrueChecksums(packet);
    if (known.size === KNOWN_MAX) known.clear();
    known.set(row, packet);
  }
  return packet.slice();
}

/** Its checksums stay as they are. */
function isWrong(row: string): boolean {
  return row.includes(" badcsum");
}

function packetOf({ row, changes = [], isMended = true, length }: Step, names: Names): Uint8Array {
  const packet = wholePacket(row, names);
  for (const [at, value] of changes) if (at < packet.length) packet[at] = value;
  if (changes.length > 0 && isMended && !isWrong(row)) mend(packet);
  return packet.subarray(0, length ?? packet.length);
}

/** What is no packet any more has no checksums. */
function mend(packet: Uint8Array): void {
  try {
    writeTrueChecksums(packet);
  } catch {
    // It stays as it is.
  }
}

/** The same difference, or another one, with as few steps as can be found by leaving out. */
export function shrink(world: World, programs: Programs): Found {
  let { steps } = world;
  let difference = play(world, programs).difference ?? "";
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < steps.length; ) {
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)];
      const found = play({ ...world, steps: fewer }, programs).difference;
      if (found === undefined) {
        at += size;
      } else {
        steps = fewer;
        difference = found;
      }
    }
  }
  return { world: { ...world, steps }, difference };
}
