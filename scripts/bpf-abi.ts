/** `bpf-abi.ts OBJECT`: writes what a BPF object says of its structs and enums (its BTF) as TypeScript. */
import { readFileSync } from "node:fs";
import { type BtfEnum, type BtfStruct, btfIn } from "./btf.ts";

const HEADER = `/**
 * The layout of what the programs in bpf/ and the daemon share, in bytes, and its numbers. Made by scripts/build-bpf of
 * bpf/abi.h, bpf/abi/: not to be edited.
 */
`;

const SHARED_STRUCTS = [
  "flow_key",
  "way",
  "connection",
  "news",
  "reply",
  "client_key",
  "template",
  "tunnel",
  "destination",
  "service_key",
  "service",
  "plan",
  "turn",
  "schedule",
  "edit_schedule",
  "play_matches",
  "pick_destination",
  "change_connection",
  "settings",
  "tally",
  "card",
  "watch",
  "told_packet",
];
const SHARED_ENUMS = ["edit", "verdict"];

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: bpf-abi.ts OBJECT");
const { structs, enums } = btfIn(readFileSync(file));
const parts = [
  ...SHARED_STRUCTS.flatMap((name) => structs.filter((each) => each.name === name).map(layout)),
  ...SHARED_ENUMS.flatMap((name) => enums.filter((each) => each.name === name).map(numbers)),
];
process.stdout.write(HEADER + parts.join("\n"));

/** Where each member of a struct begins. */
function layout({ name, size, members }: BtfStruct): string {
  const offsets = members
    .filter((member) => member.name !== "pad")
    .map((member) => `  ${camel(member.name)}: ${member.offset},`);
  return [
    `export const ${camel(name)} = {`,
    `  size: ${size},`,
    ...offsets,
    "} as const;",
    "",
  ].join("\n");
}

/** An enum's values without what their names begin with, and those that count them. */
function numbers({ name, values }: BtfEnum): string {
  const prefix = `${name.split("_").at(-1)!.toUpperCase()}_`;
  const lines = values
    .filter((value) => value.name.startsWith(prefix) && value.number >= 0)
    .map((value) => `  ${camel(value.name.slice(prefix.length).toLowerCase())}: ${value.number},`);
  return [`export const ${camel(name)} = {`, ...lines, "} as const;", ""].join("\n");
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
