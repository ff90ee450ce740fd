import type { z } from "zod";
import { hostName } from "./secure-settings.ts";

export const SMTP_SETTINGS = {
  helo: hostName()
    .optional()
    .describe("By which name the probe says hello. Default: the director's host name."),
};

export type SmtpSettings = z.infer<z.ZodObject<typeof SMTP_SETTINGS>>;
