/** drop_entry: which entries are given up at random, and which never. */
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  packet,
  restore,
  type Step,
  wait,
} from "../case.ts";

const GROUP = "drop_entry";
const ENTRIES = 100;
/** Idle entries are spared for a minute; half of those that may go are gone 20 s later. */
const SPARED_MS = 45_000;
const DROPPING_MS = 35_000;

export const DROP_ENTRY: CaseFile = {
  features: {
    [GROUP]: "drop_entry 3: which entries go, and which stay, by state, age and packets",
  },
  cases: () => [dropEntryCase("NAT", "-m"), dropEntryCase("DR", "-g")],
};

function dropEntryCase(name: string, method: string): Case {
  const port = (service: number): string => (method === "-m" ? `${8000 + service}` : `${service}`);
  const services = [80, 81, 82, 83].map((at) => `-t VIP:${at}`);
  const datagrams = [50, 51, 52].map((at) => `-u VIP:${at}`);
  const associations = [90, 91].map((at) => `--sctp-service VIP:${at}`);
  const rules = [...services, ...datagrams, ...associations].flatMap((service) => {
    const at = Number(service.split(":")[1]);
    return [`-A ${service} -s rr`, `-a ${service} -r 192.168.150.21:${port(at)} ${method}`];
  });
  return {
    group: GROUP,
    name,
    compare: "survivors",
    sysctls: { drop_entry: 3 },
    keepsSysctls: true,
    steps: [
      restore(...rules),
      // Old enough to be dropped: two packets, nine, one.
      ...each("tcp", 80, "S", "A"),
      ...each("tcp", 81, "S", "A", "A", "A", "A", "A", "A", "A", "A"),
      ...each("udp", 50, "length=9"),
      ...each("udp", 51, ...Array.from({ length: 9 }, () => "length=9")),
      wait(SPARED_MS),
      // Younger ones.
      ...each("udp", 52, "length=9"),
      ...each("tcp", 83, "S", "A", "FA"),
      ...each("sctp", 91, "1", "6"),
      CONNECTIONS,
      // Those that are not spared, of which some may be gone before a listing is read.
      ...each("sctp", 90, "1", "1"),
      ...each("tcp", 82, "S"),
      wait(DROPPING_MS),
      CONNECTIONS,
    ],
  };
}

/** These packets for each of many connections. */
function each(protocol: string, port: number, ...packets: readonly string[]): Step[] {
  return Array.from({ length: ENTRIES }, (_, index) =>
    packets.map((what) => packet(`${protocol} CLIENT:${2000 + index} > VIP:${port} ${what}`)),
  ).flat();
}
