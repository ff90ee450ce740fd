import { z } from "zod";
import { expecting, listOf } from "../../base/schema-terms.ts";
import { SECURE_SETTINGS } from "./secure-settings.ts";

const A_PROTOCOL = expecting("a protocol's name such as h2");

export const TLS_SETTINGS = {
  ...SECURE_SETTINGS,
  protocols: listOf(
    z.string(A_PROTOCOL).min(1, A_PROTOCOL).max(255, A_PROTOCOL),
    "protocols' names",
  )
    .max(16, expecting("at most 16 protocols' names"))
    .optional()
    .describe(
      "What is offered by ALPN, such as `[h2]`; the server must take one of them. Default: ALPN is not used.",
    ),
};

export type TlsSettings = z.infer<z.ZodObject<typeof TLS_SETTINGS>>;
