import { expect, test } from "vitest";
import { Address } from "../../net/address.ts";
import { formatListener, hears, listenersIn } from "./sockets.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0C96A8C0:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2
   2: 0C96A8C0:0050 0196A8C0:D431 01 00000000:00000000 00:00000000 00000000     0        0 3
`;
const TCP6 = `  sl  local_address rem_address st
   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A
   1: 500100FD000000000000000012000000:0050 00000000000000000000000000000000:0000 0A
`;

test("who listens, and who does not hear whom", () => {
  const all = [...listenersIn(TCP, "tcp", "inet"), ...listenersIn(TCP6, "tcp", "inet6")];
  expect(all.map(formatListener)).toEqual([
    "0.0.0.0:80",
    "192.168.150.12:8080",
    "[::]:443",
    "[fd00:150::12]:80",
  ]);
  const vip = Address.parse("192.168.150.100")!;
  const heard = (port: number): boolean => all.some((one) => hears(one, vip, port));
  expect([80, 8080, 443, 22].map(heard)).toEqual([true, false, true, false]);
});
