/** Headers that are rare: extension headers, options, fragments of IPv6; and packets that IPVS must leave alone. */
import { type Case, type CaseFile, CONNECTIONS, packet, restore, type Step } from "../case.ts";
import { at, begin, clientOf, framesCase, METHODS, type Method, vipOf } from "./methods.ts";
import { ways } from "./wire.ts";

const GROUP = "on the wire, rare headers";

const PLAIN = METHODS.filter(({ name }) => /^(NAT|DR|TUN ipip)/.test(name));
const INET = METHODS.filter(({ family }) => family === 4);
const INET6 = METHODS.filter(({ family }) => family === 6);

export const RARE_HEADERS: CaseFile = {
  features: {
    [GROUP]:
      "Extension headers, options, long fragmented datagrams, smallest TTL, cut packets and quotes, strange sources, FTP's ports",
  },
  cases: () => headerCases(),
};

function headerCases(): Case[] {
  return [
    ...METHODS.flatMap((method) => [
      of(method, "smallest times to live", "t", timesToLive(method)),
      of(method, "time to live and size together", "u", exhaustedAndLong(method)),
    ]),
    ...INET6.flatMap((method) => [
      of(method, "extension headers, TCP", "t", extensions(method, "tcp")),
      of(method, "extension headers, UDP", "u", extensions(method, "udp")),
      of(method, "extension headers, ICMP errors", "u", extendedErrors(method)),
      of(method, "fragments", "u", fragmentsInet6(method)),
      of(method, "fragments that make a long datagram", "u", longDatagram(method)),
      of(method, "flow label and class", "u", flowLabels(method)),
    ]),
    ...INET.flatMap((method) => [
      of(method, "IPv4 options", "u", options(method)),
      of(method, "fragments that make a long datagram", "u", longDatagram(method)),
    ]),
    ...PLAIN.flatMap((method) => [
      of(method, "quotes cut short", "u", shortQuotes(method)),
      of(method, "sources that are none", "u", strangeSources(method)),
      of(method, "cut short", "t", cutShort(method)),
      of(method, "AH and ESP", "u", security(method)),
    ]),
    ...PLAIN.filter(hasOneFamily).map((method) =>
      of(method, "DR servers' gateway", "u", gateway(method)),
    ),
    ...ftpCases(),
  ];
}

function hasOneFamily({ family, server }: Method): boolean {
  return server.includes(":") === (family === 6);
}

function of(method: Method, name: string, protocol: "t" | "u", steps: readonly Step[]): Case {
  return framesCase(GROUP, `${method.name}, ${name}`, [begin(method, protocol), ...steps]);
}

function timesToLive(method: Method): Step[] {
  const { ask, answer } = ways(method, "tcp");
  const isNat = method.option === "-m";
  return [
    ask("S ttl=2"),
    ask("A ttl=1 length=600"),
    ...(isNat ? [answer("SA ttl=2"), answer("A ttl=1 length=600")] : []),
    ask("PA ttl=3 length=1"),
    CONNECTIONS,
  ];
}

/** Which of two reasons not to go on is told. */
function exhaustedAndLong(method: Method): Step[] {
  const { ask, answer } = ways(method, "udp");
  const isNat = method.option === "-m";
  return [
    ask("length=1460 ttl=1 df"),
    ask("length=1460 ttl=2 df"),
    ask("length=2000 ttl=1"),
    ask("length=2000 ttl=2"),
    ...(isNat
      ? [answer("length=2000 df"), answer("length=2000"), answer("length=2000 ttl=1")]
      : []),
    CONNECTIONS,
  ];
}

const CHAINS = ["hop", "dst", "route", "hop,dst", "hop,dst,route,dst", "dst,dst,dst"];

function extensions(method: Method, protocol: "tcp" | "udp"): Step[] {
  const { ask, answer } = ways(method, protocol);
  const isNat = method.option === "-m";
  const [first, next] = protocol === "tcp" ? ["S", "A"] : ["", ""];
  return [
    ask(`${first} ext=hop`),
    ...CHAINS.flatMap((chain) => [
      ask(`${next} length=33 ext=${chain}`),
      ...(isNat ? [answer(`${next} length=44 ext=${chain}`)] : []),
    ]),
    ask(`${next} length=1500 ext=hop,dst`),
    ask(`${next} length=3 ttl=1 ext=dst`),
    CONNECTIONS,
  ];
}

