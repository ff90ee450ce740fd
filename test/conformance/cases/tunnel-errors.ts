/** ICMP errors about the director's own tunnel packets: what the client is told, and what the next packets do. */
import { type Case, type CaseFile, CONNECTIONS, packet, type Step } from "../case.ts";
import { at, begin, clientOf, framesCase, METHODS, type Method, vipOf } from "./methods.ts";
import { ways } from "./wire.ts";

const GROUP = "errors about tunnels";

const TUNNELS = METHODS.filter(({ name }) => name.startsWith("TUN"));
/** The director's address towards the real servers, and the router between them. */
const DIRECTOR = { 4: "192.168.150.11", 6: "fd15::11" } as const;
const ROUTER = { 4: "192.168.150.254", 6: "fd15::fe" } as const;

/** A path's MTU is the whole kernel's to remember, so each case has a real server of its own. */
export const TUNNEL_ERRORS: CaseFile = {
  features: {
    [GROUP]:
      "ICMP errors about tunnels' own packets, path MTU, in every tunnel and mix of families",
  },
  cases: () => tunnelErrorCases(),
};

function tunnelErrorCases(): Case[] {
  return TUNNELS.flatMap((tunnel, index) => {
    const outer = tunnel.server.includes(":") ? 6 : 4;
    const beyond = (number: number): Method => ({
      ...tunnel,
      server: outer === 4 ? `172.16.0.${number}` : `fd16::${number}`,
    });
    return [
      framesCase(GROUP, `${tunnel.name}, told by routers`, [
        begin(beyond(2 * index + 1), "u"),
        ...told(beyond(2 * index + 1), outer),
      ]),
      framesCase(GROUP, `${tunnel.name}, a narrow path`, [
        begin(beyond(2 * index + 2), "u"),
        ...narrow(beyond(2 * index + 2), outer),
      ]),
    ];
  });
}

/** An error about a tunnel packet that carried `inner`. */
function errors(method: Method, outer: 4 | 6) {
  const { option, server } = method;
  const between = `${DIRECTOR[outer]} > ${server}`;
  const ports = `${at(DIRECTOR[outer], 40_000)} > ${at(server, 6080)}`;
  const header = option.includes("gue")
    ? `gue ${ports}`
    : option.includes("gre")
      ? `gre ${between}${option.includes("--tun-csum") ? " C" : ""}`
      : `${method.family === 4 ? "ipip" : "ip6ip6"} ${between}`;
  return (error: string, inner: string, to: string = DIRECTOR[outer], of = ""): Step =>
    packet(`icmp ${ROUTER[outer]} > ${to} ${error} about ${header} ${of} about ${inner}`);
}

function told(method: Method, outer: 4 | 6): Step[] {
  const { ask } = ways(method, "udp");
  const error = errors(method, outer);
  const client = at(clientOf(method), 4000);
  const inner = `udp ${client} > ${at(vipOf(method), 80)} length=64`;
  const all =
    outer === 4
      ? ["3/3", "3/2", "3/1", "3/13", "11/0", "11/1", "4/0", "12/0"]
      : ["1/0", "3/0", "4/1"];
  const first = all[0]!;
  return [
    ask("length=64"),
    ...all.map((each) => error(each, inner)),
    error(first, `${inner} tos=8`),
    error(`${first} checksum=wrong`, inner),
    error(`${first} quote=56`, inner),
    error(`${first} quote=48`, inner),
    error(`${first} quote=36`, inner),
    error(`${first} ttl=1`, inner),
    // Of nobody's connection, of nobody's tunnel, and to another address of the director's.
    error(first, inner.replace("4000", "4001")),
    error(
      first,
      inner,
      vipOf(method).startsWith("VIP6") === (outer === 6) ? vipOf(method) : undefined,
    ),
    error(first, inner, undefined, "fragment=8-72"),
    CONNECTIONS,
  ];
}

function narrow(method: Method, outer: 4 | 6): Step[] {
  const { ask } = ways(method, "udp");
  const error = errors(method, outer);
  const inner = `udp ${at(clientOf(method), 4000)} > ${at(vipOf(method), 80)} length=1300`;
  const tooBig = (mtu: number): string => `${outer === 4 ? "3/4" : "2/0"} mtu=${mtu}`;
  const headers = method.family === 4 ? 28 : 48;
  return [
    ask("length=1300 df"),
    error(tooBig(1340), `${inner} df`),
    ask("length=1300 df"),
    ask("length=1300"),
    ...[1340, 1320, 1316, 1312, 1308, 1300, 1292].flatMap((size) => [
      ask(`length=${size - headers} df`),
      ask(`length=${size - headers}`),
    ]),
    error(tooBig(1320), inner),
    ask("length=1280 df"),
    // The larger one does not count.
    error(tooBig(1330), `${inner} df`),
    ask("length=1280 df"),
    error(tooBig(0), `${inner} df`),
    ask("length=1100 df"),
    CONNECTIONS,
  ];
}
