/** Templates, UDP and one-packet scheduling once more, the same for both families and with what each mask does. */
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  ipvsadm,
  packet,
  restore,
  SERVICES,
  type Step,
  wait,
} from "../case.ts";
import { framesCase } from "./methods.ts";

const GROUP = "persistence, both families";

export const PERSISTENCE_FAMILIES: CaseFile = {
  features: {
    [GROUP]:
      "Templates by mask and prefix, any port, FTP, NAT, UDP and one-packet scheduling, IPv4 and IPv6",
  },
  cases: () => ([4, 6] as const).flatMap((family) => casesOf(stageOf(family))),
};

/** What a scenario speaks of, in one family. */
interface Stage {
  readonly family: 4 | 6;
  readonly vip: string;
  readonly server: (number: number, port: number) => string;
  /** The client `host` in the network `network`; the case's own one, by which NAT's answers are told apart, in OWN. */
  readonly client: (network: number, host: number) => string;
}

const OWN = -1;

function stageOf(family: 4 | 6): Stage {
  return family === 4
    ? {
        family,
        vip: "VIP",
        server: (number, port) => `192.168.150.${number}${port === 0 ? "" : `:${port}`}`,
        client: (network, host) => (network === OWN ? "CLIENT" : `10.9.${network}.${host}`),
      }
    : {
        family,
        vip: "[VIP6]",
        server: (number, port) => `[fd15::${number}]:${port}`,
        client: (network, host) =>
          network === OWN ? "[CLIENT6]" : `[fd09:0:0:${network}::${host}]`,
      };
}

const SERVERS = [21, 22, 23];
/** An entry's end comes with the kernel's next tick. */
const TICK_MS = 30;

const MASKS = {
  4: [
    "255.255.255.255",
    "255.255.255.254",
    "255.255.255.0",
    "255.255.0.0",
    "128.0.0.0",
    "0.0.0.255",
  ],
  6: ["128", "127", "64", "63", "48", "1"],
} as const;

