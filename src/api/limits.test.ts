import { expect, test } from "vitest";
import { connectionsMax } from "./limits.ts";

// biome-ignore format: a table
const limits: [text: string, connections: number][] = [
  ["Max open files            1048576              1048576              files     \n", 1000],
  ["Limit  Soft\nMax open files            1024                 524288               files\n", 256],
  ["Max open files            20                   20                   files\n", 5],
  ["Max open files            unlimited            unlimited            files\n", 1000],
  ["", 1000],
];

test.for(limits)("%j allows %d connections", ([text, connections]) => {
  expect(connectionsMax(text)).toBe(connections);
});
