/** Established flows in the kernel engine's program, as its director hands them over. */
import { readFileSync } from "node:fs";
import { MONOTONIC_CLOCK } from "../../src/engine/host/system/monotonic-clock.ts";
import { KernelFlows } from "../../src/engine/kernel/kernel-flows.ts";
import { XdpProgram } from "../../src/engine/kernel/xdp-program.ts";
import { addDestination, addService, EMPTY_STATE } from "../../src/ipvs/desired/desired-state.ts";
import type { ServiceKey } from "../../src/ipvs/desired/service.ts";
import { Director } from "../../src/ipvs/director.ts";
import type { Host } from "../../src/ipvs/host.ts";
import { NO_ARRIVAL, Packet } from "../../src/ipvs/packets/packet.ts";
import { Address } from "../../src/net/address.ts";
import { emitIpv4 } from "../../src/net/ipv4.ts";
import { emitIpv6 } from "../../src/net/ipv6.ts";
import { MAC_LENGTH } from "../../src/net/mac-address.ts";
import { type Port, toPort } from "../../src/net/port.ts";
import { emitTcp, TCP_FLAG } from "../../src/net/tcp.ts";
import { type Course, FIRST_PORT, type Hook, PORTS_PER_CLIENT } from "./course.ts";

/** By which interface a TEST_RUN's frames come: by none that they tell, or by the loopback. */
const ARRIVAL: Readonly<Record<Hook, number>> = { tc: 0, xdp: 1 };
const LOOPBACK = { index: ARRIVAL.xdp, kind: undefined, mac: new Uint8Array(MAC_LENGTH) };
export const DEPARTURE = 2;
export const LINK_ADDRESSES = Uint8Array.of(2, 0, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0x11);
const HEADROOM = 64;

export type Method = "route" | "masquerade" | "tunnel";

export class EngineFlows implements Disposable {
  readonly #flows: KernelFlows;
  readonly #director: Director;
  readonly #count: number;
  readonly #arrival: number;
  readonly #xdp: XdpProgram | undefined;
  readonly #packet = new Packet();
  readonly #memory = new Uint8Array(HEADROOM + 128);

  constructor(course: Course, method: Method) {
    this.#count = course.flows;
    this.#arrival = ARRIVAL[course.hook];
    this.#flows = new KernelFlows({ connectionsMax: course.flows, packetsSeen: 0 });
    this.#xdp = xdpOf(course.hook, this.#flows);
    this.#director = new Director({
      host: hostFor(course.service),
      limit: course.flows,
      hashKey: [0x5eed, 0xfeed],
      offload: this.#flows,
    });
    this.#director.apply(stateFor(course, method));
    this.#open(course, method === "masquerade");
  }

  get program(): number {
    return this.#xdp?.fd ?? this.#flows.programs.atCard;
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
    this.#xdp?.[Symbol.dispose]();
    this.#flows[Symbol.dispose]();
  }

  #open({ flows, client, service, port }: Course, isAnswered: boolean): void {
    const to: End = { address: service, port: toPort(port) };
    const server: End = { address: serverOf(service), port: SERVER_PORT };
    for (let flow = 0; flow < flows; flow++) {
      const from: End = {
        address: clientOf(client, flow),
        port: toPort(FIRST_PORT + (flow % PORTS_PER_CLIENT)),
      };
      this.#receive(segment(from, to, TCP_FLAG.syn));
      this.#receive(segment(from, to, TCP_FLAG.ack), "client");
      if (isAnswered) this.#receive(segment(server, from, TCP_FLAG.ack), "server");
    }
  }

  /** By the director, who tells the program how it went on. */
  #receive(bytes: Uint8Array, direction?: "client" | "server"): void {
    this.#memory.set(bytes, HEADROOM);
    const arrival = { ...NO_ARRIVAL, interfaceIndex: this.#arrival, headroom: HEADROOM };
    this.#packet.moveTo(this.#memory, HEADROOM, HEADROOM + bytes.length, arrival);
    const now = MONOTONIC_CLOCK.now();
    const { verdict, connection, route } = this.#director.receive(this.#packet, now);
    if (verdict !== "forward" || route === undefined) throw new Error("A flow was not opened");
    if (direction === undefined) return;
    this.#flows.learn({
      connections: this.#director.connections.table,
      connection,
      direction,
      arrival: this.#arrival,
      route,
      mtu: route.mtu,
      linkAddresses: LINK_ADDRESSES,
    });
  }
}

/** The program at XDP with the maps of these, for frames to the loopback's address, which is all 0. */
export function xdpOf(hook: Hook, flows: KernelFlows): XdpProgram | undefined {
  if (hook === "tc") return undefined;
  const xdp = new XdpProgram(flows.maps);
  xdp.describe(LOOPBACK, "generic");
  return xdp;
}

/** The one that all flows go to. */
export function serverOf(service: Address): Address {
  return service.family === "inet"
    ? Address.inet(0x0a01_0001)
    : Address.inet6(service.w0, service.w1, 1, 1);
}

/** Of masqueraded flows. */
export const SERVER_PORT = toPort(8080);

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

function stateFor({ service, port }: Course, kind: Method) {
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
  return addDestination(added, key, {
    endpoint: {
      address: serverOf(service),
      port: kind === "masquerade" ? SERVER_PORT : toPort(port),
    },
    forwarding: kind === "tunnel" ? { kind, encapsulation: "ipip" } : { kind },
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
