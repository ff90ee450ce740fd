import { z } from "zod";
import { expecting, flag, text } from "../../base/schema-terms.ts";

export const EXEC_SETTINGS = {
  command: z
    .union(
      [text("a program"), z.array(z.string()).min(1)],
      expecting("a program with its arguments, as one text or as a list of words"),
    )
    .describe(
      "The program: one text that is split at spaces, or a list of words. No shell is asked. It finds `SLUICE_ADDRESS` and `SLUICE_PORT` in its environment.",
    ),
  dynamic: flag()
    .optional()
    .describe(
      "Whether exit codes from 2 to 255 mean that it is up with the weight of two less, as keepalived's `misc_dynamic`. Default: false, and only 0 is up.",
    ),
};
