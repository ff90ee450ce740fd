import type { z } from "zod";
import { oneOf } from "../../base/schema-terms.ts";
import { hostName, SECURE_SETTINGS } from "./secure-settings.ts";

export const SMTP_SETTINGS = {
  helo: hostName()
    .optional()
    .describe(
      "By which name the probe says hello. Default: the director's host name where it has a domain, else its address in brackets.",
    ),
  tls: oneOf(["starttls", "always"])
    .optional()
    .describe(
      "Whether TLS is asked for (`starttls`: port 25 or 587), or spoken from the first byte (`always`: port 465). Default: neither.",
    ),
  ...SECURE_SETTINGS,
};

export type SmtpSettings = z.infer<z.ZodObject<typeof SMTP_SETTINGS>>;
