import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connect, Namespace, untilPrinted } from "../../../test/userspace/namespaces.ts";
import type { Hook } from "./attachments.ts";
import { leavePinPlace } from "./pin-place.ts";
import { Pins } from "./pins.ts";

const LEAVER = new URL("../../../test/userspace/leave-programs.ts", import.meta.url).pathname;

let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "sluice-pins-"));
  execFileSync("mount", ["-t", "bpf", "bpf", place]);
});

afterEach(() => {
  execFileSync("umount", [place]);
  rmdirSync(place);
});

const kept = (): string[] => {
  const folder = join(place, "sluice");
  return existsSync(folder) ? readdirSync(folder) : [];
};

const hooks: Hook[] = ["tcx", "clsact"];

test.for(hooks)("pins of a network namespace that has gone are removed: %s", async (hook) => {
  {
    using host = new Namespace("host");
    using other = new Namespace("other");
    connect(host, "outside", other, "outside");
    await untilPrinted(host.startNode(LEAVER, place, "outside", hook), "left");
    Pins.sweep(place);
    expect(kept()).toHaveLength(1);
  }
  // The kernel takes its time to end a namespace.
  const swept = (): string[] => {
    Pins.sweep(place);
    return kept();
  };
  await expect.poll(swept).toEqual([]);
});

test("a file system beside the socket goes with the last that is kept in it", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-pins-"));
  const own = join(folder, "bpf");
  mkdirSync(own);
  execFileSync("mount", ["-t", "bpf", "bpf", own]);
  const others = join(own, "sluice", "net-1");
  mkdirSync(others, { recursive: true });
  leavePinPlace(folder);
  expect(existsSync(others)).toBe(true);
  rmdirSync(others);
  mkdirSync(join(own, "sluice"), { recursive: true });
  leavePinPlace(folder);
  expect(readdirSync(folder)).toEqual([]);
  rmdirSync(folder);
});
