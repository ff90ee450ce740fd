/** JSON Schema as far as docs/sluice.schema.json uses it: whether a value fits, and values that may. */
import fc from "fast-check";
import type { Schema } from "../scripts/configuration/editor-schema.ts";

/** What says nothing about which values fit. */
const ANNOTATIONS = new Set(["$schema", "title", "description", "$defs"]);

type Fits = (rule: never, value: unknown, schema: Schema, whole: Schema) => boolean;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
};

const RULES: Readonly<Record<string, Fits>> = {
  type: (name: string, value) => TYPES[name]!(value),
  enum: (names: readonly unknown[], value) => names.includes(value),
  const: (only: unknown, value) => value === only,
  minimum: (least: number, value) => typeof value !== "number" || value >= least,
  maximum: (most: number, value) => typeof value !== "number" || value <= most,
  minLength: (least: number, value) =>
    typeof value !== "string" || Array.from(value).length >= least,
  maxLength: (most: number, value) => typeof value !== "string" || Array.from(value).length <= most,
  pattern: (source: string, value) =>
    typeof value !== "string" || new RegExp(source, "u").test(value),
  format: (_name: string, value) => typeof value !== "string" || URL.canParse(value),
  minItems: (least: number, value) => !Array.isArray(value) || value.length >= least,
  maxItems: (most: number, value) => !Array.isArray(value) || value.length <= most,
  items: (inside: Schema, value, _, whole) =>
    !Array.isArray(value) || value.every((each) => fits(inside, each, whole)),
  required: (names: readonly string[], value) =>
    !isObject(value) || names.every((name) => Object.hasOwn(value, name)),
  properties: (inside: Readonly<Record<string, Schema>>, value, _, whole) =>
    !isObject(value) ||
    Object.entries(inside).every(
      ([name, each]) => !Object.hasOwn(value, name) || fits(each, value[name], whole),
    ),
  propertyNames: (name: Schema, value, _, whole) =>
    !isObject(value) || Object.keys(value).every((each) => fits(name, each, whole)),
  additionalProperties: (others: Schema | false, value, { properties = {} }, whole) =>
    !isObject(value) ||
    Object.entries(value).every(
      ([name, each]) =>
        Object.hasOwn(properties, name) || (others !== false && fits(others, each, whole)),
    ),
  anyOf: (members: readonly Schema[], value, _, whole) =>
    members.some((each) => fits(each, value, whole)),
  oneOf: (members: readonly Schema[], value, _, whole) =>
    members.filter((each) => fits(each, value, whole)).length === 1,
  $ref: (name: string, value, _, whole) => fits(definition(name, whole), value, whole),
};

/** Throws for a keyword that it does not know. */
export function fits(schema: Schema, value: unknown, whole = schema): boolean {
  return Object.entries(schema).every(([keyword, rule]) => {
    if (ANNOTATIONS.has(keyword)) return true;
    const check = RULES[keyword];
    if (check === undefined) throw new Error(`JSON Schema's ${keyword} is not known here`);
    return check(rule as never, value, schema, whole);
  });
}

function definition(name: string, whole: Schema): Schema {
  return whole.$defs![name.replace("#/$defs/", "")]!;
}

// What people write, right and wrong.
const WORDS = fc.constantFrom(
  ..."10.0.0.1 2001:db8::1 255.255.255.0 5m 500ms 0.5 90s 31d 80 80-90 /health md5:00 a.example.com 200-299 eth0 web".split(
    " ",
  ),
);
const ANYTHING = fc.oneof(
  WORDS,
  fc.string({ maxLength: 4 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
);

/** Values of which many fit `schema`, and many nearly do. */
export function nearly(schema: Schema, whole = schema, depth = 0): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 30, arbitrary: fc.constant(null).chain(() => meant(schema, whole, depth)) },
    { weight: 1, arbitrary: ANYTHING },
  );
}

function meant(schema: Schema, whole: Schema, depth: number): fc.Arbitrary<unknown> {
  const inside = (each: Schema): fc.Arbitrary<unknown> => nearly(each, whole, depth + 1);
  const { $ref, anyOf, oneOf, items, properties = {}, additionalProperties } = schema;
  if ($ref !== undefined) return meant(definition($ref, whole), whole, depth);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) {
    return schema.enum.length === 0 ? ANYTHING : fc.constantFrom(...schema.enum);
  }
  const members = anyOf ?? oneOf;
  if (members !== undefined) return fc.oneof(...members.map((each) => meant(each, whole, depth)));
  switch (schema.type) {
    case "object": {
      const names = Object.keys(properties);
      const required = schema.required ?? [];
      const some =
        names.length === 0
          ? fc.constant<string[]>([])
          : fc.subarray(names, { maxLength: Math.min(names.length, 4) });
      const others = fc.constantFrom<string[][]>([], [], [], [], [], [], [], ["wieght"]);
      const more = additionalProperties === undefined ? [] : ["web"];
      return fc
        .tuple(some, others)
        .chain(([chosen, unknown]) =>
          fc.record(
            Object.fromEntries(
              [
                ...new Set([
                  ...required,
                  ...chosen,
                  ...unknown,
                  ...(additionalProperties ? more : []),
                ]),
              ].map((name) => [
                name,
                properties[name] === undefined
                  ? additionalProperties
                    ? inside(additionalProperties)
                    : ANYTHING
                  : inside(properties[name]),
              ]),
            ),
          ),
        );
    }
    case "array":
      return fc.array(inside(items!), { minLength: depth > 6 ? 0 : 1, maxLength: 2 });
    case "integer":
    case "number": {
      const { minimum = -1_000, maximum = 1_000 } = schema;
      const whole = fc.integer({ min: minimum, max: maximum });
      const edges = fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1);
      return fc.oneof({ weight: 20, arbitrary: whole }, { weight: 1, arbitrary: edges });
    }
    case "boolean":
      return fc.boolean();
    default:
      return schema.pattern === undefined
        ? WORDS
        : fc.oneof(
            {
              weight: 3,
              arbitrary: fc.stringMatching(new RegExp(schema.pattern, "u")),
            },
            { weight: 1, arbitrary: WORDS },
          );
  }
}
