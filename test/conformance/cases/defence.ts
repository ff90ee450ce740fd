/** Defence against SYN floods and memory exhaustion: secure_tcp and drop_packet. */
import { prng } from "../../../src/base/prng.ts";
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  packet,
  restore,
  SERVICES,
  type Step,
  sysctl,
  wait,
} from "../case.ts";
import { conversation, type Part, type Protocol, WAYS, type Way, walk } from "./conversations.ts";
import { CONVERSATIONS, SEGMENTS, WALK_LENGTH } from "./tcp-states.ts";

const GROUP = "drop_packet";
const SHOWN = "defence, shown";
const SECURE_MODES = [1, 2, 3];
const WALKS = 8;
/** So many more pages than any host has that nothing is let through. */
const SHORT = 0x7fff_ffff;

export const DEFENCE: CaseFile = {
  features: {
    [GROUP]: "drop_packet 1 to 3, am_droprate, amemthresh",
    ...Object.fromEntries(
      WAYS.map((way) => [
        protocolOf(way).group,
        `secure_tcp 1 to 3, ${way.name}, segment by segment`,
      ]),
    ),
    [SHOWN]: "What sysctl shows of drop_entry, drop_packet and secure_tcp as memory comes and goes",
  },
  cases: () => [...secureTcpCases(), ...dropPacketCases(), shownCase()],
};

/** Apart, so that a round of all its cases is short: their timers then go alike on every side. */
function protocolOf({ name }: Way): Protocol {
  return { group: `secure_tcp, ${name}`, name: "tcp", option: "-t" };
}

/** Segment by segment as in tcp-states.ts, by the other table. Modes 1 and 2 use it while memory is short. */
function secureTcpCases(): Case[] {
  return WAYS.flatMap((way) => {
    const of = (name: string, parts: readonly Part[], sysctls: Case["sysctls"]): Case =>
      conversation(protocolOf(way), way, name, parts, sysctls);
    return [
      ...Object.entries(CONVERSATIONS).map(([name, parts]) =>
        of(`secure_tcp 3, ${name}`, parts, { secure_tcp: 3 }),
      ),
      ...Array.from({ length: WALKS }, (_, index) =>
        of(`secure_tcp 3, walk ${index}`, walk(prng(9000 + index), "> S", SEGMENTS, WALK_LENGTH), {
          secure_tcp: 3,
          sloppy_tcp: index % 2,
        }),
      ),
      ...SECURE_MODES.flatMap((mode) =>
        [0, SHORT].map((amemthresh) =>
          of(
            `secure_tcp ${mode}, amemthresh ${amemthresh}`,
            ["> S", "> A", "< SA", "> A", "< A", "> FA"],
            { amemthresh, secure_tcp: mode },
          ),
        ),
      ),
    ];
  });
}

/**
 * The kernel's counter goes on from case to case: each offers a multiple of its rate, so that it is where it was. What
 * opens nothing is not counted.
 */
function dropPacketCases(): Case[] {
  const short = { amemthresh: SHORT };
  const plenty = { amemthresh: 0 };
  return [
    dropCase("drop_packet 3", 200, { drop_packet: 3 }),
    dropCase("drop_packet 3, am_droprate 3", 30, { am_droprate: 3, drop_packet: 3 }),
    dropCase("drop_packet 3, am_droprate 1", 10, { am_droprate: 1, drop_packet: 3 }),
    dropCase("drop_packet 3, am_droprate 0", 10, { am_droprate: 0, drop_packet: 3 }),
    dropCase("drop_packet 2, memory is short", 10, { ...short, drop_packet: 2 }),
    dropCase("drop_packet 2, memory is there", 10, { ...plenty, drop_packet: 2 }),
    dropCase("drop_packet 1, memory is short", 10, { ...short, drop_packet: 1 }),
    dropCase("drop_packet 1, memory is there", 10, { ...plenty, drop_packet: 1 }),
  ];
}

function dropCase(name: string, count: number, sysctls: Case["sysctls"]): Case {
  const steps: Step[] = [
    restore(
      "-A -t VIP:80 -s rr",
      "-a -t VIP:80 -r 192.168.150.21 -g",
      "-a -t VIP:80 -r 192.168.150.22 -g -w 2",
      "-A -u VIP:53 -s rr",
      "-a -u VIP:53 -r 192.168.150.23 -g",
      "-A -u VIP:54 -s rr",
    ),
  ];
  for (let index = 0; index < count; index++) {
    // Counted: whatever would open a connection, though no server takes it. Not counted: all else.
    const port = 1000 + index;
    steps.push(
      packet(
        index % 5 === 4
          ? `udp CLIENT:${port} > VIP:54 length=9`
          : index % 3 === 0
            ? `udp CLIENT:${port} > VIP:53 length=9`
            : `tcp CLIENT:${port} > VIP:80 S`,
      ),
    );
    if (index % 7 === 0) {
      steps.push(
        packet(`tcp CLIENT:${port} > VIP:80 A`),
        packet(`tcp CLIENT:${port} > VIP:81 S`),
        packet(`tcp CLIENT:${port} > VIP:80 R`),
      );
    }
  }
  return {
    group: GROUP,
    name,
    compare: "frames",
    sysctls,
    steps: [...steps, CONNECTIONS, SERVICES],
  };
}

/** What the knobs show: a mode turns itself when it is set, and once a second. */
function shownCase(): Case {
  const show = sysctl("net.ipv4.vs.drop_entry net.ipv4.vs.drop_packet net.ipv4.vs.secure_tcp");
  const second = [wait(1500), show];
  const set = (value: number, amemthresh: number): Step[] => [
    sysctl(`net.ipv4.vs.amemthresh=${amemthresh}`),
    ...["drop_entry", "drop_packet", "secure_tcp"].map((name) =>
      sysctl(`net.ipv4.vs.${name}=${value}`),
    ),
    ...second,
  ];
  return {
    group: SHOWN,
    name: "modes turn themselves",
    compare: "frames",
    sysctls: {},
    steps: [
      ...[1, 2, 3, 0].flatMap((mode) => [...set(mode, SHORT), ...set(mode, 0)]),
      ...set(1, SHORT),
      sysctl("net.ipv4.vs.amemthresh=0"),
      ...second,
      sysctl(`net.ipv4.vs.amemthresh=${SHORT}`),
      ...second,
      sysctl("net.ipv4.vs.drop_packet=3"),
      ...second,
      ...set(0, 1024),
    ],
  };
}
