import fc from "fast-check";
import { expect, test } from "vitest";
import { attributesIn, emitMessage, messagesIn, numberIn, textIn } from "./netlink-message.ts";

test("a message is read as it was written", () => {
  const bytes = emitMessage(16, 5, 7, Uint8Array.of(1, 2, 3, 4), [
    [3, "eth0"],
    [4, 1500],
    [18, [[1, "veth"]]],
    [1, Uint8Array.of(9, 8, 7)],
  ]);
  const [message] = messagesIn(bytes);
  expect(message).toMatchObject({ type: 16, flags: 5 });
  const attributes = attributesIn(message!.body, 4);
  expect(textIn(attributes, 3)).toBe("eth0");
  expect(numberIn(attributes, 4)).toBe(1500);
  expect(textIn(attributesIn(attributes.get(18)!), 1)).toBe("veth");
  expect([...attributes.get(1)!]).toEqual([9, 8, 7]);
  expect(numberIn(attributes, 1)).toBeUndefined();
  expect(textIn(attributes, 99)).toBeUndefined();
});

test("several messages of one datagram are read, and what is cut short is left out", () => {
  const one = emitMessage(1, 0, 0, Uint8Array.of(1));
  const two = emitMessage(2, 0, 0, Uint8Array.of(2, 3));
  const both = new Uint8Array([...one, ...two]);
  expect([...messagesIn(both)].map(({ type }) => type)).toEqual([1, 2]);
  expect([...messagesIn(both.subarray(0, both.length - 1))].map(({ type }) => type)).toEqual([1]);
});

test("no bytes make it throw or go on forever", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const { body } of messagesIn(bytes)) attributesIn(body, 4);
      attributesIn(bytes);
    }),
  );
});
