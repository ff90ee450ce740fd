/** Established flows in the kernel engine's program, as its director hands them over. */
import { readFileSync } from "node:fs";
import { MONOTONIC_CLOCK } from "../../src/engine/host/system/monotonic-clock.ts";
import { KernelFlows } from "../../src/engine/kernel/kernel-flows.ts";
import { addDestination, addService, EMPTY_STATE } from "../../src/ipvs/desired/desired-state.ts";
import type { ServiceKey } from "../../src/ipvs/desired/service.ts";
import { Director } from "../../src/ipvs/director.ts";
import type { Host } from "../../src/ipvs/host.ts";
import { NO_ARRIVAL, Packet } from "../../src/ipvs/packets/packet.ts";
import { Address } from "../../src/net/address.ts";
import { emitIpv4 } from "../../src/net/ipv4.ts";
import { emitIpv6 } from "../../src/net/ipv6.ts";
import { type Port, toPort } from "../../src/net/port.ts";
import { emitTcp, TCP_FLAG } from "../../src/net/tcp.ts";
import { type Course, FIRST_PORT, PORTS_PER_CLIENT } from "./course.ts";

/** A TEST_RUN's frames came by no interface. */
const NOWHERE = 0;
export const DEPARTURE = 2;
export const LINK_ADDRESSES = Uint8Array.of(2, 0, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0x11);
const HEADROOM = 64;

export class EngineFlows implements Disposable {
  readonly #flows: KernelFlows;
  readonly #director: Director;
  readonly #count: number;

  constructor(course: Course, method: "route" | "masquerade") {
    this.#count = course.flows;
    this.#flows = new KernelFlows({ connectionsMax: course.flows, packetsSeen: 0 });
    this.#director = new Director({
      host: hostFor(course.service),
      limit: course.flows,
      hashKey: [0x5eed, 0xfeed],
      offload: this.#flows,
    });
    this.#director.apply(stateFor(course, method));
    this.#open(course);
  }

  get program(): number {
    return this.#flows.programs.atCard;
  }

  /** Of the kernel's memory, by its own account. */
  get bytesPerFlow(): number {
    const bytes = this.#flows.tables.map((map) => {
      const info = readFileSync(`/proc/self/fdinfo/${map}`, "latin1");
      return Number(/^memlock:\s*(\d+)/m.exec(info)?.[1]);
    });
    return bytes.reduce((sum, each) => sum + each) / this.#count;
  }

  /** Where packets left the program. */
  reasons(): Readonly<Record<string, number>> {
    return this.#flows.reasons();
  }

  [Symbol.dispose](): void {
    this.#flows[Symbol.dispose]();
  }

  #open({ flows, client, service, port }: Course): void {
    const packet = new Packet();
    const memory = new Uint8Array(HEADROOM + 128);
    for (let flow = 0; flow < flows; flow++) {
      const from = {
        address: clientOf(client, flow),
        port: toPort(FIRST_PORT + (flow % PORTS_PER_CLIENT)),
      };
      for (const flags of [TCP_FLAG.syn, TCP_FLAG.ack]) {
        const bytes = segment(from, { address: service, port: toPort(port) }, flags);
        memory.set(bytes, HEADROOM);
        const arrival = { ...NO_ARRIVAL, interfaceIndex: NOWHERE, headroom: HEADROOM };
        packet.moveTo(memory, HEADROOM, HEADROOM + bytes.length, arrival);
        const { verdict, connection, route } = this.#director.receive(
          packet,
          MONOTONIC_CLOCK.now(),
        );
        if (verdict !== "forward" || route === undefined) throw new Error("A flow was not opened");
        if (flags === TCP_FLAG.syn) continue;
        this.#flows.learn({
          connections: this.#director.connections.table,
          connection,
          direction: "client",
          arrival: NOWHERE,
          route,
          mtu: route.mtu,
          linkAddresses: LINK_ADDRESSES,
        });
      }
    }
  }
}

function clientOf(first: Address, flow: number): Address {
  const w3 = first.w3 + Math.floor(flow / PORTS_PER_CLIENT);
  return first.family === "inet"
    ? Address.inet(w3)
    : Address.inet6(first.w0, first.w1, first.w2, w3);
}

interface End {
  readonly address: Address;
  readonly port: Port;
}

function segment(from: End, to: End, flags: number): Uint8Array {
  const addresses = { source: from.address, destination: to.address };
  const tcp = emitTcp(
    { source: from.port, destination: to.port, flags },
    new Uint8Array(0),
    addresses,
  );
  return from.address.family === "inet"
    ? emitIpv4({ protocol: 6, ...addresses }, tcp)
    : emitIpv6({ nextHeader: 6, ...addresses }, tcp);
}

function stateFor({ service, port }: Course, kind: "route" | "masquerade") {
  const endpoint = { address: service, port: toPort(port) };
  const key: ServiceKey = { kind: "endpoint", protocol: "tcp", endpoint };
  const added = addService(EMPTY_STATE, {
    key,
    scheduler: "rr",
    schedulerFlags: 0,
    onePacket: false,
    persistence: undefined,
    persistenceEngine: undefined,
  });
  const server =
    service.family === "inet"
      ? Address.inet(0x0a01_0001)
      : Address.inet6(service.w0, service.w1, 1, 1);
  return addDestination(added, key, {
    endpoint: { address: server, port: kind === "route" ? toPort(port) : toPort(8080) },
    forwarding: { kind },
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
  });
}

/** A host that has one address, and a neighbour for each other one. */
export function hostFor(vip: Address): Host {
  const host: Host = {
    generation: 1,
    isLocal: (address) => address.equals(vip),
    isForwarding: () => true,
    availablePages: () => Number.POSITIVE_INFINITY,
    routeFrom: (_source, destination) => host.route(destination),
    mayTell: () => true,
    route: (destination) =>
      destination.equals(vip)
        ? "local"
        : { interfaceIndex: DEPARTURE, nextHop: destination, source: vip, mtu: 1500 },
  };
  return host;
}
