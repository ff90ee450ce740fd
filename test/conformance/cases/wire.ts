/** The frames that leave the director, byte by byte. */
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  ipvsadm,
  packet,
  restore,
  type Step,
} from "../case.ts";
import { at, begin, clientOf, framesCase, METHODS, type Method, vipOf } from "./methods.ts";

const GROUP = "on the wire";

/** The kernel forgets every removed server's connections where the second is set: so these wait apart. */
const REMOVAL_GROUPS = ["removed servers", "removed servers, expire_nodest_conn"] as const;

export const WIRE: CaseFile = {
  features: {
    [GROUP]:
      "Frames on the wire: NAT, DR, TUN (ipip, gue, gre), IPv4 and IPv6, TTL, MTU, fragments, ICMP both ways, refusals",
    [REMOVAL_GROUPS[0]]: "Connections of removed servers, and their return",
    [REMOVAL_GROUPS[1]]: "The same with expire_nodest_conn",
  },
  cases: () => [...wireCases(), ...removalCases()],
};

function removalCases(): Case[] {
  const methods = METHODS.filter(({ name }) => ["NAT", "DR", "TUN ipip"].includes(name));
  return REMOVAL_GROUPS.flatMap((group, expire) =>
    methods.map((method) => removedCase(group, method, expire)),
  );
}

function wireCases(): Case[] {
  return [
    ...METHODS.flatMap((method) => [
      framesCase(GROUP, `${method.name}, TCP`, [begin(method, "t"), ...tcp(method)]),
      framesCase(GROUP, `${method.name}, UDP`, [begin(method, "u"), ...udp(method)]),
      framesCase(GROUP, `${method.name}, time to live`, [
        begin(method, "u"),
        ...timeToLive(method),
      ]),
      framesCase(GROUP, `${method.name}, sizes`, [begin(method, "u"), ...sizes(method)]),
      framesCase(
        GROUP,
        `${method.name}, fragments not allowed, pmtu_disc 0`,
        [begin(method, "u"), ...sizes(method)],
        { pmtu_disc: 0 },
      ),
      framesCase(GROUP, `${method.name}, ICMP from the client's side`, [
        begin(method, "u"),
        ...icmpFromClient(method),
      ]),
      framesCase(GROUP, `${method.name}, ICMP from the server's side`, [
        begin(method, "u"),
        ...icmpFromServer(method),
      ]),
    ]),
    ...narrowCases(),
    ...fragmentCases(),
    ...refusalCases(),
  ];
}

/** Both ways of a flow, and replies where the director sees them. */
export function ways(method: Method, protocol: "tcp" | "udp") {
  const client = at(clientOf(method), 4000);
  const vip = at(vipOf(method), 80);
  const isNat = method.option === "-m";
  const answer = isNat ? at(method.server, method.port) : vip;
  const from = isNat ? "" : ` from=${method.server}`;
  return {
    ask: (what: string): Step => packet(`${protocol} ${client} > ${vip} ${what}`),
    answer: (what: string): Step => packet(`${protocol} ${answer} > ${client} ${what}${from}`),
    asked: `${protocol} ${client} > ${isNat ? answer : vip}`,
    answered: `${protocol} ${vip} > ${client}`,
  };
}

function tcp(method: Method): Step[] {
  const { ask, answer } = ways(method, "tcp");
  return [
    ask("S seq=4294967295"),
    answer("SA ack=0"),
    ask("A tos=16 df"),
    ask("PA length=1 id=65535"),
    ask("PA length=513 tos=2"),
    answer("PA length=1000 ttl=255 tos=40"),
    ask("A checksum=wrong"),
    answer("A checksum=wrong"),
    ask("FA tos=3 df"),
    answer("FA"),
    CONNECTIONS,
  ];
}

function udp(method: Method): Step[] {
  const { ask, answer } = ways(method, "udp");
  return [
    ask("length=0"),
    ask("length=1"),
    ask("length=300 df"),
    answer("length=7"),
    // Without a checksum, which only IPv4 allows.
    ask("length=9 checksum=none"),
    answer("length=9 checksum=none"),
    ask("length=10 checksum=wrong"),
    // Payloads of many sums, so that some checksum comes out as zero and is sent as ones.
    ...Array.from({ length: 12 }, (_, index) => ask(`length=${20 + index} tos=${index}`)),
    CONNECTIONS,
  ];
}

