/**
 * What does a packet cost in the kernel engine's program?
 *
 * Asked: nanoseconds per packet of a known flow by number of flows, for direct routing, NAT and IPv6, beside a program that does
 * the least; bytes of the kernel's memory for a flow; new connections by scheduler and servers; changes of the configuration.
 */
import { Address } from "../../src/net/address.ts";
import { median } from "../median.ts";
import { type ConfiguringFigures, measureConfiguring } from "./configuring.ts";
import { type Course, Yardstick } from "./course.ts";
import { EngineFlows } from "./flows.ts";
import { type Opening, openingsPerSecond } from "./openings.ts";

const KINDS = ["floor", "direct routing", "NAT", "IPv6, direct routing"] as const;
type Kind = (typeof KINDS)[number];

export interface KernelFigures {
  readonly rows: readonly KernelRow[];
  /** Where a table is full. */
  readonly bytesPerFlow: number;
  readonly openings: readonly (Opening & { readonly perSecond: number })[];
  readonly configuring: ConfiguringFigures;
}

export interface KernelRow {
  readonly flows: number;
  /** Nanoseconds per packet, net of the driver's. */
  readonly netNs: Readonly<Record<Kind, number>>;
}

const FLOWS = [1, 1_000, 100_000, 1_000_000];
const OPENINGS: readonly Opening[] = [
  { scheduler: "rr", servers: 16 },
  { scheduler: "rr", servers: 1_024 },
  { scheduler: "wlc", servers: 16 },
  { scheduler: "wlc", servers: 128 },
  { scheduler: "wlc", servers: 1_024 },
  { scheduler: "sh", servers: 16 },
  { scheduler: "mh", servers: 16 },
];
const ROUNDS = 21;
const PACKETS = 50_000;

export const KERNEL_METHOD = `\
BPF_PROG_TEST_RUN, ${PACKETS.toLocaleString("en")} packets at a time (TCP, 54 bytes in IPv4, a client's ACK of a known flow at tc): a driver writes
each flow's packet over the last one, in pseudo-random order, and goes on into the program that is measured; what it takes
itself is measured with nothing behind it, and taken off. The floor parses, looks the flow up in a hash of the kernel's,
writes the link's addresses and sends. All by turns, ${ROUNDS} rounds; medians. Memory is what the kernel says that the table's
maps take, for a million. New connections: each packet is the SYN of another client, which the program opens, schedules, tells
the daemon of and sends on, by direct routing, where packets arrive (\`--admission wire\`). Services: a director with the
programs, no daemon; wlc.`;

const VIP = Address.inet(0x0a00_0064);
const CLIENT = Address.inet(0x0a64_0000);
const VIP6 = Address.inet6(0x2001_0db8, 0, 0, 0x64);
const CLIENT6 = Address.inet6(0x2001_0db8, 0x64, 0, 0);
const PORT = 80;

export function measureKernel(progress: (text: string) => void): KernelFigures {
  using yardstick = new Yardstick();
  let bytesPerFlow = 0;
  const rows = FLOWS.map((flows): KernelRow => {
    progress(`${flows.toLocaleString("en")} flows`);
    const course: Course = { family: 4, flows, client: CLIENT, service: VIP, port: PORT };
    const course6: Course = { family: 6, flows, client: CLIENT6, service: VIP6, port: PORT };
    yardstick.fillFloor(course);
    using route = new EngineFlows(course, "route");
    using masquerade = new EngineFlows(course, "masquerade");
    using route6 = new EngineFlows(course6, "route");
    ({ bytesPerFlow } = route);
    const measured: Readonly<Record<Kind, readonly [program: number, course: Course]>> = {
      floor: [yardstick.floor, course],
      "direct routing": [route.program, course],
      NAT: [masquerade.program, course],
      "IPv6, direct routing": [route6.program, course6],
    };
    return { flows, netNs: measureAll(yardstick, measured) };
  });
  const course: Course = { family: 4, flows: 1, client: CLIENT, service: VIP, port: PORT };
  const openings = OPENINGS.map((opening) => {
    progress(`new connections, ${opening.scheduler}, ${opening.servers} servers`);
    return { ...opening, perSecond: openingsPerSecond(course, opening) };
  });
  progress("services");
  return { rows, bytesPerFlow, openings, configuring: measureConfiguring() };
}

/** Medians of rounds in which each has its turn, next to the driver alone. */
function measureAll(
  yardstick: Yardstick,
  measured: Readonly<Record<Kind, readonly [program: number, course: Course]>>,
): Readonly<Record<Kind, number>> {
  const samples = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const kind of KINDS) {
      const [program, course] = measured[kind];
      const own = yardstick.time(yardstick.nothing, course, PACKETS, true);
      const all = yardstick.time(program, course, PACKETS);
      // The first brings everything into the caches, as far as it fits.
      if (round > 0) samples.get(kind)!.push(all - own);
    }
  }
  return Object.fromEntries(KINDS.map((kind) => [kind, median(samples.get(kind)!)])) as Record<
    Kind,
    number
  >;
}
