/**
 * What an earlier process left in the table's memory: connections and templates that nobody finds and no timer knows,
 * until each is adopted as it is or given up. tracking/adoption.ts decides which.
 */
import type { Instant } from "../../base/clock.ts";
import { FIELD, INVALID_PORT, readEnds } from "./connection-record.ts";
import type { ConnectionTable } from "./connection-table.ts";
import { Binding, CONNECTION_FLAG, Flow } from "./flow.ts";
import type { FlowLookup } from "./flow-lookup.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { PersistenceData } from "./persistence-data.ts";
import type { RecordStore } from "./record-store.ts";

const NONE = -1;

interface Parts {
  readonly table: ConnectionTable;
  readonly records: RecordStore;
  readonly data: PersistenceData;
  readonly lookup: FlowLookup;
  readonly lifetimes: Lifetimes;
}

export class InheritedConnections {
  readonly #parts: Parts;
  /** Reused for what is adopted. */
  readonly #flow = new Flow();
  readonly #binding = new Binding();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The next one that was neither adopted nor given up, or -1; start with -1. */
  next(after: number): number {
    return this.#parts.records.nextInherited(after);
  }

  /** Whether its record is whole: the process may have ended while it wrote it, or took it out. */
  isWhole(id: number): boolean {
    return this.#parts.records.isCommitted(id);
  }

  /** Whether its record says that it is whole. */
  isMarked(id: number): boolean {
    return this.#parts.records.get(id, FIELD.commit) !== 0;
  }

  /**
   * Enters a connection or template as it is, with `destinationId` as its destination, and control if that is an adopted
   * template. False, and it is given up, when its data are not there.
   */
  adopt(id: number, destinationId: number, now: Instant): boolean {
    const { table, records, data, lifetimes } = this.#parts;
    if (table.hasData(id) && !data.claim(records.get(id, FIELD.data))) {
      this.giveUp(id);
      return false;
    }
    records.takeOver(id);
    table.setDestinationId(id, destinationId);
    records.set(id, FIELD.controlled, 0);
    const control = table.control(id);
    records.set(id, FIELD.control, NONE);
    const isControl = table.has(control) && (table.flags(control) & CONNECTION_FLAG.template) > 0;
    if (isControl) table.setControl(id, control);
    lifetimes.goOn(id, now);
    if (!this.#isInvalid(id)) this.#enter(id);
    return true;
  }

  /** Forgets it. */
  giveUp(id: number): void {
    this.#parts.records.giveUp(id);
  }

  /** To be called once when all templates were adopted or given up. */
  templatesAdopted(): void {
    this.#parts.data.settle();
  }

  /** A template that invalidateTemplate() has made unfindable. */
  #isInvalid(id: number): boolean {
    const { table, records } = this.#parts;
    const isTemplate = (table.flags(id) & CONNECTION_FLAG.template) !== 0;
    return isTemplate && records.get(id, FIELD.ports) === INVALID_PORT;
  }

  /** Lookups find it again. */
  #enter(id: number): void {
    const { table, records, data, lookup } = this.#parts;
    const flow = this.#flow;
    const binding = this.#binding;
    readEnds(records.words, records.offset(id), flow, binding);
    if (table.hasData(id)) data.read(records.get(id, FIELD.data), flow);
    lookup.enter(id, flow, binding);
  }
}
