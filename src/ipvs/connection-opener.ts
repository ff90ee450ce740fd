/**
 * New connections: whether and where they go.
 *
 * tcp_conn_schedule() and its kin, ip_vs_schedule(), ip_vs_sched_persist() and ip_vs_leave() in the kernel.
 */
import type { Instant } from "../base/clock.ts";
import { FTP_DATA_PORT, FTP_PORT } from "../net/port.ts";
import { NO_CONNECTION } from "./connections/connection-table.ts";
import { Flow } from "./connections/flow.ts";
import type { Endpoint, Persistence } from "./desired/service.ts";
import type { DirectorParts } from "./director-parts.ts";
import { AnsweredOpening, type Opening } from "./packets/opening.ts";
import type { OutcomeSlot } from "./packets/outcome.ts";
import type { Packet } from "./packets/packet.ts";
import { isEmpty, mayOpen } from "./packets/packet-event.ts";
import type { Request } from "./schedulers/scheduler.ts";
import type { Destination } from "./services/destination.ts";
import type { VirtualService } from "./services/virtual-service.ts";
import { answeredFlow } from "./tracking/ends-of.ts";
import { isUsable, Templates } from "./tracking/persistence.ts";

/** The request that schedulers get, filled anew for each new connection. */
class SchedulingRequest implements Request {
  clientFold = 0;
  clientPort = 0;
  destinationFold = 0;
  now = 0;
  #opening: Opening | undefined;
  #isQuoted = false;

  /** Of a quoted packet, which is an answer, the kernel's dh, lblc and lblcr take the destination as it stands there. */
  fill(opening: Opening, isQuoted: boolean, now: Instant): this {
    this.#opening = opening;
    this.#isQuoted = isQuoted;
    this.clientFold = opening.source0 ^ opening.source1 ^ opening.source2 ^ opening.source3;
    this.clientPort = opening.sourcePort;
    this.destinationFold = isQuoted
      ? this.clientFold
      : opening.destination0 ^ opening.destination1 ^ opening.destination2 ^ opening.destination3;
    this.now = now;
    return this;
  }

  get destinationText(): string {
    const { source, destination } = this.#opening!;
    return (this.#isQuoted ? source : destination).toString();
  }
}

export class ConnectionOpener {
  readonly #parts: DirectorParts;
  readonly #templates: Templates;
  readonly #request = new SchedulingRequest();
  readonly #called = new AnsweredOpening();
  readonly #calling = new Flow();

  constructor(parts: DirectorParts) {
    this.#parts = parts;
    this.#templates = new Templates(parts.tracker.table);
  }

  /** The id of the connection that a packet opens, or the outcome when there is none. */
  open(packet: Packet, outcome: OutcomeSlot, now: Instant): number | OutcomeSlot {
    const { services, host, sysctls } = this.#parts;
    if (isEmpty(packet) && (packet.hook !== "wire" || host.isLocal(packet.destination))) {
      return outcome.drop("drop-malformed");
    }
    const service = services.find(packet);
    if (service === undefined) return outcome.pass("pass-no-service");
    if (!mayOpen(packet, sysctls())) return outcome.pass("pass-not-first");
    if (!services.isOwn(packet, service, host)) return outcome.pass("pass-not-local");
    return this.#schedule(packet, packet, service, outcome, now);
  }

  /** The id of the connection that an ICMP error opens by what it quotes, or the outcome when there is none. */
  openQuoted(
    quoted: Opening,
    error: Packet,
    outcome: OutcomeSlot,
    now: Instant,
  ): number | OutcomeSlot {
    const service = this.#parts.services.find(quoted);
    if (service === undefined) return outcome.pass("pass-icmp-unrelated");
    return this.#schedule(quoted, error, service, outcome, now);
  }

  /**
   * The id of the connection that a real server's own datagram begins, as if its receiver had called the service; or
   * NO_CONNECTION: ip_vs_new_conn_out().
   */
  openFromServer(packet: Packet, server: Destination, now: Instant): number {
    const { key, plan } = server.service;
    if (key.kind !== "endpoint") return NO_CONNECTION;
    const opening = this.#called.fill(callingFlow(this.#calling, packet, key.endpoint), 0);
    let template = NO_CONNECTION;
    if (plan.persistence !== undefined) {
      template = this.#templateTo(server, opening, packet, plan.persistence, now);
      if (template === NO_CONNECTION) return NO_CONNECTION;
    }
    const { onePacket } = plan;
    return this.#openThrough(template, opening, server, packet.sourcePort, onePacket, now);
  }

  /** The call's template if it leads to `server`, else a new one. */
  #templateTo(
    server: Destination,
    opening: Opening,
    packet: Packet,
    persistence: Persistence,
    now: Instant,
  ): number {
    const { sysctls, tracker } = this.#parts;
    const { table } = tracker;
    const { service } = server;
    if (!this.#templates.identify(opening, packet, service)) return NO_CONNECTION;
    const found = this.#templates.find(opening, service, persistence, now);
    if (found !== NO_CONNECTION) {
      const isSame = table.destinationId(found) === server.id;
      if (isSame && isUsable(server, sysctls().expire_quiescent_template !== 0)) {
        tracker.room.hold(found);
        return found;
      }
      tracker.invalidateTemplate(found);
    }
    return this.#addTemplate(opening, server, persistence, now);
  }

  /** A new template, held until it controls its first connection or is released; or NO_CONNECTION. */
  #addTemplate(
    opening: Opening,
    destination: Destination,
    persistence: Persistence,
    now: Instant,
  ): number {
    const { tracker } = this.#parts;
    const { service } = destination;
    if (!tracker.room.makeFor(service)) return NO_CONNECTION;
    const added = this.#templates.add(opening, service, persistence, destination, now);
    if (added !== NO_CONNECTION) tracker.enter(added, destination);
    return added;
  }

