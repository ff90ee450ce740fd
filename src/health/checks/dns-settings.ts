import { z } from "zod";
import { expecting, flag, listOf, oneOf, text } from "../../base/schema-terms.ts";

const A_NAME = expecting("a domain's name");

/** RFC 1035 section 3.1: labels of 63 octets at most, 255 with their lengths. */
const NAME = /^(\.|([!-\-/-~]{1,63}\.)*[!-\-/-~]{1,63}\.?)$/;

export const DNS_TYPES = [
  "A",
  "AAAA",
  "CAA",
  "CNAME",
  "DNSKEY",
  "DS",
  "MX",
  "NS",
  "PTR",
  "SOA",
  "SRV",
  "TXT",
] as const;

export const DNS_SETTINGS = {
  name: z
    .string(A_NAME)
    .max(253, A_NAME)
    .regex(NAME, A_NAME)
    .optional()
    .describe("Which name is asked for. Default: `.`, the root."),
  query: oneOf(DNS_TYPES).optional().describe("Which type of records. Default: `SOA`."),
  recursion: flag()
    .optional()
    .describe("Whether the server is to ask others for what it does not know. Default: true."),
  transport: oneOf(["udp", "tcp"])
    .optional()
    .describe("By what it is asked. Default: `udp`, and `tcp` for an answer that did not fit."),
  rcode: oneOf(["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED"])
    .optional()
    .describe("The response code that is good. Default: `NOERROR`."),
  answers: listOf(text("a record's data"), "records' data")
    .optional()
    .describe(
      'What must be among the answers, all of them: addresses, names, `"10 mail.example.com"` for MX, the text of TXT. Default: anything, also nothing.',
    ),
};

export type DnsSettings = z.infer<z.ZodObject<typeof DNS_SETTINGS>>;
