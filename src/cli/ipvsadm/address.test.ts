import { expect, test } from "vitest";
import { TEST_NAMES } from "../../../test/names.ts";
import { inetAton, readEndpoint } from "./address.ts";

// biome-ignore format: a table
const endpoints: [text: string, address: string | undefined, port?: number][] = [
  ["10.0.0.1",             "10.0.0.1"],
  ["10.0.0.1:80",          "10.0.0.1",         80],
  ["10.0.0.1:http",        "10.0.0.1",         80],
  ["10.0.0.1: 80",         "10.0.0.1",         80],
  ["10.0.0.1:+80",         "10.0.0.1",         80],
  ["10.0.0.1:65536",       undefined],
  ["10.0.0.1:-1",          undefined],
  ["10.0.0.1:",            undefined],
  ["10.0.0.1:nothing",     undefined],
  ["localhost",            "127.0.0.1"],
  ["localhost:http",       "127.0.0.1",        80],
  ["nowhere:80",           undefined],
  ["12345",                undefined],
  ["10:80",                "0.0.0.10",         80],
  ["",                     undefined],
  [":80",                  undefined],
  ["2001:db8::1",          "2001:db8::1"],
  ["[2001:db8::1]:80",     "2001:db8::1",      80],
  ["[2001:db8::1]",        undefined],
  ["[2001:db8::1]80",      undefined],
  ["[2001:db8::1]:",       undefined],
  ["[2001:db8::1%lo]:80",  undefined],
  ["[::1",                 undefined],
  ["[10.0.0.1]:80",        "10.0.0.1"],
  ["[10.0.0.1:80]:90",     "10.0.0.1",         80],
  ["[localhost]:80",       "127.0.0.1"],
];

test.for(endpoints)("readEndpoint(%j)", async ([text, address, port]) => {
  const endpoint = await readEndpoint(text, "tcp", TEST_NAMES);
  expect(endpoint?.address.toString()).toBe(address);
  expect(endpoint?.port).toBe(port);
});

test("a service name needs a protocol", async () => {
  expect(await readEndpoint("10.0.0.1:http", undefined, TEST_NAMES)).toBeUndefined();
  expect(await readEndpoint("10.0.0.1:http", "udp", TEST_NAMES)).toBeUndefined();
});

// biome-ignore format: a table
const words: [text: string, word: number | undefined][] = [
  ["10.1",          0x0a000001],
  ["10.1.2",        0x0a010002],
  ["0x0a000001",    0x0a000001],
  ["012.0.0.1",     0x0a000001],
  ["167772161",     0x0a000001],
  ["10.0.0.1 x",    0x0a000001],
  ["4294967295",    -1],
  ["4294967296",    undefined],
  ["256.0.0.1",     undefined],
  ["10.0.0.256",    undefined],
  ["10.16777216",   undefined],
  ["1.2.3.4.5",     undefined],
  ["10..1",         undefined],
  ["10.0.0.1.",     undefined],
  ["09.0.0.1",      undefined],
  ["0x",            undefined],
  ["",              undefined],
];

test.for(words)("inetAton(%j)", ([text, word]) => {
  expect(inetAton(text)).toBe(word);
});
