/** Services and conversations that many cases have. */
import { arrives, type HostStep, services } from "../host-case.ts";

export const NAT = services("-A -t V:80 -s rr", "-a -t V:80 -r R1:80 -m", "-a -t V:80 -r R2:80 -m");
export const DIRECT = services(
  "-A -t V:80 -s rr",
  "-a -t V:80 -r R1:80 -g",
  "-a -t V:80 -r R2:80 -g",
);
export const UDP_NAT = services("-A -u V:53 -s rr", "-a -u V:53 -r R1:53 -m");
export const ONE_NAT = services("-A -t V:80 -s rr", "-a -t V:80 -r R1:80 -m");
export const ONE_DIRECT = services("-A -t V:80 -s rr", "-a -t V:80 -r R1:80 -g");

/** A client opens a connection to a masqueraded server. */
export function handshake(server: string, client = "C:1000", virtual = "V:80"): HostStep[] {
  return [
    arrives("wan", `${client} > ${virtual} S`),
    arrives("lan", `${server}:80 > ${client} S.`),
    arrives("wan", `${client} > ${virtual} .`),
  ];
}