/** Answers by NAT only: any other has the director's own address, so the message would be for the director itself. */
function timeToLive(method: Method): Step[] {
  const { ask, answer } = ways(method, "udp");
  const isNat = method.option === "-m";
  return ["ttl=2", "ttl=255", "ttl=1", "ttl=1 df", "ttl=0"].flatMap((what) =>
    isNat ? [ask(what), answer(what)] : [ask(what)],
  );
}

/** Around what fits: 1500, and what each tunnel's header leaves of it. */
function sizes(method: Method): Step[] {
  const { ask } = ways(method, "udp");
  const headers = method.family === 4 ? 28 : 48;
  return [1408, 1436, 1452, 1453, 1460, 1468, 1469, 1472, 1476, 1477, 1480, 1481, 1500].flatMap(
    (size) => [ask(`length=${size - headers} df`), ask(`length=${size - headers}`)],
  );
}

/** Errors by type and code, with and without connection, whole and damaged. */
function icmpFromClient(method: Method): Step[] {
  const { ask, answered } = ways(method, "udp");
  const between = `icmp ${clientOf(method)} > ${vipOf(method)}`;
  const errors =
    method.family === 4
      ? ["3/3", "3/1", "3/4 mtu=1200", "11/0", "4/0", "12/0", "5/1"]
      : ["1/4", "2/0 mtu=1300", "3/0", "4/0"];
  return [
    ask("length=20"),
    ...errors.map((error) => packet(`${between} ${error} about ${answered} length=30`)),
    packet(
      `${between} ${errors[0]} quote=${method.family === 4 ? 28 : 48} about ${answered} length=30`,
    ),
    packet(`${between} ${errors[0]} checksum=wrong about ${answered} length=30`),
    packet(`${between} ${errors[0]} ttl=1 about ${answered} length=30`),
    packet(`${between} ${errors[0]} about ${answered.replace(":4000", ":4001")}`),
    packet(`${between} ${method.family === 4 ? "8/0" : "128/0"}`),
    CONNECTIONS,
  ];
}

function icmpFromServer(method: Method): Step[] {
  const { ask, asked } = ways(method, "udp");
  if ((method.server.includes(":") ? 6 : 4) !== method.family) return [ask("length=20")];
  const between = `icmp ${method.server} > ${clientOf(method)}`;
  const errors =
    method.family === 4 ? ["3/3", "3/4 mtu=1200", "11/0", "4/0"] : ["1/4", "2/0 mtu=1300", "3/0"];
  return [
    ask("length=20"),
    ...errors.map((error) => packet(`${between} ${error} about ${asked} length=20`)),
    packet(`${between} ${errors[0]} checksum=wrong about ${asked} length=20`),
    ...(method.family === 6
      ? [packet(`${between} ${errors[0]} checksum=plain about ${asked} length=20`)]
      : []),
    packet(`${between} ${errors[0]} about ${asked.replace(":4000", ":4001")} length=20`),
    CONNECTIONS,
  ];
}

/** A server behind a link of 1400 bytes. */
function narrowCases(): Case[] {
  const far = { family: 4, server: "172.16.1.5", port: 80 } as const;
  const far6 = { family: 6, server: "fd16:1::5", port: 80 } as const;
  const methods: Method[] = [
    { name: "NAT over a narrow link", option: "-m", ...far },
    { name: "DR over a narrow link", option: "-g", ...far },
    { name: "TUN over a narrow link", option: "-i", ...far },
    { name: "NAT over a narrow link, IPv6", option: "-m", ...far6 },
    { name: "DR over a narrow link, IPv6", option: "-g", ...far6 },
    { name: "TUN over a narrow link, IPv6", option: "-i", ...far6 },
  ];
  return methods.flatMap((method) => {
    const { ask } = ways(method, "udp");
    const headers = method.family === 4 ? 28 : 48;
    return framesCase(GROUP, method.name, [
      begin(method, "u"),
      ...[1360, 1380, 1381, 1400, 1401, 1402, 1500].flatMap((size) => [
        ask(`length=${size - headers} df`),
        ask(`length=${size - headers}`),
      ]),
    ]);
  });
}

