/**
 * `configuration-docs.ts page`, `configuration-docs.ts schema`: writes docs/configuration.md, or docs/sluice.schema.json, of
 * what src/configuration/schema.ts says.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { keyed } from "../src/base/schema-terms.ts";
import { COMMON } from "../src/configuration/health-schema.ts";
import { FILE_SCHEMA } from "../src/configuration/schema.ts";
import { forEditors, type Schema } from "./configuration/editor-schema.ts";

const common = z.toJSONSchema(keyed(COMMON), { io: "input" }) as Schema;
const whole = z.toJSONSchema(FILE_SCHEMA, { io: "input" }) as Schema;

function schemaFile(): string {
  const title = "Sluice's configuration file";
  return `${JSON.stringify({ title, ...forEditors(whole) }, undefined, 2)}\n`;
}

function page(): string {
  const example = readFileSync(new URL("../examples/web.yaml", import.meta.url), "utf8");
  return `# sluice.yaml

<!-- Made by scripts/configuration-docs.ts of src/configuration/schema.ts: not to be edited. -->

One file says which services there are:

\`\`\`sh
sluice check sluice.yaml     # is it right? All that is wrong, with file, line and column
sluice plan sluice.yaml      # what would change, and how many connections that touches; exit 0 nothing, 2 something
sluice apply sluice.yaml     # puts it in force, all or nothing
sluice export                # what stands, as such a file
sluice import keepalived.conf          # keepalived's, ldirectord's or ipvsadm-save's, as such a file
sluice daemon --config sluice.yaml     # loads it at the start; kill -HUP loads it again
\`\`\`

An example, [examples/web.yaml](../examples/web.yaml):

\`\`\`yaml
${example.trimEnd()}
\`\`\`

## What it means

- **The file is the whole.** Services that stand and are not in it are removed, unless \`others: keep\` or \`--keep-others\`
  says otherwise; the same of \`vips\`. A service's destinations are always those of the file. What is the same is left alone: its connections,
  counters and turns go on.
- **What the file does not say of weights, \`timeouts\` and \`sysctls\` stays as it is**, as somebody may have set it by hand:
  \`ipvsadm -e ... -w 0\` takes a server out of work, and no reload brings it back, unless the file says its weight.
- **All or nothing.** A file with a mistake, and one that the director refuses, change nothing.
- **The nearest default counts**: a destination's own words come before its pool's \`defaults\`, those before its service's
  \`defaults\`, and those before the file's \`defaults.destination\`; for destinations of a pool it is the pool's file.
- **Variables**: \`\${NAME}\` is the environment's, \`\${NAME:-otherwise}\` has something for when it is missing or empty, and
  \`$\${\` is a \`\${\`. A variable without quotes may be a number; one in quotes is text. Within \`[]\` and \`{}\` quotes are
  needed, as for all that has braces there. What a variable brings is never read as YAML. With \`sluice daemon --config\` it
  is the daemon's environment.
- **Files that are included** are such files, too. Each service and pool stands in one of them, and pools are everybody's.
- **Times** are seconds as a number, or \`90s\`, \`5m\`, \`2h\`, \`1d\`. Those of checks may be shorter than a second: \`0.5\`,
  \`500ms\`.
- **Checks** are said by a name of \`checks\`, or where they are used; the nearest level that says any counts alone. One server
  that several services use is asked once. [health.md](health.md) says what becomes of the answers.
- **The order of destinations** is the order in which they are added. Moving one in the file moves nothing that stands.

Editors that know JSON Schema complete and check the file with [sluice.schema.json](sluice.schema.json): put
\`# yaml-language-server: $schema=PATH\` into its first line.

## Its keys

${table(whole)}
### defaults

${table(whole.properties!.defaults!)}
### defaults.service

${table(whole.properties!.defaults!.properties!.service!)}
### A destination's defaults

\`defaults.destination\`, and \`defaults\` of a pool or a service.

${table(definition("destinationDefaults"))}
### A service

${table(definition("service"))}
### A VIP

${table(definition("vip"))}
### announce

${table(definition("announce"))}
### Persistence

${table(definition("persistence"))}
### A pool

${table(definition("pool"))}
### A destination

${table(definition("destination"))}
### A tunnel

${tunnels()}
### A check

Each kind has settings of its own, and all have these:

${table(common)}
${checks()}
### body

${table(definition("checkBody"))}
### health

${table(definition("health"))}
### health.sorry

${table(definition("sorry"))}
### health.flapping

${table(definition("flapping"))}

### A receiver of events

${table(definition("receiver"))}
### mail

${table(definition("mail"))}
### remove

${table(whole.properties!.remove!)}
### timeouts

${table(whole.properties!.timeouts!)}
### sysctls

[sysctls.md](sysctls.md) says what each does.

${table(whole.properties!.sysctls!)}`
    .trimEnd()
    .concat("\n");
}

/** What each kind of check has beside what all have. */
function checks(): string {
  const kinds = definition("check");
  return (kinds.oneOf ?? kinds.anyOf)!
    .map((kind) => {
      const { type, ...properties } = kind.properties!;
      const own = Object.entries(properties).filter(([name]) => !Object.hasOwn(COMMON, name));
      const head = `**\`type: ${String(type!.const)}\`** ${type!.description}\n`;
      if (own.length === 0) return head;
      return `${head}\n${table({ ...kind, properties: Object.fromEntries(own) })}`;
    })
    .join("\n");
}

