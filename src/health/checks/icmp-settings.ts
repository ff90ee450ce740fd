import type { z } from "zod";
import { integer } from "../../base/schema-terms.ts";

export const ICMP_SETTINGS = {
  payloadBytes: integer(16, 1_232)
    .optional()
    .describe("How many bytes the echo request has after its header. Default: 56."),
};

export type IcmpSettings = z.infer<z.ZodObject<typeof ICMP_SETTINGS>>;