/** Datagrams in pieces: they are put together, and sent on as they fit. */
function fragmentCases(): Case[] {
  return METHODS.filter(({ family }) => family === 4).map((method) => {
    const { ask, answer } = ways(method, "udp");
    const pieces = (what: string, cuts: readonly string[], send: (what: string) => Step) =>
      cuts.map((cut) => send(`length=200 ${what} fragment=${cut}`));
    return framesCase(GROUP, `${method.name}, fragments`, [
      begin(method, "u"),
      ...pieces("id=1", ["0-104", "104-208"], ask),
      ...pieces("id=2", ["104-208", "0-104"], ask),
      ...pieces("id=3", ["0-48", "152-208", "48-152"], ask),
      ...(method.option === "-m" ? pieces("id=4 ttl=9", ["0-104", "104-208"], answer) : []),
      CONNECTIONS,
    ]);
  });
}

/** Packets that nobody takes. */
function refusalCases(): Case[] {
  const [nat] = METHODS as [Method];
  const services = restore(
    "-A -t VIP:80",
    "-A -u VIP:80",
    "-A --sctp-service VIP:80",
    "-A -t [VIP6]:80",
    "-A -u [VIP6]:80",
  );
  const all = [
    "tcp CLIENT:1 > VIP:80 S",
    "tcp CLIENT:1 > VIP:80 A",
    "tcp CLIENT:1 > VIP:80 R",
    "udp CLIENT:1 > VIP:80 length=40",
    "udp CLIENT:1 > VIP:80 length=900",
    "sctp CLIENT:1 > VIP:80 INIT",
    "tcp [CLIENT6]:1 > [VIP6]:80 S",
    "udp [CLIENT6]:1 > [VIP6]:80 length=1400",
  ];
  return [
    framesCase(GROUP, "no servers", [services, ...all.map(packet)]),
    framesCase(GROUP, "a service on another port", [
      restore("-A -t VIP:81", "-a -t VIP:81 -r 192.168.150.21"),
      ...all.map(packet),
    ]),
    framesCase(GROUP, "a client's port 20", [begin(nat, "t"), packet("tcp CLIENT:20 > VIP:80 S")]),
    framesCase(GROUP, "NAT server without a connection", [
      begin(nat, "t"),
      packet("tcp 192.168.150.21:8080 > CLIENT:9 SA"),
      packet("tcp 192.168.150.21:8080 > CLIENT:9 R"),
    ]),
    framesCase(
      GROUP,
      "NAT server without a connection, nat_icmp_send",
      [
        begin(nat, "t"),
        packet("tcp 192.168.150.21:8080 > CLIENT:9 SA"),
        packet("tcp 192.168.150.21:8080 > CLIENT:9 R"),
        packet("tcp 192.168.150.21:8081 > CLIENT:9 SA"),
      ],
      { nat_icmp_send: 1 },
    ),
    framesCase(GROUP, "a real server on the director itself", [
      restore(
        "-A -t VIP:80",
        "-a -t VIP:80 -r 192.168.150.11:80 -g",
        "-A -t VIP:81",
        "-a -t VIP:81 -r 192.168.150.11:8081 -m",
      ),
      packet("tcp CLIENT:1 > VIP:80 S"),
      packet("tcp CLIENT:1 > VIP:81 S"),
    ]),
    framesCase(GROUP, "a real server without a route", [
      restore("-A -u VIP:80", "-a -u VIP:80 -r 203.0.113.5:80 -g"),
      packet("udp CLIENT:1 > VIP:80 length=10"),
    ]),
  ];
}

/** What happens to a connection whose server is removed, and comes back. */
function removedCase(group: string, method: Method, expire: number): Case {
  const { ask, answer } = ways(method, "tcp");
  const server = at(method.server, method.port);
  return framesCase(
    group,
    method.name,
    [
      begin(method, "t"),
      // Without any service left the kernel would not look at packets at all.
      ipvsadm("-A -t VIP:81"),
      ask("S"),
      ask("A"),
      ipvsadm(`-d -t VIP:80 -r ${server}`),
      { kind: "wait", ms: 40 },
      ask("PA length=4"),
      answer("A"),
      ask("S"),
      CONNECTIONS,
      ipvsadm(`-a -t VIP:80 -r ${server} ${method.option}`),
      ask("PA length=5"),
      answer("A"),
      ask("S"),
      { kind: "wait", ms: 40 },
      CONNECTIONS,
      { kind: "services" },
      ipvsadm("-D -t VIP:80"),
      ask("PA length=6"),
    ],
    { expire_nodest_conn: expire },
  );
}
