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
import { conversation, type Protocol, WAYS, walk } from "./conversations.ts";
import { CONVERSATIONS, SEGMENTS, WALK_LENGTH } from "./tcp-states.ts";

const GROUP = "defence";
const TCP: Protocol = { group: GROUP, name: "tcp", option: "-t" };
const SECURE_MODES = [1, 2, 3];
const WALKS = 8;
/** More pages than the host has. */
const SHORT = 10_000_000;

export const DEFENCE: CaseFile = {
  features: {
    [GROUP]: "secure_tcp 0 to 3 segment by segment, drop_packet 0 to 3, am_droprate, amemthresh",
  },
  cases: () => [...secureTcpCases(), ...dropPacketCases()],
};

/** Segment by segment as in tcp-states.ts, by the other table. Modes 1 and 2 use it while memory is short. */
function secureTcpCases(): Case[] {
  return WAYS.flatMap((way) => [
    ...Object.entries(CONVERSATIONS).map(([name, parts]) =>
      conversation(TCP, way, `secure_tcp 3, ${name}`, parts, { secure_tcp: 3 }),
    ),
    ...Array.from({ length: WALKS }, (_, index) =>
      conversation(
        TCP,
        way,
        `secure_tcp 3, walk ${index}`,
        walk(prng(9000 + index), "> S", SEGMENTS, WALK_LENGTH),
        { secure_tcp: 3, sloppy_tcp: index % 2 },
      ),
    ),
    ...SECURE_MODES.flatMap((mode) =>
      [0, SHORT].map((amemthresh) =>
        conversation(
          TCP,
          way,
          `secure_tcp ${mode}, amemthresh ${amemthresh}`,
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
