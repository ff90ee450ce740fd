/** A director with one service and one server, of which all is well but for what a test says otherwise. */
import type { WireForwarding } from "../src/control/wire.ts";
import type { DirectorFacts } from "../src/doctor/director/facts.ts";
import { Address, type Family } from "../src/net/address.ts";
import { parseMac } from "../src/net/mac-address.ts";

const ADDRESSES = {
  inet: { vip: "192.0.2.1", server: "10.0.0.2" },
  inet6: { vip: "2001:db8::1", server: "fd00::2" },
} as const;

interface Given {
  readonly family?: Family;
  readonly forwarding?: WireForwarding;
  readonly believedMtu?: number;
  readonly carriedMtu?: number | undefined;
  readonly cardMtu?: number;
  readonly firewall?: DirectorFacts["firewall"];
  readonly arrivals?: DirectorFacts["arrivals"];
}

export function examination(given: Given): DirectorFacts {
  const { family = "inet", forwarding = { kind: "route" }, firewall = [], arrivals = [] } = given;
  const [vip, address] = [ADDRESSES[family].vip, ADDRESSES[family].server].map(
    (text) => Address.parse(text)!,
  ) as [Address, Address];
  const server = { address, port: 80, forwarding, weight: 1 };
  const service = {
    name: `TCP ${vip.toString()}:80`,
    protocol: "tcp" as const,
    vip,
    port: 80,
    mark: undefined,
    persistenceSeconds: undefined,
    servers: [server],
  };
  const route = {
    kind: "out" as const,
    interfaceName: "eth0",
    nextHop: address,
    hasGateway: false,
    source: undefined,
    mtu: undefined,
  };
  return {
    told: { services: [service], timeouts: undefined, findings: [], connections: [] },
    interfaces: [
      {
        index: 2,
        name: "eth0",
        isLoopback: false,
        isTunnel: false,
        isUp: true,
        mtu: given.cardMtu ?? 1500,
        mac: parseMac("02:00:00:00:00:01"),
        addresses: [],
      },
    ],
    isForwarding: { inet: true, inet6: true },
    isTrackingLoose: undefined,
    firewall,
    vips: [{ vip, isLocal: true, card: "eth0", holders: [], sentTo: new Map() }],
    servers: [
      {
        service,
        server,
        route,
        hasNeighbour: true,
        answer: "open",
        believedMtu: given.believedMtu ?? 1500,
        carriedMtu: given.carriedMtu,
      },
    ],
    marks: [],
    arrivals,
    names: new Map(),
    clientBeside: () => false,
  };
}
