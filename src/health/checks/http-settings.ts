import { z } from "zod";
import { expecting, flag, integer, keyed, oneOf, text } from "../../base/schema-terms.ts";
import { SECURE_SETTINGS } from "./secure-settings.ts";

const BODY_MAX_BYTES = 16_777_216;

const A_STATUS = expecting('a status from 100 to 599, or a range such as "200-299"');
const A_PATH = expecting('a path such as "/health?full=1"');
const A_HOST = expecting("a host's name, and its port if it is no usual one");
const A_HEADER = expecting("a header's value without line ends");
const A_DIGEST = expecting(
  'a digest such as "md5:d41d8cd98f00b204e9800998ecf8427e", of md5, sha1, sha256 or sha512',
);

const status = z.union(
  [
    z.int(A_STATUS).min(100, A_STATUS).max(599, A_STATUS),
    z
      .string(A_STATUS)
      .regex(/^[1-5]\d\d(-[1-5]\d\d)?$/, A_STATUS)
      .refine((range) => range.slice(0, 3) <= range.slice(-3), A_STATUS),
  ],
  A_STATUS,
);

function pattern() {
  return text("a regular expression").refine(isPattern, expecting("a regular expression"));
}

function isPattern(source: string): boolean {
  try {
    new RegExp(source, "mu");
    return true;
  } catch {
    return false;
  }
}

const body = keyed({
  contains: text("a text").optional().describe("A text that must be in it."),
  matches: pattern()
    .optional()
    .describe(
      "A regular expression of JavaScript that must match in it; `^` and `$` stand at lines.",
    ),
  lacks: pattern().optional().describe("A regular expression that must match nowhere in it."),
  ignoreCase: flag()
    .optional()
    .describe("Whether small and capital letters are the same for the three. Default: false."),
  digest: z
    .string(A_DIGEST)
    .regex(/^(md5:[\da-f]{32}|sha1:[\da-f]{40}|sha256:[\da-f]{64}|sha512:[\da-f]{128})$/i, A_DIGEST)
    .optional()
    .describe("The whole body's digest; keepalived's is `md5:` and 32 hexadecimal digits."),
  maxBytes: integer(1, BODY_MAX_BYTES)
    .optional()
    .describe("How much of it is looked at. A longer one has no digest. Default: 262144."),
}).meta({ id: "checkBody" });

export type BodySettings = z.infer<typeof body>;

export const HTTP_SETTINGS = {
  path: z
    .string(A_PATH)
    .max(4_096, A_PATH)
    .regex(/^\/[!-~]*$/, A_PATH)
    .optional()
    .describe("What is asked for, with its query. Default: `/`."),
  // What servers are asked for is not always a host's name.
  host: z
    .string(A_HOST)
    .max(255, A_HOST)
    .regex(/^[!-~]([ -~]*[!-~])?$/, A_HOST)
    .optional()
    .describe(
      "The Host header. Default: the server's address, and its port if it is no usual one.",
    ),
  method: oneOf(["GET", "HEAD", "OPTIONS", "POST"]).optional().describe("Default: `GET`."),
  headers: z
    .record(
      z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/),
      z.string(A_HEADER).regex(/^[\t -~\u0080-\u00ff]*$/, A_HEADER),
      expecting("headers' names with values"),
    )
    .optional()
    .describe("Further headers, such as `{authorization: Bearer abc}`."),
  version: oneOf(["1.1", "2"])
    .optional()
    .describe('HTTP\'s version, as a text: `"2"`. Default: `"1.1"`.'),
  status: z
    .array(status, expecting("a list of statuses"))
    .min(1, expecting("a list of statuses"))
    .optional()
    .describe('Which statuses are good, such as `[200, "300-399"]`. Default: `["200-299"]`.'),
  body: body
    .optional()
    .describe(
      "What the body must be. Default: anything; it must come to its end, or to `maxBytes`.",
    ),
};

export const HTTPS_SETTINGS = { ...HTTP_SETTINGS, ...SECURE_SETTINGS };

export type HttpSettings = z.infer<z.ZodObject<typeof HTTP_SETTINGS>>;
export type HttpsSettings = z.infer<z.ZodObject<typeof HTTPS_SETTINGS>>;
