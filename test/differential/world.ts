/** Services, edits, packets of every kind and what becomes of the host, from a seed. */
import { type Prng, prng } from "../../src/base/prng.ts";
import type { Family } from "../../src/net/address.ts";
import { GUE_PORT } from "./comparable.ts";

/**
 * A command of ipvsadm; `sysctl NAME VALUE`; `host` and what is otherwise there (test/packets/test-host.ts); or a packet as a row,
 * with bytes of it changed, and cut.
 */
export interface Step {
  readonly row: string;
  readonly changes?: readonly (readonly [at: number, value: number])[];
  /** Whether checksums are right again after the changes. */
  readonly isMended?: boolean;
  readonly length?: number;
}

export interface World {
  readonly family: Family;
  /** What decides how the programs are set up, and by what they hash flows. */
  readonly secret: number;
  readonly steps: readonly Step[];
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
/** Names and values. */
const SYSCTLS = [
  "conn_reuse_mode",
  "expire_nodest_conn",
  "expire_quiescent_template",
  "pmtu_disc",
  "sloppy_tcp",
  "nat_icmp_send",
  "snat_reroute",
  "cache_bypass",
  "conntrack",
  "secure_tcp",
]
  .flatMap((name) => [`${name} 0`, `${name} 1`])
  .concat("conn_reuse_mode 1", "conn_reuse_mode 2", "secure_tcp 0", "secure_tcp 3")
  // While it is on the programs do nothing.
  .concat(Array.from({ length: 6 }, () => "conntrack 0"));
/** As test/packets/test-host.ts reads them; what is to be so most of the time is there several times. */
const HOST_CHANGES = [
  "disown V",
  "own V",
  "own V",
  "own V",
  "disown V2",
  "own V2",
  "own V2",
  "lose R1",
  "find R1",
  "find R1",
  "mtu R2 1400",
  "mtu R2 1500",
  "forwarding off",
  "forwarding on",
  "forwarding on",
  "forwarding on",
];
const ERRORS = [
  "too-big mtu 1000",
  "too-big mtu 1400",
  "too-big mtu 1450",
  "unreachable-host",
  "unreachable-port",
  "time-exceeded",
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
  while (steps.length < length) steps.push(step(random, family));
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

function step(random: Prng, family: Family): Step {
  if (random.below(100) === 0) return { row: edit(random) };
  if (random.below(60) === 0) return { row: error(random, family) };
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
  switch (random.below(11)) {
    case 8:
      return `host ${random.of(HOST_CHANGES)}`;
    case 7:
    case 6:
      return `sysctl ${random.of(SYSCTLS)}`;
    case 5:
      return random.below(4) === 0 ? `-D ${service}` : `-A ${serviceOf(random, service)}`;
    case 4:
      return `--set ${random.of([0, 500, 900])} ${random.of([0, 60, 120])} ${random.of([0, 100, 300])}`;
    case 0:
      return `-d ${service} -r ${server}`;
    case 1:
    case 9:
    case 10:
      return `-a ${service} -r ${serverOf(random, server)}`;
    case 2:
      return `-e ${service} -r ${server} ${random.of(["-m", "-g", "-i"])} -w ${random.below(4)}${random.of(["", " -x 4 -y 2", " -x 9"])}`;
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
  const way = random.of(["", "", " at forward"]);
  return `${random.of(SERVERS)}:${port} > ${client} ${content(random, port === "53" || random.below(6) === 0)}${way}`;
}

/** What a router on either side tells of a packet. */
function error(random: Prng, family: Family): string {
  const client = `${random.of(CLIENTS)}:${1000 + random.below(PORTS)}`;
  const kind = random.of(ERRORS);
  const size = random.of(["", " len 1480 df", " len 1500 df"]);
  const server = random.of(SERVERS);
  const service = random.of(["V:80", "V2:443"]);
  const [clientName] = client.split(":");
  const [serviceName] = service.split(":");
  const answer = `X > ${serviceName} ${kind} about ${service} > ${client} .${size}`;
  const port = random.of(["80", "443", "8080"]);
  const request = `Y > ${clientName} ${kind} about ${client} > ${server}:${port} .${size}`;
  const routed = `Y > ${clientName} ${kind} about ${client} > ${service} .${size}`;
  if (family === "inet6") return random.of([answer, request, routed]);
  // Rows have no tunnels of IPv6.
  const tunnel = random.of(["ipip", "gre", `gue:${GUE_PORT}`]);
  const inside = `Y > D ${kind} about D > ${server} in ${tunnel} ${client} > ${service} .${size}`;
  return random.of([answer, request, routed, inside, inside, inside]);
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
