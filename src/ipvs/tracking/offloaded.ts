/** Keeps in the table what an offload opens and moves on by itself: offload.ts. */
import type { Instant } from "../../base/clock.ts";
import { type ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";
import { Binding, CONNECTION_FLAG, type Flow } from "../connections/flow.ts";
import type { OffloadedConnection, OffloadListener } from "../offload.ts";
import { AnsweredOpening } from "../packets/opening.ts";
import type { Destination } from "../services/destination.ts";
import type { OrphanedServer } from "../services/orphan.ts";
import { bindTo } from "./ends-of.ts";
import { Templates } from "./persistence.ts";
import type { Tracker } from "./tracker.ts";

type Keeper = Pick<
  Tracker,
  "table" | "room" | "progress" | "expectReplies" | "enter" | "setControl" | "renew"
>;

export class Offloaded implements OffloadListener {
  readonly table: ConnectionTable;
  readonly destinationOf: (id: number) => Destination;
  readonly #tracker: Keeper;
  readonly #forget: (id: number) => void;
  readonly #orphan: (server: OrphanedServer) => Destination;
  readonly #templates: Templates;
  readonly #binding = new Binding();
  readonly #opening = new AnsweredOpening();

  /** `forget`: takes a connection out, whatever hangs on it. `orphan`: what stands for a server that is not configured. */
  constructor(
    tracker: Keeper,
    destinationOf: (id: number) => Destination,
    forget: (id: number) => void,
    orphan: (server: OrphanedServer) => Destination,
  ) {
    this.#orphan = orphan;
    this.#tracker = tracker;
    this.table = tracker.table;
    this.destinationOf = destinationOf;
    this.#forget = forget;
    this.#templates = new Templates(tracker.table);
  }

  orphan(server: OrphanedServer): Destination {
    return this.#orphan(server);
  }

  known(flow: Flow): number {
    return this.table.findByClient(flow, Number.NEGATIVE_INFINITY as Instant);
  }

  opened(flow: Flow, connection: OffloadedConnection): number {
    const { destination, destinationPort, flags, seen, timeoutMs } = connection;
    const { room, progress } = this.#tracker;
    const { service } = destination;
    const binding = bindTo(this.#binding, destination, destinationPort, service.mark);
    binding.flags = flags;
    const template = connection.isControlled
      ? this.#templateOf(flow, destination, seen)
      : NO_CONNECTION;
    const id = room.makeFor(service)
      ? this.table.add(flow, binding, seen, timeoutMs)
      : NO_CONNECTION;
    if (id === NO_CONNECTION) {
      if (template !== NO_CONNECTION) room.release(template);
      return id;
    }
    room.enter(id, service.holding);
    this.#tracker.expectReplies(id);
    if (template !== NO_CONNECTION) {
      this.#tracker.setControl(id, template);
      this.#tracker.renew(template, seen);
    }
    progress.follow(id, connection);
    return id;
  }

  led(flow: Flow, { destination, packets, seen }: OffloadedConnection): void {
    const { room, table } = this.#tracker;
    const template = this.#templateOf(flow, destination, seen);
    if (template === NO_CONNECTION) return;
    table.setInPackets(template, table.inPackets(template) + packets);
    this.#tracker.renew(template, seen);
    room.release(template);
  }

  moved(id: number, connection: OffloadedConnection): void {
    this.#tracker.progress.follow(id, connection);
  }

  replaced(id: number): void {
    this.#forget(id);
  }

  *connections(): Generator<number> {
    const { table } = this;
    for (let id = table.nextId(NO_CONNECTION); id !== NO_CONNECTION; id = table.nextId(id)) {
      if ((table.flags(id) & CONNECTION_FLAG.template) === 0) yield id;
    }
  }

  /**
   * The template that led a connection, held until that hangs on it: the client's, or a new one, for the first of its
   * connections makes it. NO_CONNECTION when there is none by now, or it leads elsewhere.
   */
  #templateOf(flow: Flow, destination: Destination, now: Instant): number {
    const { room } = this.#tracker;
    const { service } = destination;
    const { persistence } = service.plan;
    if (persistence === undefined) return NO_CONNECTION;
    const opening = this.#opening.fill(flow, service.mark);
    const found = this.#templates.find(opening, service, persistence, now);
    if (found !== NO_CONNECTION) {
      if (this.table.destinationId(found) !== destination.id) return NO_CONNECTION;
      room.hold(found);
      return found;
    }
    if (!room.makeFor(service)) return NO_CONNECTION;
    const added = this.#templates.add(opening, service, persistence, destination, now);
    if (added !== NO_CONNECTION) this.#tracker.enter(added, destination);
    return added;
  }
}
