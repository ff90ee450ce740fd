import { expect, test } from "vitest";
import {
  countBy,
  hasPlausibleTimer,
  isActive,
  parseConnections,
  parseServices,
} from "./listing.ts";

const SERVICES = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  192.168.150.100:80 rr
  -> 192.168.150.12:80            Route   1      1          5         
  -> 192.168.150.13:80            Route   1      0          6         
UDP  192.168.150.100:53 wlc persistent 360
`;

test("reads services with their destinations", () => {
  expect(parseServices(SERVICES)).toEqual([
    {
      protocol: "TCP",
      at: "192.168.150.100:80",
      scheduler: "rr",
      destinations: [
        { at: "192.168.150.12:80", forward: "Route", weight: 1, active: 1, inactive: 5 },
        { at: "192.168.150.13:80", forward: "Route", weight: 1, active: 0, inactive: 6 },
      ],
    },
    { protocol: "UDP", at: "192.168.150.100:53", scheduler: "wlc", destinations: [] },
  ]);
});

const CONNECTIONS = `IPVS connection entries
pro expire state       source             virtual            destination
TCP 01:59  FIN_WAIT    192.168.150.1:61851 192.168.150.100:80 192.168.150.12:80
TCP 14:42  ESTABLISHED 192.168.150.1:61958 192.168.150.100:80 192.168.150.13:80
TCP 01:01  SYN_RECV    192.168.150.1:61959 192.168.150.100:80 192.168.150.13:80
`;

test("reads connections, tells active ones, and doubts timers", () => {
  const connections = parseConnections(CONNECTIONS);
  expect(connections[1]).toEqual({
    protocol: "TCP",
    expiresInS: 882,
    state: "ESTABLISHED",
    client: "192.168.150.1:61958",
    virtual: "192.168.150.100:80",
    destination: "192.168.150.13:80",
  });
  expect(connections.map(isActive)).toEqual([false, true, true]);
  expect(connections.map(hasPlausibleTimer)).toEqual([true, true, false]);
});

test("counts alike values", () => {
  expect(countBy(["a", "b", "a"])).toBe("2 a, 1 b");
  expect(countBy([])).toBe("none");
});
