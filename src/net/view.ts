import { NOWHERE } from "./words.ts";

/**
 * A window on bytes, as every protocol's view is one: what lies between `start` and `end` was checked when the view
 * moved there, and reads and writes go to the packet's own bytes.
 *
 * Fields rather than getters: a getter that a dozen classes share is one piece of code that meets a dozen shapes, where
 * V8 gives up on fast property access unless it knows the shape from around the call.
 */
export abstract class View {
  readonly bytes: Uint8Array = NOWHERE;
  readonly start: number = 0;
  readonly end: number = 0;

  /** A view to be moved; it shows nothing until then. */
  static unplaced<V extends View>(this: new () => V): V {
    return new this();
  }

  /** A view of what lies in [start, end), or what is wrong with it. */
  static over<V extends View>(
    this: new () => V,
    bytes: Uint8Array,
    start: number = 0,
    end: number = bytes.length,
  ): V | FaultOf<V> {
    const view = new this();
    return (view.moveTo(bytes, start, end) as FaultOf<V> | undefined) ?? view;
  }

  /** Moves to what begins at `start` and lies before `end`, or says what is wrong with it and stays. */
  abstract moveTo(bytes: Uint8Array, start: number, end: number): string | undefined;

  /** For moveTo(), once all is checked. */
  protected place(bytes: Uint8Array, start: number, end: number): undefined {
    (this as Placeable).bytes = bytes;
    (this as Placeable).start = start;
    (this as Placeable).end = end;
  }
}

type FaultOf<V extends View> = NonNullable<ReturnType<V["moveTo"]>>;

/** A view is moved by nobody but itself. */
interface Placeable {
  bytes: Uint8Array;
  start: number;
  end: number;
}
