/** What keepalived's keys take: each kind of value, read from a statement's words. */
import type { ForwardingContent } from "../../configuration/schema.ts";
import { Address } from "../../net/address.ts";
import type { Statement } from "./statements.ts";
import { escapedWordsOf } from "./words.ts";

/** A value, and what was odd about it; or no value, and why. */
export type Taken = { readonly value: unknown; readonly odd?: string } | { readonly why: string };
export type Taker = (statement: Statement) => Taken;

/** Words after the one that counts are passed over. */
function alone(statement: Statement, taken: Taken): Taken {
  const others = statement.words.slice(2).join(" ");
  if ("why" in taken || others === "") return taken;
  const odd = [taken.odd, `${others} is passed over: it belongs on a line of its own`];
  return { value: taken.value, odd: odd.filter((each) => each !== undefined).join("; ") };
}

/** A number that other characters follow counts in keepalived, with a word in its log. */
const NUMBER = /^\s*([+-]?\d+)(.*)$/s;
const DECIMAL = /^\s*(\d+(?:\.\d*)?|\.\d+)(.*)$/s;

export function integer(least: number, most: number): Taker {
  return (statement) => alone(statement, integerIn(statement.words[1], least, most));
}

export function integerIn(word: string | undefined, least: number, most: number): Taken {
  const [, digits, rest] = NUMBER.exec(word ?? "") ?? [];
  const value = Number(digits);
  if (digits === undefined || value < least || value > most) {
    return { why: `expected an integer from ${least} to ${most}, got ${word ?? "nothing"}` };
  }
  return rest === "" ? { value } : { value, odd: `taken as ${value}` };
}

/** keepalived's timers count microseconds; the longest of them are a day and more. */
export function seconds(least: number): Taker {
  return (statement) => {
    const { words } = statement;
    const [, digits, rest] = DECIMAL.exec(words[1] ?? "") ?? [];
    const value = Number(digits);
    if (digits === undefined || value < least) {
      return {
        why: `expected seconds${least > 0 ? `, ${least} or more` : ""}, got ${words[1] ?? "nothing"}`,
      };
    }
    return alone(statement, rest === "" ? { value } : { value, odd: `taken as ${value} s` });
  };
}

export const word: Taker = ({ words }) =>
  words[1] === undefined ? { why: "expected a word after it" } : { value: words[1] };

/** With quotes and escapes as in a shell. */
export const text: Taker = ({ text: raw }) => {
  const [, value] = escapedWordsOf(raw);
  return value === undefined ? { why: "expected a text after it" } : { value };
};

export const rest: Taker = ({ words }) =>
  words.length < 2 ? { why: "expected a text after it" } : { value: words.slice(1).join(" ") };

const BOOLEANS: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  yes: true,
  off: false,
  false: false,
  no: false,
};

/** Set by being there, or with on and off. */
export const flag: Taker = ({ words }) => {
  const [, given] = words;
  if (given === undefined) return { value: true };
  const value = BOOLEANS[given.toLowerCase()];
  if (value !== undefined) return { value };
  return { value: true, odd: `${words.slice(1).join(" ")} is passed over` };
};

export function oneOf(...names: readonly string[]): Taker {
  return ({ words }) => {
    const value = names.find((name) => name.toLowerCase() === words[1]?.toLowerCase());
    return value === undefined
      ? { why: `expected one of ${names.join(", ")}, got ${words[1] ?? "nothing"}` }
      : { value };
  };
}

export const address: Taker = ({ words }) => {
  const value = Address.parse(words[1] ?? "");
  return value === undefined
    ? { why: `expected an IPv4 or IPv6 address, got ${words[1] ?? "nothing"}` }
    : { value: value.toString() };
};

/** A script: its words are inside of the first one, and who runs it follows. */
export interface Script {
  readonly command: readonly string[];
  readonly user: string | undefined;
  readonly group: string | undefined;
}

export const script: Taker = ({ text: raw }) => {
  const [, whole, user, group] = escapedWordsOf(raw);
  const command = escapedWordsOf(whole ?? "");
  if (command.length === 0) return { why: "expected a script after it" };
  const value: Script = { command, user, group };
  return { value };
};

const TUNNEL_CHECKSUMS = { nocsum: "none", csum: "full", remcsum: "remote" } as const;

