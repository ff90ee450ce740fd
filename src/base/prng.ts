/** Chance that replays: the same seed gives the same numbers. */
export interface Prng {
  /** An integer from 0 to 2^32 - 1. */
  next(): number;
  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number;
  /** One of `choices`. */
  of<Choice>(choices: readonly Choice[]): Choice;
  /** Another one that gives the numbers that this one would give from now on. */
  copy(): Prng;
  /** Where its sequence has got to, a signed 32-bit number; it goes on elsewhere where another's is given to it. */
  state: number;
}

/** SplitMix32: a 32-bit counter through a mixing function; passes what schedulers and simulations ask of chance. */
export function prng(seed: number): Prng {
  let counter = seed | 0;
  const next = (): number => {
    counter = (counter + 0x9e3779b9) | 0;
    let mixed = counter ^ (counter >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const below = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > 0x1_0000_0000) {
      throw new RangeError(`Cannot draw below ${bound}: expected an integer from 1 to 2^32`);
    }
    // The upper half of the product's 64 bits, exactly: bpf/schedule.h draws the same.
    const drawn = next();
    const lower = Math.floor(((drawn & 0xffff) * bound) / 0x1_0000);
    return Math.floor(((drawn >>> 16) * bound + lower) / 0x1_0000);
  };
  return {
    next,
    below,
    copy: () => prng(counter),
    get state() {
      return counter;
    },
    set state(state) {
      counter = state | 0;
    },
    of: (choices) => {
      if (choices.length === 0) throw new RangeError("Cannot draw one of no choices");
      return choices[below(choices.length)]!;
    },
  };
}
