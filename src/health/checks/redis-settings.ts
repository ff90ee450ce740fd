import type { z } from "zod";
import { flag, oneOf } from "../../base/schema-terms.ts";
import { SECURE_SETTINGS } from "./secure-settings.ts";

export const REDIS_SETTINGS = {
  role: oneOf(["master", "replica"])
    .optional()
    .describe(
      "What the server must be (`ROLE`); it must not ask for a password then. Default: either.",
    ),
  tls: flag().optional().describe("Whether it is spoken to over TLS. Default: false."),
  ...SECURE_SETTINGS,
};

export type RedisSettings = z.infer<z.ZodObject<typeof REDIS_SETTINGS>>;
