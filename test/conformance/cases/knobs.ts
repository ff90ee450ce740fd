/** Knobs of net.ipv4.vs that other files leave out. */
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

const GROUP = "knobs";
const STANDING_STILL = "run_estimation 0";

export const KNOBS: CaseFile = {
  features: {
    [GROUP]:
      "sloppy_sctp, lblcr_expiration, conn_reuse_mode and expire_nodest_conn for SCTP and UDP, expire_quiescent_template for UDP and SCTP, backup_only, ignore_tunneled",
    [STANDING_STILL]: "run_estimation 0: counters and rates that listings show stand still",
  },
  cases: () => [
    ...[0, 1].map(sloppySctpCase),
    ...[1, 86_400].map(lblcrCase),
    ...[0, 1, 2, 3].map(sctpReuseCase),
    ...[0, 1].flatMap((value) => [drainedSctpCase(value), drainedTemplateCase(value)]),
    // Without a daemon that takes others' connections over, and for what is no tunnel's, they change nothing.
    ...["backup_only", "ignore_tunneled"].map(unchangedCase),
    standingStillCase(),
  ],
};

function knobCase(name: string, sysctls: Case["sysctls"], steps: readonly Step[]): Case {
  return { group: GROUP, name, compare: "frames", sysctls, steps };
}

/** Packets, each with the entries and counts after it. */
function watched(...packets: readonly string[]): Step[] {
  return packets.flatMap((text) => [packet(text), CONNECTIONS, SERVICES]);
}

const SCTP_SERVICE = [
  "-A --sctp-service VIP:9 -s rr",
  "-a --sctp-service VIP:9 -r 192.168.150.21 -g",
  "-a --sctp-service VIP:9 -r 192.168.150.22 -g",
];

/** Every chunk type; where the host's own stack gets most, those that it answers nothing to. */
function sloppySctpCase(value: number): Case {
  const chunks =
    value === 0
      ? ["1", "6", "11", "12", "13", "14"]
      : Array.from({ length: 16 }, (_, type) => `${type}`);
  return knobCase(`sloppy_sctp ${value}`, { sloppy_sctp: value }, [
    restore(...SCTP_SERVICE),
    ...watched(
      ...[...chunks, "6+1", "1+6", "10+6"].map(
        (what, index) => `sctp CLIENT:${1000 + index} > VIP:9 ${what}`,
      ),
    ),
  ]);
}

/** Saturated servers make lblcr's set grow; what did not change for the expiration shrinks. */
function lblcrCase(seconds: number): Case {
  const burst = (from: number): Step[] =>
    Array.from({ length: 14 }, (_, index) => packet(`tcp CLIENT:${from + index} > VIP:80 S`));
  return {
    ...knobCase(`lblcr_expiration ${seconds}`, { lblcr_expiration: seconds }, [
      restore(
        "-A -t VIP:80 -s lblcr",
        "-a -t VIP:80 -r 192.168.150.21 -g -w 1",
        "-a -t VIP:80 -r 192.168.150.22 -g -w 6",
        "-a -t VIP:80 -r 192.168.150.23 -g -w 20",
      ),
      ...[1000, 2000, 3000, 4000].flatMap((from) => [...burst(from), SERVICES, wait(2500)]),
    ]),
    compare: "servers",
  };
}

function sctpReuseCase(mode: number): Case {
  return knobCase(`conn_reuse_mode ${mode}, SCTP`, { conn_reuse_mode: mode }, [
    restore(...SCTP_SERVICE),
    ...["1", "10", "0", "1", "6", "1", "7", "1", "8", "1"].flatMap((chunk) => [
      packet(`sctp CLIENT:1000 > VIP:9 ${chunk}`),
      // What is given up goes with the kernel's next tick.
      wait(25),
      CONNECTIONS,
      SERVICES,
    ]),
  ]);
}

