/** Neighbours: who is asked for, who changes, who never answers. */
import {
  arrives,
  BOTH,
  CONNECTIONS,
  type HostCaseFile,
  hostCases,
  neighbour,
  neighbours,
  services,
  shell,
  silence,
  waits,
} from "../host-case.ts";
import { handshake, NAT, ONE_DIRECT, ONE_NAT, UDP_NAT } from "./services.ts";

const GROUP = "host, neighbours";

/** The kernel asks three times, a second apart, and gives up with the next. */
const GIVES_UP_MS = 4_000;
/** Within a second of the last news another answer is not believed (arp(7), locktime). */
const LOCK_MS = 1_200;

const SILENT_NAT = services("-A -t V:80 -s rr", "-a -t V:80 -r R9:80 -m");

export const NEIGHBOURS: HostCaseFile = {
  features: {
    [GROUP]:
      "Neighbours: `ip neigh` shows the servers, hardware addresses change, static ones, ones that never answer",
  },
  cases: [
    ...hostCases(
      GROUP,
      "the host knows the servers",
      { families: BOTH },
      NAT,
      ...handshake("R2"),
      arrives("wan", "C:1001 > V:80 S"),
      neighbours("lan"),
      neighbours("wan"),
    ),
    ...hostCases(
      GROUP,
      "a server announces another hardware address",
      { families: BOTH },
      ONE_NAT,
      ...handshake("R1"),
      waits(LOCK_MS),
      neighbour("lan", "R1", "Y2"),
      arrives("lan", "R1 is at Y2"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      neighbours("lan"),
    ),
    ...hostCases(
      GROUP,
      "the operator replaces a hardware address",
      {},
      ONE_DIRECT,
      arrives("wan", "C:1000 > V:80 S"),
      shell("ip neigh replace $R1 lladdr $mac_Y2 dev lan nud permanent"),
      arrives("wan", "C:1000 > V:80 ."),
      neighbours("lan"),
    ),
    ...hostCases(
      GROUP,
      "the operator replaces the client's router",
      {},
      ONE_NAT,
      ...handshake("R1"),
      shell("ip neigh replace $X lladdr $mac_N dev wan nud permanent"),
      arrives("lan", "R1:80 > C:1000 P. len 100"),
    ),
    ...hostCases(
      GROUP,
      "a static neighbour that would not answer",
      { setup: ["ip neigh add $R9 lladdr $mac_R3 dev lan nud permanent"] },
      SILENT_NAT,
      arrives("wan", "C:1000 > V:80 S"),
    ),
    ...hostCases(
      GROUP,
      "a neighbour that the operator forgets",
      {},
      ONE_DIRECT,
      arrives("wan", "C:1000 > V:80 S"),
      neighbour("lan", "R1", "R3"),
      shell("ip neigh del $R1 dev lan"),
      arrives("wan", "C:1000 > V:80 ."),
      neighbours("lan"),
    ),
    ...hostCases(
      GROUP,
      "packets wait for a neighbour",
      {},
      silence("lan", "R1"),
      ONE_DIRECT,
      arrives("wan", "C:1000 > V:80 S"),
      arrives("wan", "C:1001 > V:80 S"),
      arrives("wan", "C:1002 > V:80 S"),
      neighbour("lan", "R1"),
      waits(1_500),
    ),
    ...hostCases(
      GROUP,
      "a server that never answers, NAT, TCP",
      { families: BOTH },
      SILENT_NAT,
      arrives("wan", "C:1000 > V:80 S"),
      waits(GIVES_UP_MS),
      neighbours("lan"),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "a server that never answers, NAT, UDP",
      {},
      services("-A -u V:53 -s rr", "-a -u V:53 -r R9:53 -m"),
      arrives("wan", "C:1000 > V:53 udp len 60"),
      arrives("wan", "C2:1000 > V:53 udp len 60"),
      waits(GIVES_UP_MS),
    ),
    ...hostCases(
      GROUP,
      "a server that never answers, DR",
      {},
      services("-A -t V:80 -s rr", "-a -t V:80 -r R9:80 -g"),
      arrives("wan", "C:1000 > V:80 S"),
      waits(GIVES_UP_MS),
      CONNECTIONS,
    ),
    ...hostCases(
      GROUP,
      "a tunnel's server that never answers",
      {},
      services("-A -t V:80 -s rr", "-a -t V:80 -r R9:80 -i"),
      arrives("wan", "C:1000 > V:80 S"),
      waits(GIVES_UP_MS),
    ),
    ...hostCases(
      GROUP,
      "a client on the link that never answers",
      {},
      UDP_NAT,
      arrives("wan", "N9:1000 > V:53 udp len 60", { from: "N" }),
      arrives("lan", "R1:53 > N9:1000 udp len 60"),
      waits(GIVES_UP_MS),
    ),
    ...hostCases(
      GROUP,
      "a server that is gone in mid-connection",
      {},
      ONE_NAT,
      ...handshake("R1"),
      silence("lan", "R1"),
      shell("ip neigh del $R1 dev lan"),
      arrives("wan", "C:1000 > V:80 P. len 100"),
      waits(GIVES_UP_MS),
      CONNECTIONS,
    ),
  ],
};
