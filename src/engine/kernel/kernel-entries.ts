/**
 * The programs' table of connections, entry by entry. Whatever changes an entry is done by a program of its own (control.h), so
 * that packets and the daemon never change one at once.
 */
import type { Instant } from "../../base/clock.ts";
import { type ConnectionTable, NO_CONNECTION } from "../../ipvs/connections/connection-table.ts";
import type { Flow } from "../../ipvs/connections/flow.ts";
import type { OffloadedConnection } from "../../ipvs/offload.ts";
import type { Destination } from "../../ipvs/services/destination.ts";
import {
  changeConnection,
  clientKey,
  connection,
  flowKey,
  reply,
  tally,
  template,
  way,
} from "./abi.ts";
import { tellAnswering } from "./answering-servers.ts";
import { writeWay } from "./destination-ways.ts";
import type { KernelMaps } from "./kernel-maps.ts";
import { deleteElement, elementsOf, lookUpElement, Question, updateElement } from "./libbpf.ts";

const NANOSECONDS = 1e6;

/** Of the lower half of a connection's word: FLAG_… and …_SHIFT in bpf/abi/. */
const DIRECTORS = 0x8000;
const BUSY = 0x400;
const CONTROLLED = 0x200;
/** WORD_ANSWERED there. */
const ANSWERED = 0x400000;
const FLAGS_MASK = 0xffff & ~(DIRECTORS | BUSY | CONTROLLED);
const STATE_SHIFT = 16;
const VERSION_SHIFT = 24;
const STATE_MASK = 0xf;
const EPOCH_AT = 4;

const CHANGED = changeConnection.connection;

/** What the director knows of an entry. */
export interface Entry {
  readonly epoch: number;
  readonly version: number;
  readonly isDirectors: boolean;
}

/** Where the packets of an entry come by. */
export interface Admission {
  readonly generation: number;
  readonly arrival: number;
}

/** How replies get to a client. */
export interface ReplyWay {
  readonly generation: number;
  readonly arrival: number;
  readonly departure: number;
  readonly mtu: number;
  readonly linkAddresses: Uint8Array;
}

/** An entry, by its flow, which lies in `view`. */
export interface ListedEntry {
  readonly view: DataView;
  readonly at: number;
  readonly entry: EntryView;
}

/** A connection as the programs have it: where it lies, read when asked. */
export class EntryView {
  epoch = 0;
  version = 0;
  slot = 0;
  destinationPort = 0;
  state = 0;
  flags = 0;
  isDirectors = false;
  packets = 0;
  timeoutMs = 0;
  isControlled = false;
  isAnswered = false;
  seen = 0 as Instant;

  read(view: DataView, at: number): this {
    const word = view.getUint32(at + connection.word, true);
    this.epoch = view.getUint32(at + connection.word + EPOCH_AT, true);
    this.version = word >>> VERSION_SHIFT;
    this.slot = view.getUint32(at + connection.destination, true);
    this.destinationPort = view.getUint16(at + connection.port);
    this.state = (word >>> STATE_SHIFT) & STATE_MASK;
    this.flags = word & FLAGS_MASK;
    this.isDirectors = (word & DIRECTORS) !== 0;
    this.isControlled = (word & CONTROLLED) !== 0;
    this.isAnswered = (word & ANSWERED) !== 0;
    this.packets = view.getUint32(at + connection.packets, true);
    this.timeoutMs = view.getUint32(at + connection.timeout, true);
    this.seen = (Number(view.getBigUint64(at + connection.seen, true)) / NANOSECONDS) as Instant;
    return this;
  }

  with(destination: Destination): OffloadedConnection {
    return Object.assign(this, { destination });
  }
}

