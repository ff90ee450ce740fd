/**
 * How a version lays out what its programs know, noted where they are kept, so that another version can read it: offsets by name,
 * as abi.ts has them.
 */
import * as abi from "./abi.ts";

export interface Shape {
  readonly size: number;
  readonly [field: string]: number;
}

/** What another version reads. */
export interface Shapes {
  /** What fields and their bits mean. Another number, and nobody reads them. */
  readonly meaning: number;
  readonly flowKey: Shape;
  readonly connection: Shape;
  readonly changeConnection: Shape;
  readonly destination: Shape;
  readonly way: Shape;
  readonly settings: Shape;
  readonly tally: Shape;
}

/** To be raised when a field, or a bit of a connection's word, means something else than it did. */
const MEANING = 1;

const { flowKey, connection, changeConnection, destination, way, settings, tally } = abi;

export const SHAPES: Shapes = {
  meaning: MEANING,
  flowKey,
  connection,
  changeConnection,
  destination,
  way,
  settings,
  tally,
};

/** Without these nothing can be made of what is there. */
const NEEDED: Readonly<Partial<Record<keyof Shapes, readonly string[]>>> = {
  flowKey: Object.keys(flowKey),
  connection: ["seen", "word", "packets", "timeout", "destination", "port"],
  changeConnection: ["flow", "connection", "found", "number"],
  destination: ["address", "port", "flags", "weight", "active", "inactive", "key"],
  settings: ["generation"],
  tally: ["epoch", "records"],
};

/** Why what lies there in those shapes cannot be read; undefined when it can. */
export function unreadable(shapes: Shapes | undefined): string | undefined {
  if (shapes === undefined) return "it did not note how it lays out what its programs know";
  if (shapes.meaning !== MEANING) return "what its programs know means something else";
  for (const [name, fields] of Object.entries(NEEDED)) {
    const shape = shapes[name as "flowKey"];
    const missing = fields.find((field) => shape?.[field] === undefined);
    if (missing !== undefined) return `its programs do not know a ${name}'s ${missing}`;
  }
  return undefined;
}

/** Copies what two shapes have in common, but for some fields; what only the second has stays as it is. */
export class FieldCopy {
  readonly #spans: readonly (readonly [from: number, to: number, length: number])[];

  constructor(from: Shape, to: Shape, but: ReadonlySet<string> = new Set()) {
    this.#spans = Object.entries(to).flatMap(([name, offset]) => {
      const theirs = from[name];
      if (name === "size" || theirs === undefined || but.has(name)) return [];
      const length = Math.min(lengthOf(from, theirs), lengthOf(to, offset));
      return [[theirs, offset, length] as const];
    });
  }

  copy(from: Uint8Array, at: number, to: Uint8Array, toAt: number): void {
    for (const [theirs, ours, length] of this.#spans) {
      to.set(from.subarray(at + theirs, at + theirs + length), toAt + ours);
    }
  }
}

/** Up to the next field: what lies between is 0. */
function lengthOf(shape: Shape, offset: number): number {
  return Math.min(...Object.values(shape).filter((each) => each > offset)) - offset;
}