function extendedErrors(method: Method): Step[] {
  const { ask, answered, asked } = ways(method, "udp");
  const toVip = `icmp ${clientOf(method)} > ${vipOf(method)}`;
  const toClient = `icmp ${method.server} > ${clientOf(method)}`;
  const isNat = method.option === "-m";
  return [
    ask("length=20"),
    packet(`${toVip} 1/4 ext=dst about ${answered} length=30`),
    packet(`${toVip} 1/4 about ${answered} length=30 ext=hop,dst`),
    packet(`${toVip} 1/4 ext=hop about ${answered} length=30 fragment=0-40`),
    packet(`${toVip} 1/4 about ${answered} length=30 fragment=0-16`),
    packet(`${toVip} 1/4 about ${answered} length=30 fragment=16-38`),
    ...(isNat ? [packet(`${toClient} 1/4 checksum=plain about ${asked} length=30 ext=dst`)] : []),
    CONNECTIONS,
  ];
}

function fragmentsInet6(method: Method): Step[] {
  const { ask, answer } = ways(method, "udp");
  const pieces = (send: (what: string) => Step, what: string, cuts: readonly string[]): Step[] =>
    cuts.map((cut) => send(`length=200 ${what} fragment=${cut}`));
  const isNat = method.option === "-m";
  return [
    ...pieces(ask, "id=1", ["0-104", "104-208"]),
    ...pieces(ask, "id=2", ["104-208", "0-104"]),
    ...pieces(ask, "id=3", ["0-48", "152-208", "48-152"]),
    ...pieces(ask, "id=4 ext=dst", ["0-104", "104-208"]),
    // A fragment that is all: RFC 6946.
    ...pieces(ask, "id=5", ["0-208"]),
    ...pieces(ask, "id=6 ttl=1", ["0-104", "104-208"]),
    ...(isNat ? pieces(answer, "id=7 ttl=9", ["0-104", "104-208"]) : []),
    ...(isNat ? pieces(answer, "id=8", ["0-208"]) : []),
    CONNECTIONS,
  ];
}

/** More than a link carries, in fragments that it does carry. */
function longDatagram(method: Method): Step[] {
  const { ask, answer } = ways(method, "udp");
  const isNat = method.option === "-m";
  return [
    ...["0-1208", "1208-2008"].map((cut) => ask(`length=2000 id=9 fragment=${cut}`)),
    ...["0-1448", "1448-2896", "2896-4008"].map((cut) => ask(`length=4000 id=10 fragment=${cut}`)),
    ...(isNat
      ? ["0-1448", "1448-2896", "2896-4008"].map((cut) =>
          answer(`length=4000 id=11 fragment=${cut}`),
        )
      : []),
    CONNECTIONS,
  ];
}

function flowLabels(method: Method): Step[] {
  const { ask } = ways(method, "udp");
  return ["flow=1", "flow=1048575", "flow=74565 tos=3", "tos=255", "tos=46"].map((what) =>
    ask(`length=9 ${what}`),
  );
}

/** No operation and end; router alert (RFC 2113); record route and timestamp with room for one. */
const OPTIONS = [
  "01010100",
  "94040000",
  "0707040000000000",
  "44080500000000000000000000000000".slice(0, 16),
];

function options(method: Method): Step[] {
  const { ask } = ways(method, "udp");
  return [
    ...OPTIONS.slice(0, 2).flatMap((hex) => [
      ask(`length=9 options=${hex}`),
      ask(`length=1468 df options=${hex}`),
      ask(`length=1600 options=${hex}`),
      ask(`length=9 ttl=1 options=${hex}`),
    ]),
    CONNECTIONS,
  ];
}

/** ICMP errors that hold less and less of what they are about. */
function shortQuotes(method: Method): Step[] {
  const { ask, answered, asked } = ways(method, "udp");
  const isInet = method.family === 4;
  const header = isInet ? 20 : 40;
  const quotes = [header + 8, header + 7, header + 4, header + 3, header, header - 1, 8, 0];
  const error = isInet ? "3/1" : "1/3";
  const toVip = `icmp ${clientOf(method)} > ${vipOf(method)}`;
  const toClient = `icmp ${method.server} > ${clientOf(method)}`;
  const isNat = method.option === "-m";
  const checksum = isInet ? "" : "checksum=plain";
  return [
    ask("length=20"),
    ...quotes.map((length) =>
      packet(`${toVip} ${error} quote=${length} about ${answered} length=9`),
    ),
    ...(isNat
      ? quotes.map((length) =>
          packet(`${toClient} ${error} ${checksum} quote=${length} about ${asked} length=9`),
        )
      : []),
    CONNECTIONS,
  ];
}

