import { z } from "zod";
import { expecting, flag } from "../../base/schema-terms.ts";
import { SECURE_SETTINGS } from "./secure-settings.ts";

const A_NAME = expecting("a name of 1 to 63 bytes");

/** NAMEDATALEN of PostgreSQL, and well above MySQL's 32. */
export function databaseName() {
  return z.string(A_NAME).regex(/^[^\0]{1,63}$/, A_NAME);
}

export const POSTGRES_SETTINGS = {
  user: databaseName()
    .optional()
    .describe("As whom the probe begins a session; it never logs in. Default: `sluice`."),
  database: databaseName().optional().describe("Default: one of the user's name."),
  tls: flag()
    .optional()
    .describe("Whether TLS is asked for; the server must have it then. Default: false."),
  ...SECURE_SETTINGS,
};

export type PostgresSettings = z.infer<z.ZodObject<typeof POSTGRES_SETTINGS>>;
