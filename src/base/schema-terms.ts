/** What schemas of files are made of: each says what would be right, and what there is instead is added where it is told. */
import { z } from "zod";

export function expecting(what: string) {
  return { error: () => `expected ${what}` };
}

export function integer(least: number, most: number) {
  const error = expecting(`an integer from ${least} to ${most}`);
  return z.int(error).min(least, error).max(most, error);
}

export function text(what: string) {
  const error = expecting(what);
  return z.string(error).min(1, error);
}

export function flag() {
  return z.boolean(expecting("true or false"));
}

export function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, expecting(`one of ${names.join(", ")}`));
}

/** The keys are the message of what is wrong with an unknown one: whoever tells of it makes a sentence of them. */
export function keyed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? Object.keys(shape).join(" ")
        : "expected keys and values",
  });
}

export function listOf<Item extends z.ZodType>(item: Item, what: string) {
  return z.array(item, expecting(`a list of ${what}`));
}
