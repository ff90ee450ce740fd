/** What settings of checks are made of, besides what every schema is (base/schema-terms.ts). */
import { z } from "zod";
import { millisecondsOf, PERIOD, PERIOD_MAX_MS } from "../base/period.ts";
import { expecting, text } from "../base/schema-terms.ts";
import { Address } from "../net/address.ts";

export function address(what: string) {
  return text(what).refine((value) => Address.parse(value) !== undefined, expecting(what));
}

const A_PERIOD = expecting(
  'seconds as a number, or such as "500ms", "2s", "5m", from 1 ms to 31 days',
);

/** A time that may be shorter than a second: millisecondsOf() tells how long. */
export const period = z
  .union([z.number(A_PERIOD), z.string(A_PERIOD).regex(PERIOD, A_PERIOD)], A_PERIOD)
  .refine((value) => {
    const ms = typeof value === "number" || PERIOD.test(value) ? millisecondsOf(value) : 0;
    return ms >= 1 && ms <= PERIOD_MAX_MS;
  }, A_PERIOD)
  .meta({ id: "period" });
