/** Counters and rates as listings show them, round by round of the estimator: of each service and server, and of all. */
import { type Case, type CaseFile, ipvsadm, packet, restore, type Step, TOTALS } from "../case.ts";
import { framesCase } from "./methods.ts";

const GROUP = "statistics";

/** Its packets are there so that each round has some: the first line of every case's rules. */
const PULSE = ["-A -u VIP:9 -s rr", "-a -u VIP:9 -r 192.168.150.30:9 -g"];
const ROUND: Step = { kind: "round", packet: "udp 10.9.0.1:9 > VIP:9 length=1" };

/**
 * Between two rounds there is time for few commands: on a busy machine each takes a tenth of a second.
 *
 * From the first round on everything counts from 0: the kernel has counted what was before.
 */
function begin(...lines: readonly string[]): Step[] {
  return [restore("-C", ...PULSE, ...lines), ROUND, ipvsadm("-Z")];
}

/** Each way of the packets, each family, TCP, UDP and a server that gets nothing. */
const MIXED = [
  "-A -t VIP:80 -s wrr",
  "-a -t VIP:80 -r 192.168.150.21:8080 -m -w 1",
  "-a -t VIP:80 -r 192.168.150.22:8080 -m -w 2",
  "-A -u VIP:53 -s rr",
  "-a -u VIP:53 -r 192.168.150.23:53 -g",
  "-a -u VIP:53 -r 192.168.150.24:53 -g -w 0",
  "-A -t VIP:81 -s rr -p 60",
  "-a -t VIP:81 -r 192.168.150.25:81 -i",
  "-A -t [VIP6]:80 -s rr",
  "-a -t [VIP6]:80 -r [fd15::21]:8080 -m",
  "-A -u [VIP6]:53 -s rr -o",
  "-a -u [VIP6]:53 -r [fd15::22]:53 -g",
];

function burst(first: number, count: number): Step[] {
  const ports = Array.from({ length: count }, (_, index) => first + index);
  return [
    ...ports.map((port) => packet(`tcp CLIENT:${port} > VIP:80 S`)),
    packet(`tcp CLIENT:${first} > VIP:80 PA length=${10 * count}`),
    packet(`tcp 192.168.150.21:8080 > CLIENT:${first} SA`),
    packet(`tcp 192.168.150.22:8080 > CLIENT:${first} SA length=333`),
    packet(`udp CLIENT:${first} > VIP:53 length=100 times=${count}`),
    packet(`udp VIP:53 > CLIENT:${first} length=400 from=192.168.150.23`),
    packet(`tcp CLIENT:${first} > VIP:81 S`),
    packet(`tcp CLIENT:${first} > VIP:81 A length=700 times=${count}`),
    packet(`tcp [CLIENT6]:${first} > [VIP6]:80 S`),
    packet(`tcp [fd15::21]:8080 > [CLIENT6]:${first} SA length=20`),
    packet(`udp [CLIENT6]:${first} > [VIP6]:53 length=60 times=${count}`),
    // Refused, but counted: it may not be fragmented.
    packet(`udp CLIENT:${first} > VIP:53 length=3000 df`),
    packet(`tcp CLIENT:${first + 100} > VIP:80 A`),
  ];
}

const list = (...views: readonly string[]): Step[] => views.map((view) => ipvsadm(`-L -n ${view}`));

export const STATISTICS: CaseFile = {
  features: {
    [GROUP]:
      "Counters and rates of services, servers and all, round by round of the estimator; -Z; --exact; large numbers",
  },
  cases: () => statisticsCases(),
};

