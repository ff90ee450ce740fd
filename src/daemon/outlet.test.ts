import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Outlet } from "./outlet.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-outlet-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const LINE = `${"x".repeat(99)}\n`;

/** A pipe whose reader reads when it is told to. */
class Pipe implements Disposable {
  readonly reader: number;
  readonly writer: number;
  #isLeft = false;

  constructor() {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    this.reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // As a shell opens it: writes wait.
    this.writer = openSync(path, constants.O_WRONLY);
  }

  /** What can be read now. */
  read(): string {
    const bytes = Buffer.alloc(1 << 16);
    try {
      return bytes.toString("utf8", 0, readSync(this.reader, bytes));
    } catch (error) {
      expect(error).toMatchObject({ code: "EAGAIN" });
      return "";
    }
  }

  /** Its reader goes. */
  leave(): void {
    closeSync(this.reader);
    this.#isLeft = true;
  }

  [Symbol.dispose](): void {
    if (!this.#isLeft) closeSync(this.reader);
    closeSync(this.writer);
  }
}

test("a pipe that nobody reads stops nobody; what was lost is said in its place, when somebody does", async () => {
  using pipe = new Pipe();
  const outlet: Outlet = new Outlet(pipe.writer, {
    bytesMax: 10_000,
    onLost: (count) => outlet.write(`${count} lost\n`),
  });
  for (let count = 0; count < 5_000; count++) outlet.write(LINE);
  expect(outlet.lost).toBeGreaterThan(1_000);
  const { lost } = outlet;
  let read = "";
  await expect
    .poll(() => (read += pipe.read()), { timeout: 20_000, interval: 5 })
    .toContain(`\n${lost} lost\n`);
  outlet.write("after\n");
  await expect.poll(() => (read += pipe.read())).toContain(`\n${lost} lost\nafter\n`);
  expect(read.split("\n").filter((line) => `${line}\n` === LINE)).toHaveLength(5_000 - lost);
  await outlet.end(1_000);
});

test("a pipe stays as it was for those who share it", async () => {
  using pipe = new Pipe();
  const outlet = new Outlet(pipe.writer, { onLost: () => {} });
  outlet.write("one\n");
  await outlet.end(1_000);
  const flags = readFileSync(`/proc/self/fdinfo/${pipe.writer}`, "utf8");
  const [, octal = ""] = /flags:\s*(\d+)/.exec(flags) ?? [];
  expect(Number.parseInt(octal, 8) & constants.O_NONBLOCK).toBe(0);
  expect(pipe.read()).toBe("one\n");
});

test("a reader that goes away is no failure", async () => {
  using pipe = new Pipe();
  const outlet = new Outlet(pipe.writer, { onLost: () => {} });
  pipe.leave();
  outlet.write("one\n");
  outlet.write("two\n");
  await outlet.end(1_000);
  expect(outlet.lost).toBe(2);
});

test("a file is written where it ends", async () => {
  const path = join(folder, "log");
  const fd = openSync(path, "w");
  const before = new Outlet(fd, { onLost: () => {} });
  before.write("one\n");
  await before.end(1_000);
  const after = new Outlet(fd, { onLost: () => {} });
  after.write("two\n");
  after.write("three\n");
  await after.end(1_000);
  closeSync(fd);
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\nthree\n");
});

test("a file whose disk is slow stops nobody; what was lost is said in its place", async () => {
  const path = join(folder, "log");
  const fd = openSync(path, "a");
  const outlet: Outlet = new Outlet(fd, {
    bytesMax: 10_000,
    onLost: (count) => outlet.write(`${count} lost\n`),
  });
  // While this loop runs nobody can be told that anything was written, however quick the disk is.
  for (let count = 0; count < 5_000; count++) outlet.write(LINE);
  expect(outlet.lost).toBe(4_900);
  await expect.poll(() => readFileSync(path, "utf8")).toContain("\n4900 lost\n");
  await outlet.end(1_000);
  closeSync(fd);
  expect(readFileSync(path, "utf8")).toBe(`${LINE.repeat(100)}4900 lost\n`);
});

test("what a file lacks is written when the process is about to end", async () => {
  const path = join(folder, "log");
  const fd = openSync(path, "a");
  const outlet = new Outlet(fd, { onLost: () => {} });
  for (const line of ["one\n", "two\n", "three\n"]) outlet.write(line);
  outlet.flush();
  // The first may be on its way by a thread's hand.
  expect(readFileSync(path, "utf8")).toContain("two\nthree\n");
  await outlet.end(1_000);
  closeSync(fd);
  expect(readFileSync(path, "utf8").split("\n").toSorted()).toEqual(["", "one", "three", "two"]);
});

test("the end of a process does not wait for a reader", async () => {
  using pipe = new Pipe();
  const outlet = new Outlet(pipe.writer, { onLost: () => {} });
  for (let count = 0; count < 2_000; count++) outlet.write(LINE);
  await outlet.end(10);
});
