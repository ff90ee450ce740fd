/** What takes packets out of IP, GRE and GUE on a simulated real server, and has them come out of an interface. */
import { parseMac } from "../../net/mac-address.ts";
import { toPort } from "../../net/port.ts";
import type { Host } from "../../simnet/host/host.ts";

const MTU = 1_480;

/** What takes it away again. */
export function addTunnelEnd(host: Host, name: string, guePort: number): () => void {
  const tunnel = {
    kind: "ipip",
    takes: ["ip", "gre", "gue"] as const,
    silencesHost: name !== "tunl0",
    local: undefined,
    remote: undefined,
  };
  const mac = parseMac("00:00:00:00:00:00")!;
  const end = host.addInterface({ name, kind: "tunnel", mac, mtu: MTU, tunnel });
  host.addresses.up(end);
  const close = host.udp.open({
    address: undefined,
    port: toPort(guePort),
    program: "gue",
    receive: ({ packet, frame, payload }) => host.transports.unwrapGue(packet, frame, payload),
  });
  return () => {
    close();
    host.removeInterface(end);
  };
}