/** An INIT on an entry of a server with weight 0. */
function drainedSctpCase(value: number): Case {
  return knobCase(`expire_nodest_conn ${value}, a drained server`, { expire_nodest_conn: value }, [
    restore(...SCTP_SERVICE, "-A -u VIP:53 -s rr", "-a -u VIP:53 -r 192.168.150.23 -g"),
    ...watched(
      "sctp CLIENT:1000 > VIP:9 1",
      "sctp CLIENT:1000 > VIP:9 10",
      "udp CLIENT:1000 > VIP:53 length=5",
    ),
    ipvsadm("-e --sctp-service VIP:9 -r 192.168.150.22 -g -w 0"),
    ipvsadm("-e -u VIP:53 -r 192.168.150.23 -g -w 0"),
    ...["sctp CLIENT:1000 > VIP:9 0", "sctp CLIENT:1000 > VIP:9 1"].flatMap((text) => [
      packet(text),
      wait(25),
      SERVICES,
    ]),
    ...watched("udp CLIENT:1000 > VIP:53 length=5", "udp CLIENT:1001 > VIP:53 length=5"),
  ]);
}

/** A template of a server with weight 0. */
function drainedTemplateCase(value: number): Case {
  return knobCase(`expire_quiescent_template ${value}`, { expire_quiescent_template: value }, [
    restore(
      "-A --sctp-service VIP:9 -s rr -p 100",
      "-a --sctp-service VIP:9 -r 192.168.150.21 -g",
      "-a --sctp-service VIP:9 -r 192.168.150.22 -g",
      "-A -u VIP:53 -s rr -p 100",
      "-a -u VIP:53 -r 192.168.150.21 -g",
      "-a -u VIP:53 -r 192.168.150.22 -g",
    ),
    ...watched("sctp CLIENT:1000 > VIP:9 1", "udp CLIENT:1000 > VIP:53 length=5"),
    ipvsadm("-e --sctp-service VIP:9 -r 192.168.150.22 -g -w 0"),
    ipvsadm("-e -u VIP:53 -r 192.168.150.22 -g -w 0"),
    ...watched(
      "sctp CLIENT:1000 > VIP:9 1",
      "sctp CLIENT:1001 > VIP:9 1",
      "udp CLIENT:1000 > VIP:53 length=5",
      "udp CLIENT:1001 > VIP:53 length=5",
    ),
  ]);
}

function unchangedCase(name: string): Case {
  return knobCase(`${name} 1`, { [name]: 1 }, [
    restore(
      "-A -t VIP:80 -s rr",
      "-a -t VIP:80 -r 192.168.150.21 -m",
      "-A -u VIP:53 -s rr",
      "-a -u VIP:53 -r 192.168.150.22 -i",
    ),
    ...watched(
      "tcp CLIENT:1000 > VIP:80 S",
      "tcp 192.168.150.21:80 > CLIENT:1000 SA",
      "tcp CLIENT:1000 > VIP:80 A",
      "udp CLIENT:1000 > VIP:53 length=9",
      "tcp CLIENT:1001 > VIP:81 S",
      "icmp CLIENT > VIP 8/0",
    ),
  ]);
}

function standingStillCase(): Case {
  const look: Step[] = [
    ipvsadm("-L -n -t VIP:80 --stats --exact"),
    ipvsadm("-L -n -t VIP:80 --rate"),
  ];
  return {
    group: STANDING_STILL,
    name: "counters and rates",
    compare: "frames",
    sysctls: { run_estimation: 0 },
    keepsSysctls: true,
    steps: [
      restore("-A -t VIP:80 -s rr", "-a -t VIP:80 -r 192.168.150.21 -g"),
      packet("tcp CLIENT:1000 > VIP:80 S"),
      packet("tcp CLIENT:1001 > VIP:80 S"),
      ...look,
      wait(5000),
      ...look,
      SERVICES,
      ipvsadm("-Z -t VIP:80"),
      wait(2500),
      ...look,
    ],
  };
}
