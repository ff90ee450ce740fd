/** Checks mark rules from outside against wire-marks.ts. */
import { z } from "zod";
import { MARK_PROTOCOLS } from "../ipvs/mark-rule.ts";
import { parsePrefix } from "../net/prefix.ts";
import type { WireMarkRule } from "./wire-marks.ts";

const prefix = z
  .string()
  .refine((text) => parsePrefix(text) !== undefined, "expected a prefix such as 10.0.0.0/8");

const port = z.int().min(0).max(0xffff);

const ports = z.array(z.strictObject({ first: port, last: port }));

const rule = z.strictObject({
  family: z.enum(["inet", "inet6"]),
  protocol: z.enum(MARK_PROTOCOLS).default("any"),
  source: prefix.nullable().default(null),
  sourcePorts: ports.default([]),
  destination: prefix.nullable().default(null),
  destinationPorts: ports.default([]),
  mark: z.int().min(1).max(0xffff_ffff),
});

export const MARK_RULE_SCHEMA: z.ZodType<WireMarkRule> = rule;

/** A rule to add, and the place that it shall have, from 1; without one it is the last. */
export const MARK_RULE_ADDITION_SCHEMA: z.ZodType<
  WireMarkRule & { position?: number | undefined }
> = rule.extend({ position: z.int().min(1).optional() });