/** `NAT`, `DR`, or `TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]`. */
export const forwarding: Taker = ({ words: [, method, ...options] }) => {
  const known: Readonly<Record<string, ForwardingContent>> = { NAT: "masquerade", DR: "route" };
  const plain = known[method?.toUpperCase() ?? ""];
  if (plain !== undefined) return { value: plain };
  if (["FNAT", "SNAT", "NAT64"].includes(method?.toUpperCase() ?? "")) {
    return {
      why: `${method} is DPVS's: Sluice has NAT, where replies come by the director, which is taken`,
    };
  }
  if (method?.toUpperCase() !== "TUN") {
    return { why: `expected NAT, DR or TUN, got ${method ?? "nothing"}` };
  }
  return tunnel(options);
};

function tunnel(options: readonly string[]): Taken {
  let [type, port, checksum]: [string, number | undefined, "none" | "full" | "remote"] = [
    "ipip",
    undefined,
    "none",
  ];
  for (let index = 0; index < options.length; index++) {
    const option = options[index]!;
    if (option === "type") type = options[++index] ?? "";
    else if (option === "port") port = Number(options[++index]);
    else if (Object.hasOwn(TUNNEL_CHECKSUMS, option)) {
      checksum = TUNNEL_CHECKSUMS[option as keyof typeof TUNNEL_CHECKSUMS];
    } else return { why: `${option} is no option of a tunnel` };
  }
  if (type === "ipip") return { value: "tunnel" };
  if (type === "gre" && checksum !== "remote") return { value: { tunnel: "gre", checksum } };
  if (type === "gue" && port !== undefined && port >= 1 && port <= 0xffff) {
    return { value: { tunnel: "gue", port, checksum } };
  }
  return { why: "expected type ipip, gre, or gue with a port" };
}

/** `200`, `200-299`, several of them: from and to. */
export const statusCodes: Taker = ({ words }) => {
  const ranges: [number, number][] = [];
  for (const each of words.slice(1)) {
    const [, first, last = first] = /^(\d{3})(?:-(\d{3}))?$/.exec(each) ?? [];
    if (first === undefined || Number(first) > Number(last)) {
      return { why: `expected such as 200 or 200-299, got ${each}` };
    }
    ranges.push([Number(first), Number(last)]);
  }
  return ranges.length === 0 ? { why: "expected such as 200 or 200-299" } : { value: ranges };
};

/** Bytes in hexadecimal, in any grouping: `Ab12f 3` is ab, 12, 0f, 03. `X` is half a byte that may be anything. */
export function hexadecimal(mayHaveHoles: boolean): Taker {
  return ({ words }) => {
    const groups = words
      .slice(1)
      .flatMap((each) => each.split(/\s+/))
      .filter((each) => each !== "");
    const digits = mayHaveHoles ? /^[0-9a-fA-FxX]+$/ : /^[0-9a-fA-F]+$/;
    const wrong = groups.find((each) => !digits.test(each));
    if (wrong !== undefined) return { why: `expected hexadecimal digits, got ${wrong}` };
    const bytes = groups.map((each) =>
      each.length % 2 === 0 ? each : `${each.slice(0, -1)}0${each.at(-1)}`,
    );
    return { value: bytes.join("").toLowerCase() };
  };
}

/** A list of names, each of them known. */
export function words(...known: readonly string[]): Taker {
  return ({ words: [, ...given] }) => {
    const stranger = given.find((each) => !known.includes(each));
    return stranger === undefined
      ? { value: given }
      : { why: `${stranger} is none of ${known.join(", ")}` };
  };
}

/** MD5, as genhash prints it. */
export const digest: Taker = ({ words: [, given = "nothing"] }) =>
  /^[0-9a-fA-F]{32}$/.test(given)
    ? { value: given.toLowerCase() }
    : { why: `expected 32 hexadecimal digits, got ${given}` };

/** `weight N [reverse]`: what the number in a file is multiplied by. */
export const multiplier: Taker = ({ words }) => {
  const taken = integerIn(words[1], -0x7fff_ffff, 0x7fff_ffff);
  if ("why" in taken || words[2] !== "reverse") return taken;
  return { value: -(taken.value as number) };
};
