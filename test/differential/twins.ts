/**
 * Two directors that are told the same: one sees every packet, the other only what the program in the kernel leaves it.
 * Whatever happens, the same packets must leave, and in the end both must know the same.
 */

import type { Instant } from "../../src/base/clock.ts";
import { MONOTONIC_CLOCK } from "../../src/engine/host/system/monotonic-clock.ts";
import { KernelFlows } from "../../src/engine/kernel/kernel-flows.ts";
import { TestRun } from "../../src/engine/kernel/libbpf.ts";
import { type DesiredState, EMPTY_STATE } from "../../src/ipvs/desired/desired-state.ts";
import { LbError } from "../../src/ipvs/desired/errors.ts";
import { setSysctl } from "../../src/ipvs/desired/set-sysctl.ts";
import { Director } from "../../src/ipvs/director.ts";
import type { Offload } from "../../src/ipvs/offload.ts";
import type { Outcome } from "../../src/ipvs/packets/outcome.ts";
import { NO_ARRIVAL, Packet } from "../../src/ipvs/packets/packet.ts";
import { connectionStatuses, serviceStatus } from "../../src/ipvs/status.ts";
import type { Family } from "../../src/net/address.ts";
import { MAC_LENGTH } from "../../src/net/mac-address.ts";
import { command } from "../packets/commands.ts";
import { Names } from "../packets/names.ts";
import { TestHost } from "../packets/test-host.ts";
import { comparable } from "./comparable.ts";
import { cardFrame, ETHERNET_LENGTH, laneFrame } from "./frames.ts";
import { CONNECTIONS_MAX, LOOPBACK, type Programs } from "./programs.ts";
import { isSharedReply } from "./shared-replies.ts";

/** Of a connection that the director opens by itself, before it is given away. */
const PACKETS_SEEN = 2;
const HEADROOM = 64;
const FRAME_MAX = 4_096;
const HEADER_LENGTH_MAX = 40;
/** Longer than the packets of a world take, and a part of most timeouts. */
const ROUGHLY_MS = 10_000;
/** At tc a TEST_RUN's frames have come by no interface. */
const NOWHERE = 0;

/** What programs return: TC_ACT_REDIRECT and TC_ACT_UNSPEC, XDP_REDIRECT and XDP_PASS. */
const RETURNS = { tc: { redirect: 7, pass: -1 }, xdp: { redirect: 4, pass: 2 } } as const;

/** How a packet comes to the director. */
export interface Coming {
  /** As it arrives, or behind the host's firewall. */
  readonly hook: "wire" | "local-in" | "forward";
  readonly mark: number;
}

const LINK_ADDRESSES = Uint8Array.of(2, 0, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0x11);

const DIRECTOR = { limit: CONNECTIONS_MAX, hashKey: [1, 2] } as const;

export class Twins implements Disposable {
  readonly #names: Names;
  readonly #hosts: readonly TestHost[];
  readonly #programs: Programs;
  readonly #flows: KernelFlows;
  readonly #testRun = new TestRun(FRAME_MAX);
  readonly #model: Twin;
  readonly #system: Twin;
  #state: DesiredState = EMPTY_STATE;
  isOver = false;
  /** Packets that the program sent on. */
  forwarded = 0;

