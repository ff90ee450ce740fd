/**
 * Carries what an earlier version's programs know over to maps that are laid out otherwise, or for another number of connections:
 * servers with their counts, and connections. They are read as that version laid them out, which its pins note.
 */
import { Memory } from "../host/system/libc.ts";
import * as abi from "./abi.ts";
import { mapInformation } from "./bpf-call.ts";
import { type BpfParts, Question } from "./libbpf.ts";
import { FieldCopy, type Shape, type Shapes } from "./shapes.ts";

const { changeConnection, connection, destination, settings, tally } = abi;

/** Of a connection's word: FLAG_INACTIVE in bpf/abi/. */
const INACTIVE = 0x100;
const NEVER = (1n << 63n) - 1n;
/** What a version's own programs draw, count or find out themselves. */
// biome-ignore format: a list
const OWN_SETTINGS = new Set([
  "indexShift", "indexMask", "multiplier", "secret", "halfOpenMax", "attendedUntil",
]);
const OWN_TALLY = new Set(["records", "halfOpen"]);
/** In which generation packets were let in, and by which interface, the host is asked once more. */
const OWN_CONNECTION = new Set(["generation", "arrival"]);

export interface CarriedOver {
  readonly connections: number;
  /** For which there was no room. */
  readonly lost: number;
}

/** `to`: freshly loaded, and laid out. What `from` keeps stands still from now on. Throws a BpfError or SystemCallError. */
export function carryOver(from: BpfParts, shapes: Shapes, to: BpfParts): CarriedOver {
  using stack = new DisposableStack();
  const map = (parts: BpfParts, name: string): Memory => stack.use(wholeMap(parts, name));
  const [before, now] = [map(from, "settings"), map(to, "settings")];
  const generation = before.view.getUint32(shapes.settings.generation!, true);
  standStill(before, shapes.settings);
  new FieldCopy(shapes.settings, settings, OWN_SETTINGS).copy(before.bytes, 0, now.bytes, 0);
  now.view.setUint32(settings.generation, generation, true);
  const [told, ours] = [map(from, "tally"), map(to, "tally")];
  new FieldCopy(shapes.tally, tally, OWN_TALLY).copy(told.bytes, 0, ours.bytes, 0);
  const servers = map(to, "destinations");
  carryServers(map(from, "destinations"), shapes, servers);
  const records = told.view.getUint32(shapes.tally.records!, true);
  return carryConnections({ from, to, shapes, records, servers });
}

function wholeMap(parts: BpfParts, name: string): Memory {
  const fd = parts.map(name);
  return Memory.shared(fd, mapInformation(fd).valueLength, `map the kernel engine's ${name}`);
}

/** From now on packets pass the programs by, and nothing ends there: as if the director were about to be asked. */
function standStill({ view }: Memory, { generation, attendedUntil }: Shape): void {
  view.setUint32(generation!, 0, true);
  if (attendedUntil !== undefined) view.setBigUint64(attendedUntil, NEVER, true);
}

/** Each keeps its place, which connections name. */
function carryServers(from: Memory, { destination: shape, way }: Shapes, to: Memory): void {
  const isSameWay = JSON.stringify(way) === JSON.stringify(abi.way);
  const fields = new FieldCopy(shape, destination, new Set(isSameWay ? [] : ["way"]));
  const count = Math.min(from.bytes.length / shape.size, to.bytes.length / destination.size);
  for (let slot = 0; slot < count; slot++) {
    const at = slot * shape.size;
    if (from.view.getBigUint64(at + shape.key!, true) === 0n) continue;
    fields.copy(from.bytes, at, to.bytes, slot * destination.size);
  }
}

interface Carrying {
  readonly from: BpfParts;
  readonly to: BpfParts;
  readonly shapes: Shapes;
  /** Of the table that they are in, as many as were ever in use. */
  readonly records: number;
  readonly servers: Memory;
}

function carryConnections({ from, to, shapes, records, servers }: Carrying): CarriedOver {
  const asked = shapes.changeConnection;
  const flow = new FieldCopy(shapes.flowKey, abi.flowKey);
  const rest = new FieldCopy(shapes.connection, connection, OWN_CONNECTION);
  using question = new Question(asked.size);
  using change = new Question(changeConnection.size);
  const [reading, giving] = [from.program("read_record"), to.program("give_connection")];
  const result = { connections: 0, lost: 0 };
  for (let number = 0; number < records; number++) {
    question.view.setUint32(asked.number!, number, true);
    if (!question.ask(reading)) continue;
    if (question.view.getInt32(asked.found!, true) === 0) continue;
    change.bytes.fill(0);
    flow.copy(question.bytes, asked.flow!, change.bytes, changeConnection.flow);
    rest.copy(question.bytes, asked.connection!, change.bytes, changeConnection.connection);
    if (change.ask(giving) && change.view.getInt32(changeConnection.found, true) !== 0) {
      result.connections++;
    } else {
      result.lost++;
      uncount(change.view, servers.view);
    }
  }
  return result;
}

/** A connection for which there was no room. */
function uncount(given: DataView, servers: DataView): void {
  const at = changeConnection.connection;
  const slot = given.getUint32(at + connection.destination, true);
  const isInactive = (given.getUint32(at + connection.word, true) & INACTIVE) !== 0;
  const counter =
    slot * destination.size + (isInactive ? destination.inactive : destination.active);
  servers.setInt32(counter, servers.getInt32(counter, true) - 1, true);
}
