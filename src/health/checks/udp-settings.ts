import { z } from "zod";
import { expecting, integer, keyed } from "../../base/schema-terms.ts";

/** What fits into a datagram without fragments on any path: RFC 8200's least MTU, without its headers. */
const PAYLOAD_MAX_BYTES = 1_232;
const DATAGRAM_MAX_BYTES = 65_507;

const A_PAYLOAD = expecting(`a text, or bytes such as {hex: "0a 0b"}, of at most 1232 bytes`);
const A_REPLY = expecting(
  'true, a text, or bytes such as {hex: "0a XX"}, where X is any hexadecimal digit',
);

const PAIRS = /^\s*([\da-f]{2}\s*)*$/i;
const PATTERN_PAIRS = /^\s*([\da-fx]{2}\s*)+$/i;

export const UDP_SETTINGS = {
  payload: z
    .union(
      [
        z.string(A_PAYLOAD).max(PAYLOAD_MAX_BYTES, A_PAYLOAD),
        keyed({
          hex: z
            .string(A_PAYLOAD)
            .max(3 * PAYLOAD_MAX_BYTES, A_PAYLOAD)
            .regex(PAIRS, A_PAYLOAD)
            .describe("Pairs of hexadecimal digits, with or without spaces between."),
        }),
      ],
      A_PAYLOAD,
    )
    .optional()
    .describe('What is sent: a text, or `{hex: "0a 0b"}`. Default: an empty datagram.'),
  reply: z
    .union(
      [
        z.boolean(),
        z.string(A_REPLY).min(1, A_REPLY),
        keyed({
          hex: z
            .string(A_REPLY)
            .regex(PATTERN_PAIRS, A_REPLY)
            .describe("Pairs of hexadecimal digits; X stands for any digit."),
        }),
      ],
      A_REPLY,
    )
    .optional()
    .describe(
      'Whether there must be a reply, and what it begins with: `true`, a text, or `{hex: "0a XX"}`. Default: false, and it is down when ICMP says that nobody listens, up when that has not come by the end of `timeout`.',
    ),
  replyBytesLeast: integer(0, DATAGRAM_MAX_BYTES)
    .optional()
    .describe("How long a reply must be at least. Default: 0."),
  replyBytesMost: integer(0, DATAGRAM_MAX_BYTES)
    .optional()
    .describe("How long it may be. Default: 65507."),
};

export type UdpSettings = z.infer<z.ZodObject<typeof UDP_SETTINGS>>;
