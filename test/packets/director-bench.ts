/**
 * A director on a bench: rows of text go in, one after the other, and what came of each comes out.
 *
 *     -A -t V:80 -s rr                      ipvsadm's commands
 *     C:1000 > V:80 S                       a packet (packet-text.ts), with these options more:
 *         mark 7   gso 1448   partial   broadcast   in 1400 (arrives in fragments of so many bytes)
 *         at forward (the hook: local-in, forward or local-out; without it the packet comes from the wire)
 *     bytes 4500 0014 ...                   a packet, raw
 *     +60                                   so many seconds pass
 *     busy                                  whoever calls the director has no time for expire() until seconds pass
 *     restart                               another director goes on with what this one's connections lie in
 *     restart without services              the same, but services come later
 *     pressed                               packets follow that are more than can be dealt with; calm: no longer
 *     sysctl conn_reuse_mode=0              host lose R1 (test-host.ts)
 *     sysctl                                those that are not as they were at first
 *     -L   -Lc   -L --stats   -L --total   -Z            listings, one line for each entry
 */
import type { Instant } from "../../src/base/clock.ts";
import { NO_CONNECTION } from "../../src/ipvs/connections/connection-table.ts";
import { ownMemory, type TableMemory } from "../../src/ipvs/connections/table-memory.ts";
import { type DesiredState, EMPTY_STATE } from "../../src/ipvs/desired/desired-state.ts";
import { LbError } from "../../src/ipvs/desired/errors.ts";
import { formatServiceKey } from "../../src/ipvs/desired/service.ts";
import { DEFAULT_SYSCTLS, type SysctlName, type Sysctls } from "../../src/ipvs/desired/sysctls.ts";
import { Director } from "../../src/ipvs/director.ts";
import type { Outcome } from "../../src/ipvs/packets/outcome.ts";
import { type Hook, Packet } from "../../src/ipvs/packets/packet.ts";
import { connectionStatuses, serviceStatus } from "../../src/ipvs/status.ts";
import type { Adopted } from "../../src/ipvs/tracking/adoption.ts";
import type { Address, Family } from "../../src/net/address.ts";
import { fragmentIpv4 } from "../../src/net/fragmentation.ts";
import { Ipv4View } from "../../src/net/ipv4.ts";
import { Ipv6View } from "../../src/net/ipv6.ts";
import { fragmentIpv6 } from "../../src/net/ipv6-fragmentation.ts";
import { bytes } from "../bytes.ts";
import { command, serviceKey } from "./commands.ts";
import { Names } from "./names.ts";
import { describeOutcome } from "./outcome-text.ts";
import { formatEnd, Options, parsePacket } from "./packet-text.ts";
import { INTERFACE, TestHost } from "./test-host.ts";
import { writeTrueChecksums } from "./true-checksums.ts";

/** Bytes before each packet, for tunnels. */
const HEADROOM = 64;

export interface BenchOptions {
  readonly limit?: number;
  /** Asked before the director gets a packet; what it returns is told what became of that. */
  readonly foresee?: (director: Director, packet: Packet, host: TestHost, now: Instant) => Foreseen;
}

/** `outcome` in words, with what the packet was. */
export type Foreseen = (outcome: Outcome, words: (outcome: Outcome) => string) => void;

export class DirectorBench {
  readonly names: Names;
  readonly host: TestHost;
  /** What connections lie in. */
  readonly memory: TableMemory;
  director: Director;
  /** What the last restart brought. */
  adopted: Adopted | undefined;
  readonly #limit: number;
  readonly #foresee: BenchOptions["foresee"];
  readonly #packet = new Packet();
  #state: DesiredState = EMPTY_STATE;
  #now = 0;
  #isBusy = false;
  #directors = 0;

  constructor(family: Family, { limit = 1000, foresee }: BenchOptions = {}) {
    this.#foresee = foresee;
    this.names = new Names(family);
    this.host = new TestHost(this.names);
    this.#limit = limit;
    this.memory = ownMemory(limit);
    this.director = this.#newDirector();
    this.#settle();
  }

