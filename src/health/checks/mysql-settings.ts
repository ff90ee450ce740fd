import type { z } from "zod";
import { flag } from "../../base/schema-terms.ts";
import { databaseName } from "./postgres-settings.ts";
import { SECURE_SETTINGS } from "./secure-settings.ts";

export const MYSQL_SETTINGS = {
  user: databaseName()
    .optional()
    .describe(
      "A user without a password and without rights, as whom the probe logs in and out, so that the server does not count it as a client that fails (`max_connect_errors`). Default: the greeting is enough.",
    ),
  tls: flag()
    .optional()
    .describe("Whether TLS is asked for; the server must have it then. Default: false."),
  ...SECURE_SETTINGS,
};

export type MysqlSettings = z.infer<z.ZodObject<typeof MYSQL_SETTINGS>>;
