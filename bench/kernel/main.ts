/**
 * What does a packet cost in the kernel engine's program?
 *
 * Asked: nanoseconds per packet of a known flow by number of flows, for direct routing, NAT and IPv6, beside a program that does
 * the least; bytes of the kernel's memory for a flow; new connections by scheduler and servers; changes of the configuration.
 */
import { Address } from "../../src/net/address.ts";
import { median } from "../median.ts";
import { type ConfiguringFigures, measureConfiguring } from "./configuring.ts";
import { type Course, type Hook, Yardstick } from "./course.ts";
import { EngineFlows, SERVER_PORT, serverOf } from "./flows.ts";
import { type Opening, openingsPerSecond, PLACES } from "./openings.ts";

/** A packet's, and what is done with it; tunnels at tc no test run can do twice with a packet. */
export const KINDS = {
  tc: ["floor", "direct routing", "NAT", "NAT, answers", "IPv6, direct routing", "IPv6, NAT"],
  xdp: [
    "floor",
    "direct routing",
    "NAT",
    "NAT, answers",
    "tunnel",
    "IPv6, direct routing",
    "IPv6, NAT",
  ],
} as const;
type Kind = (typeof KINDS)[Hook][number];

interface Measured {
  readonly program: number;
  readonly course: Course;
}

export interface KernelFigures {
  readonly rows: readonly KernelRow[];
  /** Where a table is full. */
  readonly bytesPerFlow: number;
  readonly openings: readonly (Opening & { readonly perSecond: number })[];
  readonly configuring: ConfiguringFigures;
}

export interface KernelRow {
  readonly hook: Hook;
  readonly flows: number;
  /** Nanoseconds per packet, net of the driver's. */
  readonly netNs: Readonly<Partial<Record<Kind, number>>>;
}

const FLOWS = [1, 1_000, 100_000, 1_000_000];
const OPENINGS: readonly Opening[] = PLACES.flatMap((place) => [
  { scheduler: "rr", servers: 16, place },
  { scheduler: "rr", servers: 1_024, place },
  { scheduler: "wlc", servers: 16, place },
  { scheduler: "wlc", servers: 128, place },
  { scheduler: "wlc", servers: 1_024, place },
  { scheduler: "sh", servers: 16, place },
  { scheduler: "mh", servers: 16, place },
]);
const ROUNDS = 21;
const PACKETS = 50_000;

export const KERNEL_METHOD = `\
BPF_PROG_TEST_RUN, ${PACKETS.toLocaleString("en")} packets at a time (TCP, 54 bytes in IPv4, a client's ACK of a known flow): a driver writes
each flow's packet over the last one, in pseudo-random order, and goes on into the program that is measured; what it takes
itself is measured with nothing behind it, and taken off. The floor parses, looks the flow up in a hash of the kernel's,
writes the link's addresses and sends. All by turns, ${ROUNDS} rounds; medians. Memory is what the kernel says that the table's maps take, for
a million. New connections: each packet is the SYN of another client, which the program opens, schedules, tells the daemon
of and sends on, by direct routing: where packets arrive (\`--admission wire\`) at tc and at XDP, and behind the host's firewall
(\`host\`: of that the program's part alone). Services: a director with the programs, no daemon; wlc.`;

const VIP = Address.inet(0x0a00_0064);
const CLIENT = Address.inet(0x0a64_0000);
const VIP6 = Address.inet6(0x2001_0db8, 0, 0, 0x64);
const CLIENT6 = Address.inet6(0x2001_0db8, 0x64, 0, 0);
const PORT = 80;

const IPV4 = { family: 4, client: CLIENT, service: VIP, port: PORT } as const;
const IPV6 = { family: 6, client: CLIENT6, service: VIP6, port: PORT } as const;

export function measureKernel(progress: (text: string) => void): KernelFigures {
  const rows: KernelRow[] = [];
  let bytesPerFlow = 0;
  for (const hook of ["tc", "xdp"] as const) {
    for (const flows of FLOWS) {
      progress(`${hook}, ${flows.toLocaleString("en")} flows`);
      const measured = measureFlows(hook, flows);
      rows.push({ hook, flows, netNs: measured.netNs });
      ({ bytesPerFlow } = measured);
    }
  }
  const openings = OPENINGS.map((opening) => {
    progress(`new connections, ${opening.place}, ${opening.scheduler}, ${opening.servers} servers`);
    return { ...opening, perSecond: openingsPerSecond({ ...IPV4, flows: 1 }, opening) };
  });
  progress("services");
  return { rows, bytesPerFlow, openings, configuring: measureConfiguring() };
}

function measureFlows(
  hook: Hook,
  flows: number,
): Pick<KernelRow, "netNs"> & { bytesPerFlow: number } {
  using yardstick = new Yardstick();
  const course: Course = { ...IPV4, hook, flows };
  const course6: Course = { ...IPV6, hook, flows };
  yardstick.fillFloor(course);
  using route = new EngineFlows(course, "route");
  using masquerade = new EngineFlows(course, "masquerade");
  using route6 = new EngineFlows(course6, "route");
  using masquerade6 = new EngineFlows(course6, "masquerade");
  using tunnel = hook === "xdp" ? new EngineFlows(course, "tunnel") : undefined;
  const answers = { ...course, service: serverOf(VIP), port: SERVER_PORT, isAnswer: true };
  const measured: readonly (readonly [Kind, Measured])[] = [
    ["floor", { program: yardstick.floor[hook], course }],
    ["direct routing", { program: route.program, course }],
    ["NAT", { program: masquerade.program, course }],
    ["NAT, answers", { program: masquerade.program, course: answers }],
    ...(tunnel === undefined ? [] : [["tunnel", { program: tunnel.program, course }] as const]),
    ["IPv6, direct routing", { program: route6.program, course: course6 }],
    ["IPv6, NAT", { program: masquerade6.program, course: course6 }],
  ];
  return { netNs: measureAll(yardstick, measured), bytesPerFlow: route.bytesPerFlow };
}

/** Medians of rounds in which each has its turn, next to the driver alone. */
function measureAll(
  yardstick: Yardstick,
  measured: readonly (readonly [Kind, Measured])[],
): Readonly<Partial<Record<Kind, number>>> {
  const samples = new Map<Kind, number[]>(measured.map(([kind]) => [kind, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [kind, { program, course }] of measured) {
      const own = yardstick.time(yardstick.nothing[course.hook], course, PACKETS, true);
      const all = yardstick.time(program, course, PACKETS);
      // The first brings everything into the caches, as far as it fits.
      if (round > 0) samples.get(kind)!.push(all - own);
    }
  }
  return Object.fromEntries([...samples].map(([kind, each]) => [kind, median(each)]));
}
