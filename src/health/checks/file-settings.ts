import { flag, integer, text } from "../../base/schema-terms.ts";

export const FILE_SETTINGS = {
  path: text("a file's path").describe(
    "A file on the director that has a number in it. 0 or below: down. A file that cannot be read, or has no number: down.",
  ),
  dynamic: flag()
    .optional()
    .describe("Whether the number is the destination's weight, too. Default: false."),
  multiplier: integer(-1_000, 1_000)
    .optional()
    .describe("What the number is multiplied with. Default: 1."),
};
