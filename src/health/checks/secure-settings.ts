import { z } from "zod";
import { expecting, flag, integer } from "../../base/schema-terms.ts";

const A_FILE = expecting("a file's absolute path");
const A_NAME = expecting("a host's name or address");

export function file() {
  return z.string(A_FILE).regex(/^\/[^\0]+$/, A_FILE);
}

/** A host's name as it stands in certificates and in HTTP's Host: letters, digits, and what addresses have. */
export function hostName() {
  return z
    .string(A_NAME)
    .max(255, A_NAME)
    .regex(/^[\w.:[\]-]+$/, A_NAME);
}

export const SECURE_SETTINGS = {
  serverName: hostName()
    .optional()
    .describe(
      "Whom the certificate must name, and SNI asks for. Default: `host` without its port, or else the server's address, without SNI.",
    ),
  verify: flag()
    .optional()
    .describe(
      "Whether the certificate must be valid, of an authority that is known, and name the server. Default: true.",
    ),
  authority: file()
    .optional()
    .describe(
      "A PEM file with the authorities whose certificates are believed. Default: those that Node knows.",
    ),
  expiryWarningDays: integer(0, 3_650)
    .optional()
    .describe("Fewer days before the certificate expires are a warning. Default: 14."),
  clientCertificate: file()
    .optional()
    .describe("A PEM file with the certificate that the probe shows. With `clientKey`."),
  clientKey: file().optional().describe("A PEM file with its private key."),
};

export type SecureSettings = z.infer<z.ZodObject<typeof SECURE_SETTINGS>>;