  /** `secret`: what decides how the programs are set up, and by what they hash flows. */
  constructor(family: Family, secret: number, programs: Programs) {
    this.#programs = programs;
    this.#flows = new KernelFlows({
      connectionsMax: CONNECTIONS_MAX,
      packetsSeen: secret % 3 === 2 ? PACKETS_SEEN : 0,
      opensOnWire: secret % 4 !== 3,
      passing: () => programs.begin(secret),
    });
    this.#names = new Names(family);
    this.#hosts = [new TestHost(this.#names), new TestHost(this.#names)];
    const [model, system] = this.#hosts as [TestHost, TestHost];
    this.#flows.addressesChanged((address) => system.isLocal(address));
    this.#model = new Twin(model, undefined);
    this.#system = new Twin(system, this.#flows);
  }

  /** One of ipvsadm's commands. One that is refused changes nothing: a server is there already, or is not. */
  change(text: string): void {
    try {
      this.#apply(command(this.#state, text, this.#names));
    } catch (error) {
      if (!(error instanceof LbError)) throw error;
    }
  }

  /** `NAME VALUE`. */
  setSysctl(text: string): void {
    const [name, value] = text.split(" ") as [string, string];
    this.#apply(setSysctl(this.#state, name, value));
  }

  /** Something about the host is otherwise: test-host.ts. */
  changeHost(text: string): void {
    for (const host of this.#hosts) host.change(text);
    this.#flows.addressesChanged((address) => this.#hosts[0]!.isLocal(address));
    this.#flows.invalidate();
  }

  /**
   * What becomes of a packet differently, in words; undefined when nothing does, or when either is right, and then they go on as two
   * that were told different things: `isOver`.
   */
  send(packet: Uint8Array, coming: Coming): string | undefined {
    const difference = this.#send(packet, coming);
    if (difference === undefined) return undefined;
    this.isOver = isSharedReply(packet, this.#model.director.connections.table);
    return this.isOver ? undefined : difference;
  }

  #send(packet: Uint8Array, coming: Coming): string | undefined {
    // No test run takes less than a header, and no host.
    if (packet.length < HEADER_LENGTH_MAX) return undefined;
    const { hook, mark } = coming;
    const isFromLane = hook !== "wire";
    const [host] = this.#hosts as [TestHost];
    const laned = isFromLane ? laneFrame(packet, { hook, mark, host }) : undefined;
    if (isFromLane && laned === undefined) return undefined;
    const now = MONOTONIC_CLOCK.now();
    const theirs = this.#model.receive(packet, coming, now);
    const frame = laned ?? cardFrame(packet);
    const { atCard, atLane } = this.#flows.programs;
    const atWire = this.#programs.atDriver ?? atCard;
    const returns = RETURNS[laned === undefined ? this.#programs.hook : "tc"];
    const program = laned === undefined ? atWire : atLane;
    const { result, frame: after } = this.#testRun.run(program, frame);
    if (result === returns.redirect) {
      this.forwarded++;
      if (!isSame(after.subarray(0, 12), LINK_ADDRESSES)) return "the frame has other addresses";
      const packet = comparable(after.subarray(ETHERNET_LENGTH));
      return difference(theirs, `forward ${hex(packet)}`);
    }
    if (result !== returns.pass) return `the program returned ${result}`;
    // In the lane a frame's source is of no meaning, and tells by which interface it came to the host.
    if (laned !== undefined) after.fill(0, MAC_LENGTH, 2 * MAC_LENGTH);
    if (!isSame(after, frame)) return `the program left ${hex(after)}, but not as it was`;
    const ours = this.#system.receive(packet, coming, now);
    this.#learn();
    return difference(theirs, ours);
  }

  /** What one of them knows otherwise in the end. */
  end(): string | undefined {
    const now = MONOTONIC_CLOCK.now();
    return difference(this.#model.knowledge(now), this.#system.knowledge(now));
  }

  [Symbol.dispose](): void {
    this.#testRun[Symbol.dispose]();
    this.#flows[Symbol.dispose]();
  }

  #apply(state: DesiredState): void {
    this.#model.director.apply(state);
    this.#system.director.apply(state);
    this.#state = state;
  }

  /** As the engine does after a packet has gone out (packet-path.ts). */
  #learn(): void {
    const { outcome, director } = this.#system;
    if (outcome === undefined) return;
    const { verdict, connection, route, parts, reason } = outcome;
    if (verdict !== "forward" || connection < 0 || route === undefined || parts.length > 0) return;
    const connections = director.connections.table;
    this.#flows.learn({
      connections,
      connection,
      direction: reason === "forward-reply" ? "server" : "client",
      arrival: this.#programs.hook === "tc" ? NOWHERE : LOOPBACK.index,
      route,
      mtu: route.mtu,
      linkAddresses: LINK_ADDRESSES,
    });
  }
}

class Twin {
  readonly director: Director;
  readonly #packet = new Packet();
  readonly #memory = new Uint8Array(HEADROOM + FRAME_MAX);
  readonly #offload: Offload | undefined;
  /** Of the last packet, when it could be read. */
  outcome: Outcome | undefined;

  constructor(host: TestHost, offload: Offload | undefined) {
    this.#offload = offload;
    this.director = new Director({ ...DIRECTOR, host, offload });
  }

  receive(packet: Uint8Array, { hook, mark }: Coming, now: Instant): string {
    const memory = this.#memory.subarray(0, HEADROOM + packet.length);
    memory.set(packet, HEADROOM);
    const arrival = {
      ...NO_ARRIVAL,
      interfaceIndex: NOWHERE,
      headroom: HEADROOM,
      hook,
      mark,
    } as const;
    this.director.expire(now, 10);
    this.outcome = undefined;
    if (this.#packet.moveTo(memory, HEADROOM, memory.length, arrival) !== undefined) {
      return this.director.malformed().verdict;
    }
    const outcome = this.director.receive(this.#packet, now);
    this.outcome = outcome;
    const { verdict, packet: sent, parts, notices } = outcome;
    const own = sent.bytes.subarray(sent.start, sent.end);
    const whole = verdict === "forward" && parts.length === 0 ? [own] : parts;
    const sentOn = whole.map((each) => hex(comparable(each)));
    return [verdict, ...sentOn, ...notices.map(hex)].join(" ");
  }

  /** Connections with the time that they have left, roughly, and all counters, as text. */
  knowledge(now: Instant): string {
    const { director } = this;
    director.apply(this.#applied());
    this.#offload?.collect(director.services.countOffloaded);
    const { statuses } = connectionStatuses(director.connections, now, -1, CONNECTIONS_MAX);
    const connections = statuses.map((each) => {
      const { ageMs: _, expiresInMs, ...others } = each;
      return JSON.stringify({ ...others, expiresIn: Math.round(expiresInMs / ROUGHLY_MS) });
    });
    const services = [...director.services.services()].map((service) => {
      const { inPackets, inBytes, outPackets, outBytes } = service.traffic;
      const { destinations } = serviceStatus(service);
      const counts = destinations.map((each) => [
        each.activeConnections,
        each.inactiveConnections,
        each.persistentConnections,
      ]);
      return JSON.stringify([service.keyText, inPackets, inBytes, outPackets, outBytes, counts]);
    });
    return [...connections.toSorted(), ...services].join("\n");
  }

  /** Applying what is in force changes nothing, and has what the offload did told. */
  #applied(): DesiredState {
    const { applied } = this.director.services;
    return { ...EMPTY_STATE, services: applied };
  }
}

function difference(theirs: string, ours: string): string | undefined {
  return theirs === ours ? undefined : `- ${theirs}\n+ ${ours}`;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