function strangeSources(method: Method): Step[] {
  const isInet = method.family === 4;
  const vip = at(vipOf(method), 80);
  const from = isInet ? "10.8.0.254" : "fd08::fe";
  const sources = isInet
    ? ["0.0.0.0:5", "0.1.2.3:5", "224.0.0.5:5", "255.255.255.255:5", "240.0.0.1:5"]
    : ["[::]:5", "[ff02::5]:5", "[ff0e::1]:5", "[::ffff:10.9.0.1]:5"];
  return [
    ...sources.map((source) => packet(`udp ${source} > ${vip} length=8 from=${from}`)),
    CONNECTIONS,
  ];
}

function cutShort(method: Method): Step[] {
  const { ask } = ways(method, "tcp");
  return [
    ...[0, 3, 4, 8, 13, 19].map((length) => ask(`S cut=${length}`)),
    ask("S cut=20"),
    CONNECTIONS,
  ];
}

/** IPsec follows the entry of its key exchange, UDP to port 500 of the same two: ip_vs_proto_ah_esp.c. */
function security(method: Method): Step[] {
  const { family, server, option } = method;
  const service = at(vipOf(method), 500);
  const between = `${clientOf(method)} > ${vipOf(method)}`;
  const isNat = option === "-m";
  const back = `ip ${isNat ? server : vipOf(method)} > ${clientOf(method)}`;
  const from = isNat ? "" : `from=${server}`;
  const protocols = family === 4 ? [50, 51] : [50];
  return [
    restore(`-A -u ${service} -s rr`, `-a -u ${service} -r ${at(server, 500)} ${option}`),
    ...protocols.map((number) => packet(`ip ${between} ${number} length=24`)),
    packet(`udp ${at(clientOf(method), 500)} > ${service} length=8`),
    ...protocols.flatMap((number) => [
      packet(`ip ${between} ${number} length=24`),
      packet(`${back} ${number} length=24 ${from}`),
    ]),
    CONNECTIONS,
  ];
}

/** Servers whose default route is the director, and what else they send by it. */
function gateway(method: Method): Step[] {
  const { ask, answer } = ways(method, "udp");
  const client = at(clientOf(method), 4000);
  const server = at(method.server, 53);
  return [
    ask("length=8"),
    answer("length=9 ttl=2"),
    packet(`udp ${server} > ${client} length=11`),
    packet(`udp ${server} > ${at(clientOf(method), 53)} length=12`),
    packet(`udp ${server} > ${at(vipOf(method), 80)} length=13`),
    CONNECTIONS,
  ];
}

/** A service on port 21 takes unprivileged ports and 20, as far as it is persistent; from port 20 nobody comes. */
function ftpCases(): Case[] {
  return [4, 6].flatMap((family) => {
    const [client, vip, server] =
      family === 4 ? ["CLIENT", "VIP", "192.168.150.21"] : ["[CLIENT6]", "[VIP6]", "[fd15::21]"];
    const syn = (to: number, from = 4000): Step => packet(`tcp ${client}:${from} > ${vip}:${to} S`);
    const ports = [syn(20), syn(1023), syn(1024), syn(1025), syn(65535), syn(80)];
    const steps = (options: string, ...lines: string[]): Step[] => [
      restore(`-A -t ${vip}:21 -s rr ${options}`, ...lines),
      ...ports,
      syn(21, 4001),
      ...ports,
      syn(20, 4002),
      syn(5000, 4003),
      syn(5000, 20),
      syn(21, 20),
      packet(`tcp ${client}:4004 > ${vip}:5001 A`),
      packet(`udp ${client}:4004 > ${vip}:5001 length=4`),
      CONNECTIONS,
    ];
    const one = `-a -t ${vip}:21 -r ${server}:21 -g`;
    const name = `FTP${family === 4 ? "" : ", IPv6"}`;
    return [
      framesCase(GROUP, name, steps("", one)),
      framesCase(GROUP, `${name}, persistent`, steps("-p 60", one)),
      framesCase(GROUP, `${name}, without servers`, steps("")),
      framesCase(GROUP, `${name}, persistent, without servers`, steps("-p 60")),
      framesCase(
        GROUP,
        `${name}, and any port`,
        steps("", one, `-A -t ${vip}:0 -s rr -p 60`, `-a -t ${vip}:0 -r ${server}:0 -g`),
      ),
      framesCase(
        GROUP,
        `${name}, and another port`,
        steps("-p 60", one, `-A -t ${vip}:5000 -s rr`, `-a -t ${vip}:5000 -r ${server}:5000 -g`),
      ),
    ];
  });
}
