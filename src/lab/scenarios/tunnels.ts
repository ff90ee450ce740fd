/** The tunnels of ipvsadm, as the laboratory asks for them and looks at them. */
import { GUE_PORT } from "../network/decapsulators.ts";
import type { Encapsulation } from "../network/frame-content.ts";

export interface Tunnel {
  readonly encapsulation: Encapsulation;
  readonly title: string;
  /** ipvsadm's, behind -i. */
  readonly flags: string;
  /** As ipvsadm's --tun-info lists it. */
  readonly listed: string;
  /** Bytes that it puts before a packet, its outer IP header not counted. */
  readonly overhead: number;
}

// biome-ignore format: a table
export const TUNNELS: Readonly<Record<Encapsulation, Tunnel>> = {
  ipip: { encapsulation: "ipip", title: "IP in IP", flags: "-i",                                          listed: "ipip",               overhead: 0 },
  gre:  { encapsulation: "gre",  title: "GRE",      flags: "-i --tun-type gre",                           listed: "gre:-c",             overhead: 4 },
  gue:  { encapsulation: "gue",  title: "GUE",      flags: `-i --tun-type gue --tun-port ${GUE_PORT}`,    listed: `gue:${GUE_PORT}:-c`, overhead: 12 },
};