function casesOf(stage: Stage): Case[] {
  const { vip, server, client } = stage;
  const service = (protocol: "t" | "u", port: number, options: string, method = "-g"): Step =>
    restore(
      `-A -${protocol} ${vip}:${port} -s rr ${options}`,
      ...SERVERS.map(
        (number) =>
          `-a -${protocol} ${vip}:${port} -r ${server(number, method === "-m" ? 8080 : port)} ${method}`,
      ),
    );
  const tcp = (network: number, host: number, port: number, flags = "S", to = 80): Step =>
    packet(`tcp ${client(network, host)}:${port} > ${vip}:${to} ${flags}`);
  const udp = (network: number, host: number, port: number, to = 80): Step =>
    packet(`udp ${client(network, host)}:${port} > ${vip}:${to} length=4`);
  const crowd: Step[] = [0, 1, 2, 128].flatMap((network) =>
    [1, 2, 3].flatMap((host) => [tcp(network, host, 1), tcp(network, host, 2)]),
  );
  const edit = (options: string): Step =>
    ipvsadm(`-e -t ${vip}:80 -r ${server(23, 80)} -g ${options}`);
  const of = (name: string, steps: readonly Step[], sysctls: Case["sysctls"] = {}): Case =>
    framesCase(GROUP, `IPv${stage.family}, ${name}`, [...steps, CONNECTIONS, SERVICES], sysctls);
  const [answerTcp, answerUdp] = ["tcp", "udp"].map(
    (protocol) => (number: number, what: string) =>
      packet(`${protocol} ${server(number, 8080)} > ${client(OWN, 1)}:1 ${what}`),
  ) as [Answer, Answer];
  return [
    ...MASKS[stage.family].map((mask) =>
      of(`mask ${mask}`, [service("t", 80, `-p 100 -M ${mask}`), ...crowd]),
    ),
    of("mask changed midway", [
      service("t", 80, "-p 100"),
      ...crowd.slice(0, 8),
      ipvsadm(`-E -t ${vip}:80 -s rr -p 50 -M ${MASKS[stage.family][2]}`),
      tcp(0, 1, 9),
      tcp(0, 9, 9),
      tcp(0, 8, 9),
    ]),
    ...[0, 1].map((quiescent) =>
      of(
        `weight 0 and back, expire_quiescent_template ${quiescent}`,
        [
          service("t", 80, "-p 100"),
          tcp(0, 1, 1),
          edit("-w 0"),
          tcp(0, 1, 2),
          tcp(0, 1, 3),
          tcp(0, 2, 1),
          CONNECTIONS,
          edit("-w 1"),
          tcp(0, 1, 4),
          tcp(0, 2, 2),
        ],
        { expire_quiescent_template: quiescent },
      ),
    ),
    of("removed and back", [
      service("t", 80, "-p 100"),
      tcp(0, 1, 1),
      ipvsadm(`-d -t ${vip}:80 -r ${server(23, 80)}`),
      tcp(0, 1, 2),
      ipvsadm(`-a -t ${vip}:80 -r ${server(23, 80)} -g`),
      tcp(0, 1, 3),
      tcp(0, 2, 1),
    ]),
    of("full, and edited", [
      service("t", 80, "-p 100"),
      tcp(0, 1, 1),
      edit("-x 1"),
      tcp(0, 1, 2),
      tcp(0, 2, 1),
      tcp(0, 3, 1),
      tcp(0, 4, 1),
    ]),
    of("no servers, then some", [
      restore(`-A -t ${vip}:80 -s rr -p 100`),
      tcp(0, 1, 1),
      CONNECTIONS,
      ipvsadm(`-a -t ${vip}:80 -r ${server(21, 80)} -g`),
      tcp(0, 1, 1),
    ]),
    of("any port, TCP", [
      service("t", 0, "-p 100"),
      ...[22, 80, 443, 65_535].flatMap((port) => [
        tcp(0, 1, port, "S", port),
        tcp(0, 2, 7, "S", port),
      ]),
    ]),
    of("any port, TCP by NAT", [
      restore(
        `-A -t ${vip}:0 -s rr -p 100`,
        ...[21, 22].map((number) => `-a -t ${vip}:0 -r ${server(number, 0)} -m`),
      ),
      ...[22, 80, 443].flatMap((port) => [tcp(0, 1, port, "S", port), tcp(0, 2, 7, "S", port)]),
    ]),
    of("any port, UDP", [
      service("u", 0, "-p 100"),
      ...[53, 123, 443].flatMap((port) => [udp(0, 1, port, port), udp(0, 2, 7, port)]),
    ]),
    of("any port and one of them", [
      service("t", 0, "-p 100"),
      ipvsadm(`-A -t ${vip}:80 -s rr`),
      ipvsadm(`-a -t ${vip}:80 -r ${server(24, 80)} -g`),
      ...[80, 81].flatMap((port) => [tcp(0, 1, port, "S", port), tcp(0, 1, 7, "S", port)]),
    ]),
    of("FTP", [
      service("t", 21, "-p 100"),
      tcp(0, 1, 1, "S", 21),
      tcp(0, 1, 2, "S", 3000),
      tcp(0, 2, 1, "S", 3000),
      tcp(0, 2, 2, "S", 21),
      tcp(0, 3, 2, "S", 20),
    ]),
    of("NAT, assured by a conversation", [
      service("t", 80, "-p 100", "-m"),
      tcp(OWN, 1, 1),
      answerTcp(23, "SA"),
      CONNECTIONS,
      tcp(OWN, 1, 1, "A"),
      CONNECTIONS,
      tcp(OWN, 1, 1, "FA"),
      answerTcp(23, "FA"),
      tcp(OWN, 1, 1, "A"),
      tcp(OWN, 1, 1),
      wait(TICK_MS),
    ]),
    of("NAT, assured by an answer", [
      service("u", 80, "-p 100", "-m"),
      udp(OWN, 1, 1),
      udp(OWN, 1, 2),
      CONNECTIONS,
      answerUdp(23, "length=9"),
      CONNECTIONS,
      udp(OWN, 1, 1),
    ]),
    ...(["-g", "-m", "-i"] as const).map((method) =>
      of(`one packet, ${method}`, [
        service("u", 80, "-o", method),
        ...[1, 1, 1, 2, 1].map((port) => udp(OWN, 1, port)),
        ...(method === "-m" ? [answerUdp(23, "length=9")] : []),
        wait(TICK_MS),
      ]),
    ),
    of("one packet, persistent", [
      service("u", 80, "-o -p 100"),
      ...[1, 1, 2].map((port) => udp(0, 1, port)),
      udp(0, 2, 1),
      udp(0, 1, 1),
      wait(TICK_MS),
    ]),
    of("one packet, ended and begun", [
      service("u", 80, ""),
      udp(0, 1, 1),
      ipvsadm(`-E -u ${vip}:80 -s rr -o`),
      udp(0, 1, 1),
      udp(0, 1, 2),
      ipvsadm(`-E -u ${vip}:80 -s rr`),
      udp(0, 1, 2),
      udp(0, 1, 1),
      wait(TICK_MS),
    ]),
    of("UDP, timeouts set midway", [
      service("u", 80, ""),
      udp(0, 1, 1),
      ipvsadm("--set 0 0 100"),
      udp(0, 1, 2),
      CONNECTIONS,
      udp(0, 1, 1),
      ipvsadm("--set 900 120 300"),
    ]),
    of("TCP, timeouts set midway", [
      service("t", 80, ""),
      ...[1, 2].flatMap((port) => [tcp(0, 1, port), tcp(0, 1, port, "A")]),
      ipvsadm("--set 500 60 0"),
      CONNECTIONS,
      tcp(0, 1, 1, "A"),
      tcp(0, 1, 2, "FA"),
      tcp(0, 1, 3),
      ipvsadm("--set 900 120 300"),
    ]),
  ];
}

type Answer = (number: number, what: string) => Step;
