/** UDP: one state, whoever sends. The kernel's ip_vs_proto_udp.c. */
import type { StateTable } from "./state-machine.ts";

export const UDP_STATE = { normal: 0 } as const;

export const UDP_EVENT = { datagram: 0 } as const;

export const UDP: StateTable = {
  names: ["UDP"],
  timeoutsSeconds: [300],
  active: [],
  transitions: [[[UDP_STATE.normal]], [[UDP_STATE.normal]], [[UDP_STATE.normal]]],
};
