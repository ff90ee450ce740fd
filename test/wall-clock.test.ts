/**
 * The wall clock may be set, forwards and back, at any moment: what packets, connections and checks go by is a clock that
 * never goes back (base/clock.ts, performance.now()). Whoever asks the wall clock in these folders stands here, with why.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../src");
const FOLDERS = ["base", "net", "ipvs", "engine", "health", "decapsulator"];
const WALL_CLOCK = /\bDate\.now\b|\bnew Date\(\s*\)/;

/** By file, why a step does no harm there. */
const ALLOWED: Readonly<Record<string, string>> = {
  "engine/host/vips/announcer.ts": "since when, as a person reads it",
  "engine/host/vips/vip-keeper.ts": "since when, as a person reads it",
  "engine/kernel/pins.ts":
    "a folder's age, as its file system has it: a step leaves one that is not whole for longer, or has a start that met it go on without pins, which is said",
  "engine/userspace/ring/packet-ring.ts":
    "the kernel's own stamp on a frame is the wall clock's: asked after the process stood still, and a step then costs the frames in the ring",
  "engine/userspace/trace/watches.ts": "the time that a person reads beside a packet",
  "health/checks/secure.ts": "a certificate ends at a date",
  "health/memory.ts": "a file's age, over a restart: at worst servers that were down begin as up",
};

const sources = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith(".ts") && !/\.(test|contract)\.ts$/.test(name))
    .map(({ parentPath, name }) => join(parentPath, name)),
);

test("packets, connections and checks do not go by the wall clock", () => {
  const asking = sources
    .filter((path) => {
      const code = readFileSync(path, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
      return WALL_CLOCK.test(code);
    })
    .map((path) => relative(ROOT, path));
  expect(asking.toSorted()).toEqual(Object.keys(ALLOWED).toSorted());
});
