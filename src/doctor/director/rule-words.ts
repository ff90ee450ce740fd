/** A firewall rule as findings have it. */
import { advice, type Remedy } from "../finding.ts";
import type { Rule } from "../host/firewall.ts";

export function counted({ text, packets }: Rule): string {
  return packets === undefined ? text : `${text}: ${packets} packets`;
}

export function removal(rule: Rule, otherwise: string): Remedy {
  return rule.removal === undefined
    ? advice(otherwise)
    : { kind: "commands", lines: [rule.removal] };
}
