/** Whatever a file says: it is taken, or all that is wrong is told. Nothing else is thrown. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { NO_DEFAULTS, readText } from "./files.ts";
import { resolve } from "./resolve.ts";
import { FILE_SCHEMA } from "./schema.ts";

/** As loadConfiguration(), without files. */
function problemsOf(text: string): readonly { readonly message: string }[] {
  const { files, problems } = readText("sluice.yaml", text, NO_DEFAULTS, { A: "5", B: "x: [y" });
  return problems.length > 0 ? problems : resolve(files).problems;
}

const KEYS = [
  ...Object.keys(FILE_SCHEMA.shape),
  ..."name vip port mark family pool destinations address weight forwarding tunnel service".split(
    " ",
  ),
  ..."destination persistence timeout netmask prefixLength tcp flags __proto__ constructor".split(
    " ",
  ),
];

const scalar = fc.oneof(
  fc.constantFrom("10.0.0.1", "2001:db8::1", "tunnel", "gue", "masquerade", "5m", "rr", "port"),
  fc.constantFrom(`\${A}`, `\${B}`, `\${C}`, `\${`, `$\${A}`, `\${C:-7}`),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.string(),
);

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("tree"), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.constantFrom(...KEYS), tie("tree")), { maxLength: 6 })
      .map((entries) => Object.fromEntries(entries)),
  ),
}));

test("any values in any places", () => {
  fc.assert(
    fc.property(tree, (value) => {
      for (const { message } of problemsOf(stringify(value))) expect(message).not.toBe("");
    }),
    { numRuns: 500 },
  );
});

test("any text", () => {
  const characters = fc.constantFrom(
    ..."{}[]:,-&*!|>'\"%@`#?~<= \n\tabc019$.\u0000\ufeff\u2028é".split(""),
  );
  const text = fc.string({ unit: characters, maxLength: 60 });
  fc.assert(
    fc.property(text, (value) => {
      for (const { message } of problemsOf(value)) expect(message).not.toBe("");
    }),
    { numRuns: 2_000 },
  );
});
