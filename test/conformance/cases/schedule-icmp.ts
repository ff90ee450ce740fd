/** schedule_icmp: ICMP errors of no connection go where the client's packets would go. */
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  packet,
  restore,
  SERVICES,
  type Step,
} from "../case.ts";
import { begin, clientOf, METHODS, type Method, vipOf } from "./methods.ts";

const GROUP = "schedule_icmp";

export const SCHEDULE_ICMP: CaseFile = {
  features: {
    [GROUP]:
      "schedule_icmp: errors of no connection, by method, scheduler, persistence and protocol, IPv4 and IPv6",
  },
  cases: () => [
    ...METHODS.map(methodCase),
    ...["rr", "wlc", "sh", "sh -b sh-port", "mh", "dh", "lblc", "lblcr"].map(schedulerCase),
    ...["-p 100", "-p 100 -M 255.255.0.0", "-o"].map(optionCase),
    icmpCase("off", { schedule_icmp: 0 }, SERVICE, ERRORS),
    icmpCase("drop_packet", { schedule_icmp: 1, am_droprate: 2, drop_packet: 3 }, SERVICE, ERRORS),
    icmpCase(
      "no server",
      { schedule_icmp: 1 },
      ["-A -t VIP:80 -s rr", "-A -u VIP:80 -s rr"],
      ERRORS,
    ),
    icmpCase("no scheduler", { schedule_icmp: 1 }, ["-A -t VIP:80 -s none"], ERRORS),
    icmpCase("SCTP", { schedule_icmp: 1 }, SCTP, [about("sctp", 80, 1000, "0")]),
    icmpCase("FTP", { schedule_icmp: 1 }, FTP, [
      about("tcp", 21, 1000, "A"),
      about("tcp", 2000, 1000, "A"),
      about("tcp", 20, 1000, "A"),
    ]),
    icmpCase(
      "persistent FTP",
      { schedule_icmp: 1 },
      [FTP[0]!.replace("rr", "rr -p 100"), FTP[1]!],
      [about("tcp", 21, 1000, "A"), about("tcp", 2000, 1000, "A"), about("tcp", 80, 1000, "A")],
    ),
    icmpCase("any port", { schedule_icmp: 1 }, ANY_PORT, [
      about("tcp", 443, 1000, "A"),
      about("tcp", 80, 1000, "A"),
      about("udp", 80, 1000, ""),
    ]),
  ],
};

const SERVICE = [
  "-A -t VIP:80 -s rr",
  "-a -t VIP:80 -r 192.168.150.21:8080 -m",
  "-a -t VIP:80 -r 192.168.150.22 -g",
  "-A -u VIP:80 -s rr",
  "-a -u VIP:80 -r 192.168.150.21 -m",
  "-a -u VIP:80 -r 192.168.150.22 -g",
];
const SCTP = ["-A --sctp-service VIP:80 -s rr", "-a --sctp-service VIP:80 -r 192.168.150.21 -m"];
const FTP = ["-A -t VIP:21 -s rr", "-a -t VIP:21 -r 192.168.150.21 -m"];
const ANY_PORT = ["-A -t VIP:0 -s rr -p 100", "-a -t VIP:0 -r 192.168.150.21 -m"];

function about(
  protocol: string,
  from: number,
  to: number,
  what: string,
  error = "3/4 mtu=1200",
): string {
  return `icmp CLIENT > VIP ${error} about ${protocol} VIP:${from} > CLIENT:${to} ${what} length=30`;
}

/** Of connections and of none, known and unknown services, right and wrong. */
const ERRORS: readonly string[] = [
  about("tcp", 80, 1000, "A"),
  about("tcp", 80, 1000, "A"),
  "tcp CLIENT:1000 > VIP:80 A",
  about("tcp", 80, 1001, "R"),
  about("udp", 80, 1000, ""),
  about("udp", 80, 1001, "", "3/3"),
  about("udp", 80, 1002, "", "11/0"),
  about("udp", 80, 1003, "", "4/0"),
  about("udp", 80, 1004, "", "12/0"),
  about("udp", 81, 1000, ""),
  about("tcp", 80, 20, "A"),
  about("udp", 80, 1005, "", "3/4 checksum=wrong"),
  about("udp", 80, 1006, "", "3/4 quote=28"),
  "icmp CLIENT > VIP 3/4 about tcp CLIENT:1000 > VIP:80 A",
  "icmp CLIENT > VIP 3/4 about tcp VIP:80 > CLIENT:3000 A length=99 fragment=40-99",
];

function icmpCase(
  name: string,
  sysctls: Case["sysctls"],
  rules: readonly string[],
  packets: readonly string[],
): Case {
  const steps = packets.flatMap((text): Step[] => [packet(text), CONNECTIONS, SERVICES]);
  return { group: GROUP, name, compare: "frames", sysctls, steps: [restore(...rules), ...steps] };
}

function methodCase(method: Method): Case {
  const [client, vip] = [clientOf(method), vipOf(method)];
  const bracketed = (text: string): string => (text.includes("6") ? `[${text}]` : text);
  const errors =
    method.family === 4 ? ["3/4 mtu=1200", "3/3", "11/0"] : ["2/0 mtu=1300", "1/4", "3/0"];
  return {
    group: GROUP,
    name: method.name,
    compare: "frames",
    sysctls: { schedule_icmp: 1 },
    steps: [
      begin(method, "u"),
      ...errors.flatMap((error, index): Step[] => [
        packet(
          `icmp ${client} > ${vip} ${error} about udp ${bracketed(vip)}:80 > ${bracketed(client)}:${4000 + index} length=40`,
        ),
        CONNECTIONS,
        SERVICES,
      ]),
    ],
  };
}

function schedulerCase(scheduler: string): Case {
  const clients = [1, 2, 3, 7, 20, 77];
  return icmpCase(
    scheduler,
    { schedule_icmp: 1 },
    [
      `-A -t VIP:80 -s ${scheduler}`,
      ...[21, 22, 23].map((server) => `-a -t VIP:80 -r 192.168.150.${server} -g`),
    ],
    clients.flatMap((client) =>
      [5000, 5001].map(
        (port) =>
          `icmp 10.9.3.${client} > VIP 3/4 about tcp VIP:80 > 10.9.3.${client}:${port} A length=9`,
      ),
    ),
  );
}

function optionCase(option: string): Case {
  return icmpCase(
    option,
    { schedule_icmp: 1 },
    [
      `-A -u VIP:80 -s rr ${option}`,
      ...[21, 22, 23].map((server) => `-a -u VIP:80 -r 192.168.150.${server} -m`),
    ],
    [1000, 1001, 1001, 1002].map((port) => about("udp", 80, port, "")),
  );
}
