/** Templates: which server, which entries, and when they end. UDP, one-packet scheduling and counters with them. */
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
import { at, begin, clientOf, framesCase, METHODS, vipOf } from "./methods.ts";

const GROUP = "persistence and UDP";
/** These wait together: the group takes as long as its longest. */
const PATIENT_GROUP = "what time does";

const SERVERS = [21, 22, 23];
/** An entry's end comes with the kernel's next tick. */
const TICK_MS = 30;

export const PERSISTENCE: CaseFile = {
  features: {
    [GROUP]: "Persistence templates, UDP, one-packet scheduling",
    [PATIENT_GROUP]: "Expiry of entries and templates, thresholds over time, counters",
  },
  cases: () => [...persistenceCases(), ...patientCases()],
};

function service(
  options: string,
  at: "-t VIP:80" | "-u VIP:80" | "-t [VIP6]:80" | "-t VIP:0" = "-t VIP:80",
): Step {
  const server = (number: number): string =>
    at.includes("VIP6")
      ? `[fd15::${number}]:80`
      : `192.168.150.${number}${at.endsWith(":0") ? "" : ":80"}`;
  return restore(
    `-A ${at} -s rr ${options}`,
    ...SERVERS.map((number) => `-a ${at} -r ${server(number)} -g`),
  );
}

const syn = (client: string, port = 80): Step => packet(`tcp ${client} > VIP:${port} S`);

function persistenceCases(): Case[] {
  const cases: [name: string, steps: readonly Step[], sysctls?: Case["sysctls"]][] = [
    [
      "each client has a server",
      [
        service("-p 100"),
        syn("10.9.0.1:1"),
        syn("10.9.0.1:2"),
        syn("10.9.0.2:1"),
        syn("10.9.0.1:3"),
        syn("10.9.0.2:2"),
        syn("10.9.0.3:1"),
        CONNECTIONS,
        SERVICES,
      ],
    ],
    [
      "a netmask",
      [
        service("-p 100 -M 255.255.255.0"),
        syn("10.9.1.1:1"),
        syn("10.9.1.200:2"),
        syn("10.9.2.1:1"),
        syn("10.9.1.9:3"),
        CONNECTIONS,
        SERVICES,
      ],
    ],
    [
      "a netmask with holes",
      [
        service("-p 100 -M 255.255.0.255"),
        syn("10.9.1.1:1"),
        syn("10.9.2.1:2"),
        syn("10.9.1.2:1"),
        CONNECTIONS,
      ],
    ],
    [
      "assured by a conversation",
      [
        service("-p 100"),
        syn("10.9.0.1:1"),
        CONNECTIONS,
        packet("tcp 10.9.0.1:1 > VIP:80 A"),
        CONNECTIONS,
        packet("tcp 10.9.0.1:1 > VIP:80 FA"),
        CONNECTIONS,
      ],
    ],
    [
      "a drained server keeps its clients",
      [
        service("-p 100"),
        syn("10.9.0.1:1"),
        syn("10.9.0.2:1"),
        ipvsadm("-e -t VIP:80 -r 192.168.150.23:80 -w 0"),
        syn("10.9.0.1:2"),
        syn("10.9.0.9:1"),
        syn("10.9.0.8:1"),
        CONNECTIONS,
      ],
    ],
    [
      "expire_quiescent_template",
      [
        service("-p 100"),
        syn("10.9.0.1:1"),
        ipvsadm("-e -t VIP:80 -r 192.168.150.23:80 -w 0"),
        syn("10.9.0.1:2"),
        syn("10.9.0.1:3"),
        CONNECTIONS,
      ],
      { expire_quiescent_template: 1 },
    ],
    [
      "a removed server's clients move",
      [
        service("-p 100"),
        syn("10.9.0.1:1"),
        ipvsadm("-d -t VIP:80 -r 192.168.150.23:80"),
        syn("10.9.0.1:2"),
        syn("10.9.0.1:3"),
        CONNECTIONS,
      ],
    ],
    [
      "a full server keeps its clients",
      [
        service("-p 100"),
        syn("10.9.0.1:1"),
        ipvsadm("-e -t VIP:80 -r 192.168.150.23:80 -x 1"),
        syn("10.9.0.1:2"),
        syn("10.9.0.1:3"),
        syn("10.9.0.2:1"),
        CONNECTIONS,
      ],
    ],
    [
      "any port",
      [
        service("-p 100", "-t VIP:0"),
        syn("10.9.0.1:1"),
        syn("10.9.0.1:2", 443),
        syn("10.9.0.2:3", 22),
        syn("10.9.0.2:4", 21),
        CONNECTIONS,
      ],
    ],
    [
      "IPv6 with a prefix",
      [
        service("-p 100 -M 64", "-t [VIP6]:80"),
        ...["fd09::1", "fd09::2", "fd09:0:0:1::1", "fd09::3"].map((client) =>
          packet(`tcp [${client}]:5 > [VIP6]:80 S`),
        ),
        CONNECTIONS,
        SERVICES,
      ],
    ],
    [
      "edited to end",
      [
        service("-p 100"),
        syn("10.9.0.1:1"),
        ipvsadm("-E -t VIP:80 -s rr"),
        syn("10.9.0.1:2"),
        syn("10.9.0.1:3"),
        CONNECTIONS,
      ],
    ],
    [
      "a SYN again on a closed connection",
      [
        service("-p 100"),
        syn("10.9.0.1:1"),
        packet("tcp 10.9.0.1:1 > VIP:80 R"),
        syn("10.9.0.1:1"),
        wait(TICK_MS),
        CONNECTIONS,
      ],
    ],
    [
      "UDP",
      [
        service("-p 100", "-u VIP:80"),
        packet("udp 10.9.0.1:1 > VIP:80 length=4"),
        packet("udp 10.9.0.1:2 > VIP:80 length=4"),
        CONNECTIONS,
        packet("udp VIP:80 > 10.9.0.1:1 length=4 from=192.168.150.23"),
        CONNECTIONS,
      ],
    ],
    [
      "one packet",
      [
        service("-o", "-u VIP:80"),
        ...[1, 1, 1, 2].map((port) => packet(`udp 10.9.0.1:${port} > VIP:80 length=4`)),
        wait(TICK_MS),
        CONNECTIONS,
        SERVICES,
      ],
    ],
    [
      "one packet, persistent",
      [
        service("-o -p 100", "-u VIP:80"),
        ...[1, 1, 2].map((port) => packet(`udp 10.9.0.1:${port} > VIP:80 length=4`)),
        wait(TICK_MS),
        CONNECTIONS,
      ],
    ],
  ];
  return cases.map(([name, steps, sysctls]) => framesCase(GROUP, name, steps, sysctls));
}