function statisticsCases(): Case[] {
  return [
    framesCase(GROUP, "a stream that comes, stays and goes", [
      ...begin(...MIXED),
      ...list("--stats", "--rate"),
      TOTALS,
      ...[7, 3, 25, 1].flatMap((count, index) => [
        ...burst(1000 + 500 * index, count),
        // What is shown is as of the last round.
        ...list("--stats"),
        ROUND,
        ...list("--stats", "--rate"),
        TOTALS,
      ]),
      ...Array.from({ length: 4 }, () => [ROUND, ...list("--rate"), TOTALS]).flat(),
      ...list("--stats --exact", "--rate --exact"),
    ]),
    framesCase(GROUP, "set to zero, one and all", [
      ...begin(...MIXED),
      ...burst(1000, 9),
      ROUND,
      ...burst(2000, 4),
      ipvsadm("-Z -t VIP:80"),
      ...list("--stats", "--rate"),
      TOTALS,
      ROUND,
      ...list("--stats -t VIP:80", "--rate -u VIP:53", "--stats -t [VIP6]:80"),
      ...burst(3000, 2),
      ipvsadm("-Z"),
      ...list("--stats", "--rate"),
      TOTALS,
      ROUND,
      ...list("--stats", "--rate"),
      TOTALS,
      ipvsadm("-Z -u VIP:54"),
      ipvsadm("-Z -t [VIP6]:80"),
      ...list("--stats"),
      ROUND,
      ...list("--stats", "--rate"),
    ]),
    framesCase(GROUP, "servers and services that change", [
      ...begin(...MIXED),
      ...burst(1000, 5),
      ROUND,
      ipvsadm("-d -t VIP:80 -r 192.168.150.21:8080"),
      ...burst(2000, 5),
      ROUND,
      ...list("--stats", "--rate"),
      ipvsadm("-a -t VIP:80 -r 192.168.150.21:8080 -m"),
      ipvsadm("-e -u VIP:53 -r 192.168.150.24:53 -g -w 5"),
      ipvsadm("-E -t VIP:81 -s wlc"),
      ...burst(3000, 5),
      ROUND,
      ...list("--stats", "--rate"),
      TOTALS,
      ipvsadm("-D -t VIP:80"),
      ipvsadm("-A -t VIP:80 -s rr"),
      ipvsadm("-a -t VIP:80 -r 192.168.150.22:8080 -m"),
      ...burst(4000, 5),
      ROUND,
      ...list("--stats", "--rate"),
      TOTALS,
    ]),
    framesCase(GROUP, "errors", [
      ...begin(...MIXED),
      packet("udp CLIENT:1 > VIP:53 length=10 ttl=1"),
      packet("tcp CLIENT:1 > VIP:81 S ttl=1"),
      packet("tcp CLIENT:1 > VIP:80 S ttl=1"),
      packet("tcp [CLIENT6]:1 > [VIP6]:80 S ttl=1"),
      packet("udp [CLIENT6]:1 > [VIP6]:53 length=10 ttl=1"),
      ROUND,
      ...list("--stats"),
      packet("icmp 10.9.0.254 > VIP 3/3 about udp VIP:53 > CLIENT:1 length=20"),
      packet("icmp 10.9.0.254 > VIP 3/3 about tcp VIP:80 > CLIENT:1 A length=20"),
      packet("icmp 10.9.0.254 > VIP 3/3 about tcp VIP:81 > CLIENT:1 A length=20"),
      packet("icmp 192.168.150.22 > CLIENT 3/3 about tcp CLIENT:1 > 192.168.150.22:8080 A"),
      packet("icmp 192.168.150.23 > CLIENT 3/3 about udp CLIENT:1 > VIP:53 length=9"),
      packet(
        "icmp 192.168.150.254 > 192.168.150.11 3/1 about ipip 192.168.150.11 > 192.168.150.25 about tcp CLIENT:1 > VIP:81 A",
      ),
      packet(
        "icmp 192.168.150.254 > 192.168.150.11 3/4 mtu=1300 about ipip 192.168.150.11 > 192.168.150.25 about tcp CLIENT:1 > VIP:81 A",
      ),
      ROUND,
      ...list("--stats"),
      TOTALS,
    ]),
    framesCase(GROUP, "large numbers", [
      ...begin("-A -u VIP:53 -s rr", "-a -u VIP:53 -r 192.168.150.21:53 -g"),
      ...Array.from({ length: 4 }, () => [
        packet("udp CLIENT:5 > VIP:53 length=65000 df checksum=none times=100"),
        ROUND,
        ...list("--stats", "--rate"),
        TOTALS,
      ]).flat(),
      ...list("--stats --exact", "--rate --exact", "--stats -u VIP:53", "--rate -u VIP:53"),
    ]),
  ];
}
