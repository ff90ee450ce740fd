import fc from "fast-check";
import { expect, test } from "vitest";
import { CallIdFinder } from "./sip.ts";

/** Bytes before and behind the message, which must not be looked at. */
const AROUND = "\r\nCall-ID: outside\r\n";

function callIdOf(message: string): string | undefined {
  const bytes = Uint8Array.from(AROUND + message + AROUND, (character) => character.charCodeAt(0));
  const finder = new CallIdFinder();
  const start = AROUND.length;
  if (!finder.find(bytes, start, start + message.length)) return undefined;
  return String.fromCharCode(...bytes.subarray(finder.start, finder.start + finder.length));
}

const LONGEST = "x".repeat(255);

// biome-ignore format: a table
const MESSAGES: readonly [message: string, callId: string | undefined][] = [
  ["INVITE\r\nVia: x\r\nCall-ID: a@b\r\n\r\n", "a@b"],
  ["INVITE\r\ni:a@b\r\n",                      "a@b"],
  ["INVITE\r\ncALL-iD \t:\t a@b\r\n",          "a@b"],
  ["INVITE\nCall-ID: a\n",                     "a"],
  ["INVITE\rCall-ID: a\r",                     "a"],
  ["INVITE\r\nCall-ID\r\n :\r\n\ta\r\n",       "a"],
  ["INVITE\r\n\r\nCall-ID: a\r\n",             "a"],
  ["INVITE\n\nCall-ID: a\n",                   undefined],
  ["INVITE\r\n Call-ID: a\r\n",                undefined],
  ["INVITE\r\nCall-IDs: a\r\nCall-ID: b\r\n",  undefined],
  ["INVITE\r\nid: a\r\nCall-ID: b\r\n",        "b"],
  ["INVITE\r\nCall-ID:\r\nCall-ID: b\r\n",     undefined],
  ["INVITE\r\nCall-ID: @\r\nCall-ID: b\r\n",   "b"],
  // After the second the search goes on too far behind.
  ["\r\ni: @\r\ni: @\r\ni: b\r\n",             undefined],
  ["INVITE\r\nCall-ID: a@\r\n",                undefined],
  ["INVITE\r\nCall-ID: a b\r\n",               undefined],
  ["INVITE\r\nCall-ID: a",                     undefined],
  ["INVITE\r\nCall-ID: ",                      undefined],
  ["INVITE\r\nCall-ID:",                       undefined],
  ["INVITE\r\nCall-ID",                        undefined],
  ["INVITE\r\nCall-I",                         undefined],
  ["INVITE\r\ni",                              undefined],
  ["INVITE\r\n",                               undefined],
  ["Call-ID: a\r\n",                           undefined],
  ["",                                         undefined],
  [`\r\ni: ${LONGEST}\r\n`,                    LONGEST],
  [`\r\ni: ${LONGEST}x\r\n`,                   undefined],
];

test.for(MESSAGES)("the Call-ID of %j is %j", ([message, callId]) => {
  expect(callIdOf(message)).toBe(callId);
});

const piece = fc.oneof(
  fc.constantFrom(
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    "@",
    "Call-ID",
    "i",
    "a1",
    "Call-ID: a@b\r\n",
  ),
  fc.string({ minLength: 1, maxLength: 3, unit: "binary-ascii" }),
  fc.constantFrom("x".repeat(300), "\u00e4", "\u00d7"),
);

test("whatever a datagram holds, a Call-ID is a line's end of word characters inside it", () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const message = pieces.join("");
      const callId = callIdOf(message);
      if (callId === undefined) return;
      expect(callId).toMatch(/^[^\s@]+(@[^\s@]+)?$/);
      expect(callId.length).toBeLessThanOrEqual(255);
      expect(message.includes(`${callId}\r`) || message.includes(`${callId}\n`)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