export class KernelEntries implements Disposable {
  readonly #maps: KernelMaps;
  readonly #change = new Question(changeConnection.size);
  readonly #key = new Uint8Array(flowKey.size);
  readonly #keyView = new DataView(this.#key.buffer);
  readonly #reply = new Uint8Array(reply.size);
  readonly #replyView = new DataView(this.#reply.buffer);
  readonly #template = new Uint8Array(template.size);
  readonly #templateView = new DataView(this.#template.buffer);
  readonly #client = new Uint8Array(clientKey.size);
  readonly #clientView = new DataView(this.#client.buffer);
  readonly #read = new EntryView();
  /** The last call came to nothing, for the kernel did not run what it takes: nobody knows what there is. */
  wasRefused = false;

  constructor(maps: KernelMaps) {
    this.#maps = maps;
  }

  [Symbol.dispose](): void {
    this.#change[Symbol.dispose]();
  }

  /** The connection's entry; undefined when there is none. Good until the next call. */
  look(connections: ConnectionTable, id: number): EntryView | undefined {
    fillKey(this.#change.view, changeConnection.flow, connections, id);
    return this.#ask("look_at_connection");
  }

  /**
   * All connections with their flows, record by record; undefined: that one is free, or was not read (wasRefused) and is the
   * next once more. What comes or goes meanwhile may be missed. Each is good until the next.
   */
  *all(): Generator<ListedEntry | undefined> {
    const { view, bytes } = this.#change;
    const count = this.#maps.tally.view.getUint32(tally.records, true);
    // Whoever is told of one may ask about others before he is done with it.
    const told = new Uint8Array(flowKey.size);
    const toldView = new DataView(told.buffer);
    const entry = new EntryView();
    for (let number = 0; number < count; number++) {
      view.setUint32(changeConnection.number, number, true);
      if (this.#ask("read_record") === undefined) {
        if (this.wasRefused) number--;
        yield undefined;
        continue;
      }
      told.set(bytes.subarray(changeConnection.flow, changeConnection.flow + flowKey.size));
      yield { view: toldView, at: 0, entry: entry.read(view, CHANGED) };
    }
  }

  /** Whether the connection of this flow is still that of this epoch; also when nobody knows. */
  has(view: DataView, at: number, epoch: number): boolean {
    const flow = new Uint8Array(view.buffer, view.byteOffset + at, flowKey.size);
    this.#change.bytes.set(flow, changeConnection.flow);
    const entry = this.#ask("look_at_connection");
    return this.wasRefused || entry?.epoch === epoch;
  }

  /** The director's from now on. As look(). */
  take(connections: ConnectionTable, id: number): EntryView | undefined {
    fillKey(this.#change.view, changeConnection.flow, connections, id);
    return this.#ask("take_connection");
  }

  /** Puts a connection into the table, or what the director has made of it. Whether it is there then. */
  give(
    connections: ConnectionTable,
    id: number,
    slot: number,
    { epoch, version, isDirectors }: Entry,
    admission: Admission | undefined,
  ): boolean {
    const { view } = this.#change;
    fillKey(view, changeConnection.flow, connections, id);
    const timeoutMs = connections.timeoutMs(id);
    const seen = Math.max(0, connections.expiresAt(id) - timeoutMs);
    view.setBigUint64(CHANGED + connection.seen, BigInt(Math.round(seen * NANOSECONDS)), true);
    const owner = isDirectors ? DIRECTORS : 0;
    const control = connections.control(id) === NO_CONNECTION ? 0 : CONTROLLED;
    const flags = (connections.flags(id) & FLAGS_MASK) | owner | control;
    const word = flags | (connections.state(id) << STATE_SHIFT) | (version << VERSION_SHIFT);
    view.setUint32(CHANGED + connection.word, word, true);
    view.setUint32(CHANGED + connection.word + EPOCH_AT, epoch, true);
    view.setUint32(CHANGED + connection.packets, connections.inPackets(id), true);
    view.setUint32(CHANGED + connection.timeout, timeoutMs, true);
    view.setUint32(CHANGED + connection.destination, slot, true);
    view.setUint32(CHANGED + connection.generation, admission?.generation ?? 0, true);
    view.setUint32(CHANGED + connection.arrival, admission?.arrival ?? 0, true);
    view.setUint16(CHANGED + connection.port, connections.destinationPort(id));
    view.setUint32(changeConnection.keeps, admission === undefined ? 1 : 0, true);
    return this.#ask("give_connection") !== undefined;
  }

  /** Takes a connection of this epoch out. As look(), of what it was. */
  forget(connections: ConnectionTable, id: number, epoch: number): EntryView | undefined {
    fillKey(this.#change.view, changeConnection.flow, connections, id);
    return this.#forget(epoch);
  }

  /** As forget(), of one that the director has no place for. */
  forgetFlow(flow: Uint8Array, epoch: number): EntryView | undefined {
    this.#change.bytes.set(flow, changeConnection.flow);
    return this.#forget(epoch);
  }

  /** From now on replies of a masqueraded connection go to its client by this way, and those of the client's next ones. */
  setReply(connections: ConnectionTable, id: number, to: ReplyWay): void {
    const view = this.#replyView;
    this.#reply.fill(0);
    writeWay(this.#reply, view, reply.way, to.departure, to.mtu, to.linkAddresses);
    view.setUint32(reply.way + way.generation, to.generation, true);
    view.setUint32(reply.generation, to.generation, true);
    view.setUint32(reply.arrival, to.arrival, true);
    for (let index = 0; index < 4; index++) {
      view.setInt32(reply.address + 4 * index, connections.virtual(id, index));
      this.#clientView.setInt32(clientKey.service + 4 * index, connections.virtual(id, index));
      this.#clientView.setInt32(clientKey.client + 4 * index, connections.client(id, index));
    }
    view.setUint16(reply.port, connections.virtualPort(id));
    fillReplyKey(this.#keyView, connections, id);
    const words = [0, 4, 8, 12].map((word) => this.#keyView.getInt32(flowKey.source + word));
    tellAnswering(
      this.#maps.settings,
      words.reduce((fold, word) => fold ^ word),
    );
    updateElement(this.#maps.replies, this.#key, this.#reply);
    const told = this.#reply.subarray(reply.way, reply.way + way.size);
    updateElement(this.#maps.clientWays, this.#client, told);
  }

  removeReply(connections: ConnectionTable, id: number): void {
    fillReplyKey(this.#keyView, connections, id);
    deleteElement(this.#maps.replies, this.#key);
  }

  /** Where new connections of the template's client go. */
  setTemplate(connections: ConnectionTable, id: number, slot: number): void {
    fillKey(this.#keyView, 0, connections, id);
    this.#templateView.setUint32(template.destination, slot, true);
    this.#templateView.setUint32(template.id, id + 1, true);
    updateElement(this.#maps.templates, this.#key, this.#template);
  }

  /** Those that the director has no record of lead nobody any more. */
  pruneTemplates(connections: ConnectionTable): void {
    const stale: Uint8Array[] = [];
    for (const { key, value } of elementsOf(this.#maps.templates, flowKey.size, template.size)) {
      const view = new DataView(value.buffer, value.byteOffset, value.length);
      const id = view.getUint32(template.id, true) - 1;
      if (connections.has(id)) {
        fillKey(this.#keyView, 0, connections, id);
        if (Buffer.compare(this.#key, key) === 0) continue;
      }
      stale.push(key.slice());
    }
    for (const key of stale) deleteElement(this.#maps.templates, key);
  }

  /** The programs may have another one of the same client by now. */
  removeTemplate(connections: ConnectionTable, id: number): void {
    fillKey(this.#keyView, 0, connections, id);
    if (lookUpElement(this.#maps.templates, this.#key, this.#template) < 0) return;
    if (this.#templateView.getUint32(template.id, true) !== id + 1) return;
    deleteElement(this.#maps.templates, this.#key);
  }

  #forget(epoch: number): EntryView | undefined {
    this.#change.view.setUint32(CHANGED + connection.word + EPOCH_AT, epoch, true);
    return this.#ask("forget_connection");
  }

  #ask(program: Parameters<KernelMaps["ask"]>[1]): EntryView | undefined {
    const { view } = this.#change;
    const answer = this.#maps.ask(this.#change, program);
    this.wasRefused = answer === "refused";
    if (answer !== true) return undefined;
    if (view.getInt32(changeConnection.found, true) === 0) return undefined;
    return this.#read.read(view, CHANGED);
  }
}

/** Reads a flow as it is in the programs' keys. */
export function readFlow(flow: Flow, view: DataView, at: number): Flow {
  flow.family = view.getUint8(at + flowKey.family) === 4 ? 4 : 6;
  flow.protocol = view.getUint8(at + flowKey.protocol);
  flow.client0 = view.getInt32(at + flowKey.source);
  flow.client1 = view.getInt32(at + flowKey.source + 4);
  flow.client2 = view.getInt32(at + flowKey.source + 8);
  flow.client3 = view.getInt32(at + flowKey.source + 12);
  flow.clientPort = view.getUint16(at + flowKey.sourcePort);
  flow.virtual0 = view.getInt32(at + flowKey.destination);
  flow.virtual1 = view.getInt32(at + flowKey.destination + 4);
  flow.virtual2 = view.getInt32(at + flowKey.destination + 8);
  flow.virtual3 = view.getInt32(at + flowKey.destination + 12);
  flow.virtualPort = view.getUint16(at + flowKey.destinationPort);
  flow.dataLength = 0;
  return flow;
}

/** Of a connection, what its server's packets would be as a client's. */
export function readReplyFlow(flow: Flow, connections: ConnectionTable, id: number): Flow {
  flow.family = connections.family(id);
  flow.protocol = connections.protocol(id);
  flow.client0 = connections.destination(id, 0);
  flow.client1 = connections.destination(id, 1);
  flow.client2 = connections.destination(id, 2);
  flow.client3 = connections.destination(id, 3);
  flow.clientPort = connections.destinationPort(id);
  flow.virtual0 = connections.client(id, 0);
  flow.virtual1 = connections.client(id, 1);
  flow.virtual2 = connections.client(id, 2);
  flow.virtual3 = connections.client(id, 3);
  flow.virtualPort = connections.clientPort(id);
  flow.dataLength = 0;
  return flow;
}

/** The flow of a connection, as it is in the programs' keys. */
export function flowBytes(connections: ConnectionTable, id: number): Uint8Array {
  const bytes = new Uint8Array(flowKey.size);
  fillKey(new DataView(bytes.buffer), 0, connections, id);
  return bytes;
}

/** The flow as the client's packets have it on the wire. */
function fillKey(view: DataView, at: number, connections: ConnectionTable, id: number): void {
  for (let index = 0; index < 4; index++) {
    view.setInt32(at + flowKey.source + 4 * index, connections.client(id, index));
    view.setInt32(at + flowKey.destination + 4 * index, connections.virtual(id, index));
  }
  view.setUint16(at + flowKey.sourcePort, connections.clientPort(id));
  view.setUint16(at + flowKey.destinationPort, connections.virtualPort(id));
  view.setUint8(at + flowKey.protocol, connections.protocol(id));
  view.setUint8(at + flowKey.family, connections.family(id));
}

/** The flow as the server's packets have it. */
function fillReplyKey(view: DataView, connections: ConnectionTable, id: number): void {
  for (let index = 0; index < 4; index++) {
    view.setInt32(flowKey.source + 4 * index, connections.destination(id, index));
    view.setInt32(flowKey.destination + 4 * index, connections.client(id, index));
  }
  view.setUint16(flowKey.sourcePort, connections.destinationPort(id));
  view.setUint16(flowKey.destinationPort, connections.clientPort(id));
  view.setUint8(flowKey.protocol, connections.protocol(id));
  view.setUint8(flowKey.family, connections.family(id));
}