  /** `packet` is what came: `opening` itself, or the error that quotes it. */
  #schedule(
    opening: Opening,
    packet: Packet,
    service: VirtualService,
    outcome: OutcomeSlot,
    now: Instant,
  ): number | OutcomeSlot {
    const { defence } = this.#parts;
    if (defence.sheds(opening, service.holding, now)) return outcome.drop("drop-overload");
    if (defence.dropsPacket()) return outcome.drop("drop-defence");
    if (opening.sourcePort === FTP_DATA_PORT) return outcome.pass("pass-source-port-20");
    if (service.plan.persistence !== undefined) {
      return this.#schedulePersistent(opening, packet, service, outcome, now);
    }
    if (service.mark === 0 && opening.destinationPort !== service.port) {
      return this.#leave(opening, packet, service, outcome, now);
    }
    const destination = this.#pick(opening, packet, service, now);
    if (destination === undefined) return this.#leave(opening, packet, service, outcome, now);
    const port = destination.port || opening.destinationPort;
    const { onePacket } = service.plan;
    const id = this.#openThrough(NO_CONNECTION, opening, destination, port, onePacket, now);
    return id === NO_CONNECTION ? outcome.drop(this.#parts.tracker.room.refusal) : id;
  }

  #schedulePersistent(
    opening: Opening,
    packet: Packet,
    service: VirtualService,
    outcome: OutcomeSlot,
    now: Instant,
  ): number | OutcomeSlot {
    const { tracker, services } = this.#parts;
    const { table } = tracker;
    const persistence = service.plan.persistence!;
    if (!this.#templates.identify(opening, packet, service)) return outcome.drop("drop-no-call-id");
    let template = this.#templates.find(opening, service, persistence, now);
    let destination: Destination | undefined;
    if (template !== NO_CONNECTION) {
      destination = services.destination(table.destinationId(template));
      if (!isUsable(destination, this.#parts.sysctls().expire_quiescent_template !== 0)) {
        tracker.invalidateTemplate(template);
        template = NO_CONNECTION;
      }
    }
    if (template === NO_CONNECTION) {
      destination = this.#pick(opening, packet, service, now);
      if (destination === undefined) return this.#leave(opening, packet, service, outcome, now);
      template = this.#addTemplate(opening, destination, persistence, now);
      if (template === NO_CONNECTION) return outcome.drop(tracker.room.refusal);
    }
    tracker.room.hold(template);
    const target = destination!;
    const isServicePort = opening.destinationPort === service.port;
    const port = isServicePort && target.port !== 0 ? target.port : opening.destinationPort;
    const { onePacket } = service.plan;
    const id = this.#openThrough(template, opening, target, port, onePacket, now);
    if (id === NO_CONNECTION) return outcome.drop(tracker.room.refusal);
    tracker.renew(template, now);
    return id;
  }

  /** A connection that `template` controls, if that is one; or NO_CONNECTION, and the template is released. */
  #openThrough(
    template: number,
    opening: Opening,
    destination: Destination,
    port: number,
    onePacket: boolean,
    now: Instant,
  ): number {
    const { tracker, services } = this.#parts;
    const id = tracker.open(opening, destination, port, onePacket, now);
    if (id === NO_CONNECTION) {
      if (template !== NO_CONNECTION) tracker.room.release(template);
      return id;
    }
    services.countConnection(destination);
    this.#parts.stand.witness?.opened(id);
    if (template !== NO_CONNECTION) tracker.setControl(id, template);
    return id;
  }

  #pick(
    opening: Opening,
    packet: Packet,
    service: VirtualService,
    now: Instant,
  ): Destination | undefined {
    const request = this.#request.fill(opening, opening !== packet, now);
    const chosen = service.scheduler.pick(request, service.destinations);
    this.#parts.stand.witness?.picked(service, chosen);
    return chosen;
  }

  /** No destination may take it: ip_vs_leave(). */
  #leave(
    opening: Opening,
    packet: Packet,
    service: VirtualService,
    outcome: OutcomeSlot,
    now: Instant,
  ): number | OutcomeSlot {
    if (service.mark !== 0 && opening === packet && this.#isToBypass(packet)) {
      const { tracker, services } = this.#parts;
      const { onePacket } = service.plan;
      const id = tracker.open(packet, services.bypass[packet.family], 0, onePacket, now);
      if (id === NO_CONNECTION) return outcome.drop(tracker.room.refusal);
      this.#parts.stand.witness?.opened(id);
      return id;
    }
    if (service.port === FTP_PORT && opening.destinationPort !== FTP_PORT) {
      return outcome.pass("pass-ftp-other-port");
    }
    if (opening !== packet) return outcome.drop("drop-no-destination");
    const trouble = { kind: "port-unreachable" } as const;
    return this.#parts.refusals.refuse(packet, outcome, "drop-no-destination", trouble);
  }

  /** ip_vs_addr_is_unicast(): in IPv4 one of the host's own addresses is none. */
  #isToBypass({ family, destination }: Packet): boolean {
    const { host, sysctls } = this.#parts;
    if (sysctls().cache_bypass === 0 || !destination.isUnicast) return false;
    return family === 6 || !host.isLocal(destination);
  }
}

/** The flow in which a server's packet would be the service's answer. */
function callingFlow(flow: Flow, packet: Packet, { address, port }: Endpoint): Flow {
  answeredFlow(flow, packet);
  flow.virtual0 = address.w0;
  flow.virtual1 = address.w1;
  flow.virtual2 = address.w2;
  flow.virtual3 = address.w3;
  flow.virtualPort = port;
  return flow;
}