  /** What a row gives: nothing for most commands, several lines for listings. */
  play(row: string): readonly string[] {
    if (row.startsWith("+")) return this.#wait(Number(row.slice(1)) * 1000);
    if (row === "busy") return this.#quietly(() => this.#work());
    if (row === "pressed") return this.#quietly(() => this.director.beginBatch(true));
    if (row === "calm") return this.#quietly(() => this.director.beginBatch(false));
    if (row.startsWith("host ")) return this.#quietly(() => this.host.change(row.slice(5)));
    if (row === "restart") return this.#quietly(() => this.#restart(this.#state));
    if (row === "restart without services")
      return this.#quietly(() => this.#restart({ ...EMPTY_STATE, sysctls: this.#state.sysctls }));
    if (row === "sysctl") return [formatSysctls(this.director.sysctls)];
    if (row.startsWith("sysctl ")) return this.#quietly(() => this.#set(row.slice(7)));
    if (row.startsWith("-Lc")) return orNothing(this.#connections());
    if (row === "-L --total") return [formatCounters(this.director.services.total.counters)];
    if (row.startsWith("-L")) return orNothing(this.#services(row.includes("--stats")));
    if (row.startsWith("-Z")) return this.#quietly(() => this.#zero(row));
    if (row.startsWith("-")) return this.#quietly(() => this.#command(row));
    if (row.startsWith("bytes ")) return [this.#arrive(bytes(row.slice(6)), new Options([]))];
    return this.#send(row);
  }

  #quietly(work: () => void): readonly string[] {
    try {
      work();
      return [];
    } catch (error) {
      if (error instanceof LbError) return [error.fault.code];
      throw error;
    }
  }

  #newDirector(): Director {
    const { host, memory } = this;
    const onAdopted = (adopted: Adopted): void => {
      this.adopted = adopted;
    };
    // Another key, as another process has.
    const hashKey = [++this.#directors, 2] as const;
    return new Director({ host, limit: this.#limit, hashKey, memory, onAdopted });
  }

  #restart(state: DesiredState): void {
    this.#state = state;
    this.adopted = undefined;
    this.director = this.#newDirector();
    this.director.apply(state);
    this.director.adopt();
    this.#settle();
  }

  #command(text: string): void {
    this.#state = command(this.#state, text, this.names);
    this.director.apply(this.#state);
    this.#settle();
  }

  #zero(text: string): void {
    const words = text.split(/\s+/);
    const after = (option: string): string | undefined =>
      words.includes(option) ? words[words.indexOf(option) + 1] : undefined;
    this.director.zero(words.length > 1 ? serviceKey(after, this.names) : undefined);
  }

  #set(text: string): void {
    const [name, value] = text.split("=") as [keyof Sysctls, string];
    const { sysctls } = this.#state;
    if (!(name in sysctls)) throw new RangeError(`There is no sysctl ${name}`);
    this.#state = { ...this.#state, sysctls: { ...sysctls, [name]: Number(value) } };
    this.director.apply(this.#state);
  }

  #work(): void {
    this.#isBusy = true;
  }

  /** Lets time pass as an engine would: the director is called when it asks for it. */
  #wait(ms: number): readonly string[] {
    const until = this.#now + ms;
    this.#isBusy = false;
    for (
      let next = this.director.nextDeadline();
      next <= until;
      next = this.director.nextDeadline()
    ) {
      this.#now = Math.max(this.#now, next);
      this.#settle();
    }
    this.#now = until;
    this.#settle();
    return [];
  }

  #settle(): void {
    while (!this.#isBusy && this.director.expire(this.#now as Instant, 16));
  }

