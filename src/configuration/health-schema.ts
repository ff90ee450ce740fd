/** What a file may say of health checks: how servers are asked, and what becomes of a service by their answers. */
import { z } from "zod";
import { expecting, flag, integer, keyed, listOf, oneOf, text } from "../base/schema-terms.ts";
import { CHECK_KINDS, type CheckKind } from "../health/checks/settings.ts";
import { address, period } from "../health/settings-terms.ts";
import { forwarding } from "./forwarding-schema.ts";

const INT_MAX = 0x7fff_ffff;

/** So many results in a row, or changes. */
const COUNT_MAX = 1_000;

/** What every check has, of whichever kind. */
export const COMMON = {
  interval: period.optional().describe("From one probe to the next. Default: 5s."),
  jitter: z
    .union([z.literal(0), period], expecting("a time, or 0"))
    .optional()
    .describe(
      "An interval is longer or shorter by as much at most, by chance. Default: a tenth of it.",
    ),
  timeout: period
    .optional()
    .describe("How long a probe may take; then it has failed. Default: 3s."),
  fall: integer(1, COUNT_MAX)
    .optional()
    .describe("Failures in a row by which it is down. Default: 3."),
  rise: integer(1, COUNT_MAX)
    .optional()
    .describe("Successes in a row by which it is up again. Default: 2."),
  retry: period
    .optional()
    .describe(
      "From a probe that says otherwise than is held true to the next. Default: 1s, or `interval` if that is shorter.",
    ),
  backoff: period
    .optional()
    .describe(
      "While it is down each interval is twice the one before, up to this. Default: `interval`, none is longer.",
    ),
  start: oneOf(["up", "down"])
    .optional()
    .describe("What it is held to be before its first result. Default: `up`."),
  address: address("an IPv4 or IPv6 address")
    .optional()
    .describe("Who is asked. Default: the destination."),
  port: integer(1, 0xffff).optional().describe("Default: the destination's port."),
  via: z
    .union(
      [z.enum(["vip", "direct"]), address("a VIP's address")],
      expecting("vip, direct, or a VIP's address"),
    )
    .optional()
    .describe(
      "`vip`: probes reach the server as clients' packets do, with the VIP as destination, so that a server that lacks the VIP is down. `direct`: they go to its own address. An address: that VIP is meant, for services of a mark, whose VIP nobody told. Default: `vip` with forwarding `route` or `tunnel`, else `direct`.",
    ),
};

const kinds = Object.entries(CHECK_KINDS).map(([type, { says, settings }]) =>
  keyed({ type: z.literal(type).describe(says), ...settings, ...COMMON }),
) as readonly z.ZodObject[] as readonly [z.ZodObject, ...z.ZodObject[]];

type CommonContent = z.infer<z.ZodObject<typeof COMMON>>;

/** One kind's settings are beside what all have. */
export type CheckContent = CommonContent & {
  readonly type: CheckKind;
  readonly [setting: string]: unknown;
};

export const check = z
  .discriminatedUnion(
    "type",
    kinds as never,
    expecting(`one of ${Object.keys(CHECK_KINDS).join(", ")}`),
  )
  .meta({ id: "check" }) as unknown as z.ZodType<CheckContent>;

const checkOrName = z.union(
  [text("a check's name"), check],
  expecting("a check's name, or a check such as {type: tcp}"),
);

/** Wherever destinations may be told how they are checked. */
export const checkKeys = {
  check: checkOrName
    .optional()
    .describe("How it is checked: by the name of one of `checks`, or such as `{type: tcp}`."),
  checks: listOf(checkOrName, "checks")
    .optional()
    .describe("Instead of `check`: several, all of which must say that it is up; `[]`: none."),
};

export const onFailure = oneOf(["remove", "inhibit"]);

const sorry = keyed({
  address: address("an IPv4 or IPv6 address").describe("Its address."),
  port: integer(0, 0xffff).optional().describe("Default: the service's port."),
  forwarding: forwarding
    .optional()
    .describe("How packets reach it. Default: as the service's `defaults` or the file's say."),
  weight: integer(1, 0xffff).optional().describe("Default: 1."),
  standing: flag()
    .optional()
    .describe("Whether it always stands, with weight 0 while it is not needed. Default: false."),
}).meta({ id: "sorry" });

const flapping = keyed({
  changes: integer(2, COUNT_MAX).describe("Going down so often ..."),
  within: period.describe("... within so long ..."),
  hold: period.describe("... has it stay down for so long."),
}).meta({ id: "flapping" });

export const health = keyed({
  onFailure: onFailure
    .optional()
    .describe(
      "What becomes of a destination that is down. `remove`: it goes from the service. `inhibit`: it stays, with weight 0. Default: `remove`.",
    ),
  quorum: integer(1, INT_MAX)
    .optional()
    .describe(
      "The sum of the weights of those that are up by which the service is. Lost: below `quorum` minus `hysteresis`, or at 0; gained: from `quorum` plus `hysteresis` on. Default: 1.",
    ),
  hysteresis: integer(0, INT_MAX).optional().describe("Default: 0."),
  sorry: sorry
    .optional()
    .describe("Who answers, alone, while the quorum is lost. Default: nobody."),
  slowStart: z
    .union([z.literal(0), period], expecting("a time, or 0"))
    .optional()
    .describe(
      "For how long a destination that came up is on its way from a tenth of its weight to all of it. Default: 0.",
    ),
  panic: integer(0, 100)
    .optional()
    .describe(
      "When less of a hundred destinations are up, all are kept, as if all were: more likely the checks are wrong. Default: 0, never.",
    ),
  flapping: flapping
    .optional()
    .describe("What becomes of one that goes down again and again. Default: nothing else."),
}).meta({ id: "health" });

export type CheckKeys = z.infer<z.ZodObject<typeof checkKeys>>;
export type HealthContent = z.infer<typeof health>;
