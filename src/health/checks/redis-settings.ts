import type { z } from "zod";
import { oneOf } from "../../base/schema-terms.ts";

export const REDIS_SETTINGS = {
  role: oneOf(["master", "replica"])
    .optional()
    .describe(
      "What the server must be (`ROLE`); it must not ask for a password then. Default: either.",
    ),
};

export type RedisSettings = z.infer<z.ZodObject<typeof REDIS_SETTINGS>>;
