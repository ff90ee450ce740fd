/** `~SEQ(...)` and `~LST(...)` in keepalived.conf: the rest of the line several times, with other values each time. */

export interface Repeat {
  readonly rest: string;
  /** Names and values for each time. */
  readonly rounds: Iterable<ReadonlyMap<string, string>>;
}

const SEQUENCE = /^~SEQ(x?)[ \t]*\(([^()]*)\)[ \t]*(.*)$/s;
const LIST = /^~LST[ \t]*\(([^()]*)\)[ \t]*(.*)$/s;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const NUMBER = /^([+-]?)(0[xX][0-9a-fA-F]+|\d+)$/;

/** Undefined when the line, which begins with `~`, makes no sense. */
export function repeatIn(text: string): Repeat | undefined {
  const [, isHexadecimal, sequence, sequenceRest] = SEQUENCE.exec(text) ?? [];
  if (sequence !== undefined) return sequenceOf(sequence, isHexadecimal === "x", sequenceRest!);
  const [, list, listRest] = LIST.exec(text) ?? [];
  return list === undefined ? undefined : listOf(list, listRest!);
}

/** `name, [start, [step,]] end`: add_seq() in keepalived's lib/parser.c. */
function sequenceOf(inside: string, isHexadecimal: boolean, rest: string): Repeat | undefined {
  const [name = "", ...words] = inside.split(",").map((word) => word.trim());
  const numbers = words.map(numberOf);
  if (!NAME.test(name) || numbers.length === 0 || numbers.length > 3) return undefined;
  if (numbers.some(Number.isNaN)) return undefined;
  const end = numbers.at(-1)!;
  const start = numbers.length > 1 ? numbers[0]! : end < 0 ? -1 : 1;
  const step = numbers.length > 2 ? numbers[1]! : start <= end ? 1 : -1;
  if (step === 0 || (start < end && step < 0) || (start > end && step > 0)) return undefined;
  function* rounds() {
    for (let value = start; step > 0 ? value <= end : value >= end; value += step) {
      yield new Map([[name, value.toString(isHexadecimal ? 16 : 10)]]);
    }
  }
  return { rest, rounds: rounds() };
}

/** As strtol() with base 0 reads it, octal numbers included. */
function numberOf(word: string): number {
  const [, sign, digits] = NUMBER.exec(word) ?? [];
  if (digits === undefined) return Number.NaN;
  const isOctal = /^0[0-7]+$/.test(digits);
  const value = isOctal ? Number.parseInt(digits, 8) : Number(digits);
  return sign === "-" ? -value : value;
}

/** `name, value, ...` or `{name, name}, {value, value}, ...`. */
function listOf(inside: string, rest: string): Repeat | undefined {
  const [names, ...values] = itemsOf(inside);
  if (names === undefined || values.length === 0) return undefined;
  if (!names.every((name) => NAME.test(name))) return undefined;
  if (values.some(({ length }) => length !== names.length)) return undefined;
  return {
    rest,
    rounds: values.map(
      (each) => new Map(names.map((name, index) => [name, each[index]!] as const)),
    ),
  };
}

function itemsOf(inside: string): string[][] {
  return [...inside.matchAll(/\{([^{}]*)\}|([^,{}]+)/g)]
    .map(([, group, one]) => (group === undefined ? [one!] : group.split(",")))
    .map((item) => item.map((word) => word.trim()))
    .filter((item) => item.length > 1 || item[0] !== "");
}