/** The kernel's timers are late by up to an eighth of their time: nothing is looked at shortly after an end. */
function patientCases(): Case[] {
  return [
    framesCase(PATIENT_GROUP, "CLOSE ends after 10 s", [
      begin(METHODS[3]!, "t"),
      syn("CLIENT:1"),
      packet("tcp CLIENT:1 > VIP:80 R"),
      wait(9_000),
      CONNECTIONS,
      SERVICES,
      wait(2_000),
      CONNECTIONS,
      SERVICES,
    ]),
    framesCase(PATIENT_GROUP, "a template without connections ends in its time", [
      service("-p 3"),
      syn("CLIENT:1"),
      packet("tcp CLIENT:1 > VIP:80 A"),
      packet("tcp CLIENT:1 > VIP:80 R"),
      wait(2_000),
      CONNECTIONS,
      wait(10_000),
      CONNECTIONS,
      wait(62_000),
      CONNECTIONS,
      syn("CLIENT:2"),
      CONNECTIONS,
    ]),
    framesCase(PATIENT_GROUP, "a template with connections goes on for 60 s", [
      service("-p 3"),
      syn("CLIENT:1"),
      packet("tcp CLIENT:1 > VIP:80 A"),
      wait(4_000),
      CONNECTIONS,
      wait(20_000),
      CONNECTIONS,
    ]),
    framesCase(PATIENT_GROUP, "a threshold is lifted as connections end", [
      restore("-A -t VIP:80 -s rr", "-a -t VIP:80 -r 192.168.150.21:80 -x 2"),
      syn("CLIENT:1"),
      syn("CLIENT:2"),
      syn("CLIENT:3"),
      packet("tcp CLIENT:1 > VIP:80 R"),
      syn("CLIENT:4"),
      wait(11_000),
      syn("CLIENT:5"),
      SERVICES,
    ]),
    ...METHODS.slice(0, 11).map((method) => {
      const between = `tcp ${at(clientOf(method), 7)} > ${at(vipOf(method), 80)}`;
      const list = (view: string): Step => ipvsadm(`-L -n --${view} -t ${at(vipOf(method), 80)}`);
      return framesCase(PATIENT_GROUP, `${method.name}, counters`, [
        begin(method, "t"),
        packet(`${between} S`),
        packet(`${between} A`),
        packet(`${between} PA length=100`),
        wait(4_500),
        list("stats"),
        ipvsadm(`-Z -t ${at(vipOf(method), 80)}`),
        packet(`${between} PA length=1000`),
        wait(4_500),
        list("stats"),
      ]);
    }),
  ];
}
