/** The service without a scheduler: `-s none`. */
import {
  type Case,
  type CaseFile,
  CONNECTIONS,
  ipvsadm,
  packet,
  SERVICES,
  type Step,
} from "../case.ts";

const GROUP = "no scheduler";

export const NO_SCHEDULER: CaseFile = {
  features: { [GROUP]: "`-s none`: refuses every connection until it is edited" },
  cases: () => [
    noSchedulerCase("TCP", "-t VIP:80", "tcp CLIENT:PORT > VIP:80 S"),
    noSchedulerCase("UDP", "-u VIP:53", "udp CLIENT:PORT > VIP:53 length=20"),
    noSchedulerCase("UDP, one-packet", "-u VIP:53 -o", "udp CLIENT:PORT > VIP:53 length=20"),
    noSchedulerCase("IPv6", "-t [VIP6]:80", "tcp [CLIENT6]:PORT > [VIP6]:80 S"),
    noSchedulerCase("persistent", "-t VIP:80 -p 100", "tcp CLIENT:PORT > VIP:80 S"),
  ],
};

function noSchedulerCase(name: string, service: string, opening: string): Case {
  const key = service.split(" ").slice(0, 2).join(" ");
  const server = service.includes("VIP6") ? "[fd15::21]" : "192.168.150.21";
  const ask = (port: number): Step => packet(opening.replace("PORT", String(port)));
  return {
    group: GROUP,
    name,
    compare: "frames",
    sysctls: {},
    steps: [
      ipvsadm(`-A ${service} -s none`),
      ipvsadm(`-a ${key} -r ${server} -g`),
      ipvsadm(`-L -n ${key}`),
      ask(1000),
      ipvsadm(`-E ${service} -s rr`),
      ask(1001),
      ipvsadm(`-E ${service} -s none`),
      ask(1001),
      ask(1002),
      ipvsadm(`-L -n ${key}`),
      SERVICES,
      CONNECTIONS,
    ],
  };
}
