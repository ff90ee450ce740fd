import { expect, test } from "vitest";
import type { Instant } from "../base/clock.ts";
import { Address } from "../net/address.ts";
import { emitIpv4 } from "../net/ipv4.ts";
import { toPort } from "../net/port.ts";
import { emitTcp, TCP_FLAG } from "../net/tcp.ts";
import { addDestination, addService, EMPTY_STATE } from "./desired/desired-state.ts";
import type { ServiceKey } from "./desired/service.ts";
import { Director } from "./director.ts";
import type { Host } from "./host.ts";
import { Packet } from "./packets/packet.ts";

const at = (text: string): Address => Address.parse(text)!;
const VIP = at("192.168.150.100");

const host: Host = {
  generation: 1,
  isLocal: (address) => address.equals(VIP),
  isForwarding: () => true,
  availablePages: () => Number.POSITIVE_INFINITY,
  routeFrom: (_source, destination) => host.route(destination),
  mayTell: () => true,
  route: (destination) =>
    destination.equals(VIP)
      ? "local"
      : { interfaceIndex: 2, nextHop: destination, source: at("192.168.150.11"), mtu: 1500 },
};

const key: ServiceKey = {
  kind: "endpoint",
  protocol: "tcp",
  endpoint: { address: VIP, port: toPort(80) },
};

test("DR forwards a connection's packets to one server, with the time to live decremented", () => {
  const director = new Director({ host, limit: 1000, hashKey: [1, 2] });
  let state = addService(EMPTY_STATE, {
    key,
    scheduler: "rr",
    schedulerFlags: 0,
    onePacket: false,
    persistence: undefined,
    persistenceEngine: undefined,
  });
  for (const server of ["192.168.150.12", "192.168.150.13"]) {
    state = addDestination(state, key, {
      endpoint: { address: at(server), port: toPort(80) },
      forwarding: { kind: "route" },
      weight: 1,
      upperThreshold: 0,
      lowerThreshold: 0,
    });
  }
  director.apply(state);
  const client = at("192.168.150.1");
  const packet = new Packet();
  const send = (port: number, flags: number) => {
    const addresses = { source: client, destination: VIP };
    const bytes = emitIpv4(
      { protocol: 6, ...addresses },
      emitTcp(
        { source: toPort(port), destination: toPort(80), flags },
        new Uint8Array(),
        addresses,
      ),
    );
    packet.moveTo(bytes, 0, bytes.length, {
      interfaceIndex: 2,
      isUnicast: true,
      mark: 0,
      segmentSize: 0,
      isChecksumPartial: false,
      headroom: 0,
      hook: "wire",
    });
    const { verdict, reason, route } = director.receive(packet, 0 as Instant);
    return `${verdict} ${reason} ${route?.nextHop} ttl ${packet.timeToLive}`;
  };
  expect(send(1000, TCP_FLAG.syn)).toBe("forward forward-route 192.168.150.13 ttl 63");
  expect(send(1001, TCP_FLAG.syn)).toBe("forward forward-route 192.168.150.12 ttl 63");
  expect(send(1000, TCP_FLAG.ack)).toBe("forward forward-route 192.168.150.13 ttl 63");
  expect(send(1002, TCP_FLAG.ack)).toBe("pass pass-not-first undefined ttl 64");
});