function tunnels(): string {
  const options = definition("forwarding").anyOf![1]!;
  return (options.oneOf ?? options.anyOf)!
    .map((each) => `${each.properties!.tunnel!.description}\n\n${table(each)}`)
    .join("\n");
}

function table({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([name, property]) => {
    const must = required.includes(name) ? " (must be there)" : "";
    return `| \`${name}\` | ${values(property)} | ${property.description ?? ""}${must} |`;
  });
  return `| key | values | meaning |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

/** Kinds that have a section of their own. */
const SECTIONS: Readonly<Record<string, string>> = {
  destination: "[destination](#a-destination)",
  destinationDefaults: "[a destination's defaults](#a-destinations-defaults)",
  pool: "[pool](#a-pool)",
  receiver: "[receiver](#a-receiver-of-events)",
  mail: "[mail](#mail)",
  service: "[service](#a-service)",
  persistence: "[persistence](#persistence)",
  duration: "time",
  period: "time",
  check: "[check](#a-check)",
  checkBody: "[body](#body)",
  health: "[health](#health)",
  vip: "[VIP](#a-vip)",
  announce: "[announce](#announce)",
  sorry: "[sorry](#healthsorry)",
  flapping: "[flapping](#healthflapping)",
  forwarding: "`route`, `masquerade`, `tunnel`, or [a tunnel's options](#a-tunnel)",
};

function values(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const section = SECTIONS[schema.$ref.replace("#/$defs/", "")];
    if (section === undefined) throw new Error(`${schema.$ref} has no section`);
    return section;
  }
  if (schema.enum !== undefined) return schema.enum.map((each) => `\`${each}\``).join(", ");
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  const members = schema.anyOf ?? schema.oneOf;
  if (members !== undefined) return members.map(values).join(" or ");
  switch (schema.type) {
    case "integer":
      if (schema.minimum === -(2 ** 31)) return "any whole number";
      return `${schema.minimum} to ${schema.maximum}`;
    case "number":
      return "number";
    case "boolean":
      return "`true`, `false`";
    case "array":
      return `list: ${values(schema.items!)}`;
    case "object":
      return schema.additionalProperties ? `name: ${values(schema.additionalProperties)}` : "below";
    default:
      return "text";
  }
}

function definition(name: string): Schema {
  return whole.$defs![name]!;
}

const [what] = process.argv.slice(2);
if (what === "page") process.stdout.write(page());
else if (what === "schema") process.stdout.write(schemaFile());
else throw new Error("usage: configuration-docs.ts page|schema");
