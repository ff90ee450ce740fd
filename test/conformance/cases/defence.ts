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
} from "../case.ts";
import { CONVERSATIONS, METHODS, tcpCase, walk } from "./tcp-states.ts";

const GROUP = "defence";
const SECURE_MODES = [1, 2, 3];
const WALKS = 8;
/** Far more pages than any host has: what it has makes no difference to the rate. */
const SHORT = 2_000_000_000;

export const DEFENCE: CaseFile = {
  features: {
    [GROUP]: "secure_tcp 0 to 3 segment by segment, drop_packet 0 to 3, am_droprate, amemthresh",
  },
  cases: () => [...secureTcpCases(), ...dropPacketCases()],
};

/** Segment by segment as in tcp-states.ts, by the other table. Modes 1 and 2 use it while memory is short. */
function secureTcpCases(): Case[] {
  return METHODS.flatMap((method) => [
    ...Object.entries(CONVERSATIONS).map(([name, segments]) =>
      tcpCase(`secure_tcp 3, ${method.name}, ${name}`, GROUP, method, segments, { secure_tcp: 3 }),
    ),
    ...Array.from({ length: WALKS }, (_, index) =>
      tcpCase(
        `secure_tcp 3, ${method.name}, walk ${index}`,
        GROUP,
        method,
        walk(prng(9000 + index)),
        { secure_tcp: 3, sloppy_tcp: index % 2 },
      ),
    ),
    ...SECURE_MODES.flatMap((mode) =>
      [0, SHORT].map((amemthresh) =>
        tcpCase(
          `secure_tcp ${mode}, amemthresh ${amemthresh}, ${method.name}`,
          GROUP,
          method,
          ["> S", "> A", "< SA", "> A", "< A", "> FA"],
          { amemthresh, secure_tcp: mode },
        ),
      ),
    ),
  ]);
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
