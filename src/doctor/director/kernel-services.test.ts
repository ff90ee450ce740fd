import { expect, test } from "vitest";
import { Address } from "../../net/address.ts";
import { kernelServices } from "./kernel-services.ts";

const TABLE = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0A89664:0050 rr persistent 300000 FFFFFFFF
  -> C0A8960D:0050      Route   1      0          0
  -> C0A8960C:0050      Tunnel  0      0          0
UDP  [fd00:0150:0000:0000:0000:0000:0000:0100]:0035 wlc
  -> [fd00:0150:0000:0000:0000:0000:0000:0012]:1F90      Masq    2      0          0
FWM  00000007 rr
  -> 0A000001:0000      Local   1      0          0
`;

test("the kernel's services, as a doctor looks at them", () => {
  const at = (text: string) => Address.parse(text);
  expect(kernelServices(TABLE)).toEqual([
    {
      name: "TCP 192.168.150.100:80",
      protocol: "tcp",
      vip: at("192.168.150.100"),
      port: 80,
      mark: undefined,
      persistenceSeconds: 300,
      servers: [
        { address: at("192.168.150.13"), port: 80, forwarding: { kind: "route" }, weight: 1 },
        {
          address: at("192.168.150.12"),
          port: 80,
          forwarding: { kind: "tunnel", encapsulation: "ipip" },
          weight: 0,
        },
      ],
    },
    {
      name: "UDP [fd00:150::100]:53",
      protocol: "udp",
      vip: at("fd00:150::100"),
      port: 53,
      mark: undefined,
      persistenceSeconds: undefined,
      servers: [
        { address: at("fd00:150::12"), port: 8080, forwarding: { kind: "masquerade" }, weight: 2 },
      ],
    },
    {
      name: "FWM 7",
      protocol: "tcp",
      vip: undefined,
      port: 0,
      mark: 7,
      persistenceSeconds: undefined,
      servers: [],
    },
  ]);
});
