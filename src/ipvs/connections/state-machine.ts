/**
 * A protocol's connection states: tables from {direction, event, state} to the next state, compiled for the packet
 * path. States and events are numbers there, as in the kernel and on the synchronisation wire.
 */

/**
 * Who sent the packet. Input-only is input as long as nothing was seen of the destination's answers
 * (CONNECTION_FLAG.noOutput): with direct routing and tunnels they pass the director by.
 */
export const DIRECTION = { input: 0, output: 1, inputOnly: 2 } as const;

/** What a protocol says of its states; each list is in the order of state numbers. */
export interface StateTable {
  /** As `ipvsadm -lnc` prints them. */
  readonly names: readonly string[];
  readonly timeoutsSeconds: readonly number[];
  /** The states in which a connection counts as active. */
  readonly active: readonly number[];
  /** The next state, by direction, event and state. */
  readonly transitions: readonly (readonly (readonly number[])[])[];
}

/** States in a row of the compiled table, as a power of two; SCTP has the most, fourteen. */
const ROW_SHIFT = 4;

export class StateMachine {
  readonly #names: readonly string[];
  readonly #timeoutsMs: readonly number[];
  readonly #active: number;
  readonly #events: number;
  readonly #next: Uint8Array;

  constructor({ names, timeoutsSeconds, active, transitions }: StateTable) {
    this.#names = names;
    this.#timeoutsMs = timeoutsSeconds.map((seconds) => seconds * 1000);
    this.#active = active.reduce((bits, state) => bits | (1 << state), 0);
    this.#events = transitions[0]?.length ?? 0;
    this.#next = new Uint8Array((transitions.length * this.#events) << ROW_SHIFT);
    transitions.flat().forEach((row, index) => {
      this.#next.set(row, index << ROW_SHIFT);
    });
  }

  /** The compiled table: next() by the same index. */
  get compiled(): Uint8Array {
    return this.#next;
  }

  /** The states in which a connection counts as active, a bit for each. */
  get activeStates(): number {
    return this.#active;
  }

  /** How many states there are. */
  get count(): number {
    return this.#names.length;
  }

  next(direction: number, event: number, state: number): number {
    return this.#next[((direction * this.#events + event) << ROW_SHIFT) | state]!;
  }

  has(state: number): boolean {
    return state < this.#names.length;
  }

  isActive(state: number): boolean {
    return ((this.#active >>> state) & 1) === 1;
  }

  /** How long a connection in this state lives without a packet. */
  timeoutMs(state: number): number {
    return this.#timeoutsMs[state]!;
  }

  nameOf(state: number): string {
    return this.#names[state] ?? "ERR!";
  }
}
