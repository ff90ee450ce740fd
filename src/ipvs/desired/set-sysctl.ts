/**
 * Reading and setting the knobs as the kernel does through /proc/sys/net/ipv4/vs: names, numbers as text, refusals.
 * The text is read as proc_get_long() in kernel/sysctl.c reads it.
 */
import type { DesiredState } from "./desired-state.ts";
import { LbError } from "./errors.ts";
import {
  FIXED_SYSCTLS,
  SYSCTL_RULES,
  type SysctlName,
  type SysctlRule,
  type Sysctls,
} from "./sysctls.ts";

/** The kernel keeps them as int: what lies outside is refused for each of them. */
const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;

/** With the sign: TMPBUFLEN, less what ends it and the terminating 0. */
const NUMBER_LENGTH_MAX = 20;

/** What each knob is set to, by name; those that Sluice only lists among them. */
export type SysctlValues = Readonly<Record<string, number | string>>;

/** Sets one knob. `value` is what one would write into the kernel's file. Throws LbError. */
export function setSysctl(state: DesiredState, name: string, value: number | string): DesiredState {
  const wanted = checkSysctl(name, String(value));
  return wanted === undefined ? state : { ...state, sysctls: { ...state.sysctls, ...wanted } };
}

/** Sets several knobs, all or, when one is refused, none. */
export function setSysctls(state: DesiredState, values: SysctlValues): DesiredState {
  return Object.entries(values).reduce(
    (next, [name, value]) => setSysctl(next, name, value),
    state,
  );
}

/** Every knob, those that Sluice only lists among them, by name. */
export function listSysctls(sysctls: Sysctls): SysctlValues {
  const fixed = Object.entries(FIXED_SYSCTLS).map(([name, { value }]) => [name, value] as const);
  const rows = [...Object.entries(sysctls), ...fixed].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(rows);
}

/** What is not as it is by default. */
export function changedSysctls(sysctls: Sysctls): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(sysctls).filter(
      ([name, value]) => value !== SYSCTL_RULES[name as SysctlName].default,
    ),
  );
}

/** What a text sets: undefined when it is what a knob without meaning has anyway. Throws LbError. */
export function checkSysctl(name: string, text: string): Partial<Sysctls> | undefined {
  if (Object.hasOwn(FIXED_SYSCTLS, name)) {
    checkFixed(name as keyof typeof FIXED_SYSCTLS, text);
    return undefined;
  }
  if (!Object.hasOwn(SYSCTL_RULES, name)) throw new LbError({ code: "no-such-sysctl", name });
  const rule: SysctlRule = SYSCTL_RULES[name as SysctlName];
  const value = readNumber(text);
  if (value === undefined) throw new LbError({ code: "sysctl-not-a-number", name, text });
  const [least, most] = rule.range ?? [INT_MIN, INT_MAX];
  if (value < least || value > most) {
    throw new LbError({ code: "sysctl-out-of-range", name, value, least, most });
  }
  return { [name]: value };
}

function checkFixed(name: keyof typeof FIXED_SYSCTLS, text: string): void {
  const { value, why } = FIXED_SYSCTLS[name];
  if (wordsOf(text) === wordsOf(String(value))) return;
  throw new LbError({ code: "sysctl-without-effect", name, text, why });
}

function wordsOf(text: string): string {
  return text.trim().split(/\s+/).join(" ");
}

/** A number as in C. What follows after a blank does not count. */
const NUMBER = /^[ \t\n\v\f\r]*(-?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)(?![^ \t\n])/;

function readNumber(text: string): number | undefined {
  const [, sign, digits] = NUMBER.exec(text) ?? [];
  if (sign === undefined || digits === undefined) return undefined;
  if (sign.length + digits.length > NUMBER_LENGTH_MAX) return undefined;
  const isOctal = /^0[0-7]/.test(digits);
  const size = Number(isOctal ? `0o${digits.slice(1)}` : digits);
  // -0 is 0.
  return sign === "" || size === 0 ? size : -size;
}