  #send(row: string): readonly string[] {
    const options = new Options(row.split(" about ")[0]!.split(/\s+/));
    const whole = parsePacket(row, this.names);
    const limit = options.number("in");
    if (limit === undefined) return [this.#arrive(whole, options)];
    return [
      cut(whole, limit)
        .map((fragment) => this.#arrive(fragment, options, whole))
        .join(", "),
    ];
  }

  #arrive(packet: Uint8Array, options: Options, whole = packet): string {
    const memory = new Uint8Array(HEADROOM + packet.length);
    memory.set(packet, HEADROOM);
    const isPartial = options.has("partial");
    if (isPartial) leaveToCard(memory.subarray(HEADROOM));
    const fault = this.#packet.moveTo(memory, HEADROOM, memory.length, {
      interfaceIndex: INTERFACE.outside,
      isUnicast: !options.has("broadcast"),
      mark: options.number("mark") ?? 0,
      segmentSize: options.number("gso") ?? 0,
      isChecksumPartial: isPartial,
      headroom: HEADROOM,
      hook: (options.text("at") ?? "wire") as Hook,
    });
    const foreseen =
      fault === undefined
        ? this.#foresee?.(this.director, this.#packet, this.host, this.#now as Instant)
        : undefined;
    const outcome =
      fault === undefined
        ? this.director.receive(this.#packet, this.#now as Instant)
        : this.director.malformed();
    foreseen?.(outcome, (each) => describeOutcome(whole, each, "", this.names));
    const connection = fault === undefined ? this.#connectionOf(outcome, whole) : "";
    return describeOutcome(whole, outcome, connection, this.names);
  }

  /** `[SYN_RECV 60 1/0]`: state, seconds left, its destination's active and inactive connections. */
  #connectionOf({ reason }: Outcome, packet: Uint8Array): string {
    const { connections, services } = this.director;
    const now = this.#now as Instant;
    if (reason === "hold-fragment") return "";
    const probe = new Packet();
    const arrival = {
      interfaceIndex: 0,
      isUnicast: true,
      mark: 0,
      segmentSize: 0,
      isChecksumPartial: false,
      headroom: 0,
      hook: "wire" as const,
    };
    if (probe.moveTo(packet, 0, packet.length, arrival) !== undefined || probe.sourcePort === 0)
      return "";
    const found = connections.findReply(probe, now);
    const id = found === NO_CONNECTION ? connections.find(probe, now) : found;
    if (id === NO_CONNECTION) return "";
    const { activeConnections, inactiveConnections } = services.destination(
      connections.table.destinationId(id),
    );
    const seconds = Math.round((connections.table.expiresAt(id) - now) / 1000);
    return `[${connections.progress.stateName(id)} ${seconds} ${activeConnections}/${inactiveConnections}]`;
  }

  #services(withCounters: boolean): readonly string[] {
    const { names } = this;
    return [...this.director.services.services()].flatMap((each) => {
      const { plan, destinations, counters } = serviceStatus(each);
      const key =
        plan.key.kind === "mark"
          ? formatServiceKey(plan.key)
          : `${plan.key.protocol.toUpperCase()} ${formatEnd(plan.key.endpoint.address, plan.key.endpoint.port, names)}`;
      const rows = destinations.map((destination) => {
        const { endpoint, forwarding, weight } = destination.plan;
        const at = formatEnd(endpoint.address, endpoint.port, names);
        if (withCounters) return `-> ${at} ${formatCounters(destination.counters)}`;
        const { activeConnections, inactiveConnections, persistentConnections } = destination;
        return `-> ${at} ${forwarding.kind} ${weight} ${activeConnections} ${inactiveConnections} ${persistentConnections}`;
      });
      return [
        withCounters ? `${key} ${formatCounters(counters)}` : `${key} ${plan.scheduler}`,
        ...rows,
      ];
    });
  }

  #connections(): readonly string[] {
    const now = this.#now as Instant;
    const { statuses } = connectionStatuses(this.director.connections, now, NO_CONNECTION, 1000);
    const end = ({ address, port }: { address: Address; port: number }): string =>
      formatEnd(address, port, this.names);
    return statuses
      .map(
        ({ protocol, expiresInMs, state, client, virtual, destination, persistenceEngine }) =>
          `${protocol} ${Math.round(expiresInMs / 1000)} ${state} ${end(client)} ${end(virtual)} ${end(destination)}${persistenceEngine === undefined ? "" : ` ${persistenceEngine.name} ${persistenceEngine.data}`}`,
      )
      .toSorted();
  }
}

function orNothing(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ["nothing"] : lines;
}

function formatSysctls(sysctls: Sysctls): string {
  return Object.entries(sysctls)
    .filter(([name, value]) => value !== DEFAULT_SYSCTLS[name as SysctlName])
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

function formatCounters({
  connections,
  inPackets,
  inBytes,
  outPackets,
  outBytes,
}: {
  readonly connections: number;
  readonly inPackets: number;
  readonly inBytes: number;
  readonly outPackets: number;
  readonly outBytes: number;
}): string {
  return `${connections} in ${inPackets}/${inBytes} out ${outPackets}/${outBytes}`;
}

/** The packet's fragments, each of `limit` bytes at most. */
function cut(packet: Uint8Array, limit: number): Uint8Array[] {
  const fragments =
    packet[0]! >>> 4 === 4
      ? fragmentIpv4(Ipv4View.over(packet) as Ipv4View, limit)
      : fragmentIpv6(Ipv6View.over(packet) as Ipv6View, limit, 1);
  if (typeof fragments === "string") throw new RangeError(`Cannot fragment: ${fragments}`);
  return fragments;
}

/** Leaves the transport checksum as a sender does whose card shall finish it: the pseudo-header's sum. */
function leaveToCard(packet: Uint8Array): void {
  const isInet = packet[0]! >>> 4 === 4;
  const protocol = packet[isInet ? 9 : 6]!;
  const start = isInet ? 20 : 40;
  const field = start + (protocol === 6 ? 16 : 6);
  // The checksum of the bare pseudo-header is that of the packet with an empty body but for its length.
  const bare = packet.slice();
  bare.fill(0, start);
  bare[field + 1] = 1;
  writeTrueChecksums(bare);
  packet[field] = ~bare[field]!;
  packet[field + 1] = ~bare[field + 1]!;
}
