import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { expect, test } from "vitest";
import { AvailableMemory, pageBytes, pagesIn } from "./available-memory.ts";

test("free memory and buffers, in pages", () => {
  const meminfo = "MemTotal:  8000 kB\nMemFree:   4000 kB\nBuffers:     96 kB\nCached:   999 kB\n";
  expect(pagesIn(meminfo, 4096)).toBe(1024);
  expect(() => pagesIn("MemFree: 1 kB\n", 4096)).toThrow("does not tell Buffers");
});

test("this machine's", () => {
  const bytes = pageBytes(readFileSync("/proc/self/auxv"));
  expect(bytes).toBe(Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" })));
  const troubles: unknown[] = [];
  const memory = new AvailableMemory((error) => troubles.push(error));
  expect(memory.pages() * bytes).toBeGreaterThan(0);
  expect(memory.pages() * bytes).toBeLessThan(totalmem());
  expect(troubles).toEqual([]);
  const last = memory.pages();
  memory[Symbol.dispose]();
  expect(memory.pages()).toBe(last);
  expect(troubles).toMatchObject([{ code: "EBADF" }]);
});
