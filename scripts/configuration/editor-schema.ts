/** The schema that editors check a sluice.yaml with: of the values that a file may have once its variables are filled in. */

/** What of JSON Schema is in ours. */
export interface Schema {
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly propertyNames?: Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** A value that has a variable in it, which an editor knows nothing of. */
const VARIABLE: Schema = { type: "string", pattern: "\\$\\{" };
const ANY_VARIABLE: Schema = { $ref: "#/$defs/variable" };

export function forEditors(whole: Schema): Schema {
  const { $defs = {}, ...rest } = orVariable(whole);
  return { ...rest, $defs: { ...$defs, variable: VARIABLE } };
}

/** As `schema`, with a variable wherever a number, a truth value or a text of a certain form may stand. */
function orVariable(schema: Schema): Schema {
  if (isValue(schema)) {
    const { description, ...value } = schema;
    return {
      ...(description === undefined ? {} : { description }),
      anyOf: [value, ANY_VARIABLE],
    };
  }
  const { properties, additionalProperties, items, anyOf, oneOf, $defs } = schema;
  return {
    ...schema,
    ...(properties && { properties: each(properties) }),
    ...(additionalProperties && { additionalProperties: orVariable(additionalProperties) }),
    ...(items && { items: orVariable(items) }),
    ...(anyOf && { anyOf: members(anyOf) }),
    ...(oneOf && { oneOf: oneOf.map(orVariable) }),
    ...($defs && { $defs: each($defs) }),
  };
}

/** A variable is one more of these, once. */
function members(all: readonly Schema[]): readonly Schema[] {
  const inside = all.map((member) => (isValue(member) ? member : orVariable(member)));
  return all.some(isValue) ? [...inside, ANY_VARIABLE] : inside;
}

function each(schemas: Readonly<Record<string, Schema>>): Readonly<Record<string, Schema>> {
  // Which kind of check or tunnel it is decides about all else: a word, in the file itself.
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      schema.const === undefined ? orVariable(schema) : schema,
    ]),
  );
}

/** Whether it allows values, and not every text. */
function isValue({ type, enum: names, const: only, pattern, format }: Schema): boolean {
  if (names !== undefined || only !== undefined) return true;
  if (type === "string") return pattern !== undefined || format !== undefined;
  return type === "integer" || type === "number" || type === "boolean";
}
