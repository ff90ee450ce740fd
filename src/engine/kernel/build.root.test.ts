import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { BpfError, BpfObject } from "./libbpf.ts";

const path = (name: string): string => new URL(`../../../${name}`, import.meta.url).pathname;

/** Another compiler makes other code of the same source; the committed objects are of this one (Debian 12's). */
const COMPILER = /clang version 14\./;

test("the committed objects are what their sources make: else run scripts/build-bpf", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bpf-"));
  try {
    execFileSync(path("scripts/build-bpf"), [folder]);
    const built = readFileSync(join(folder, "director.bpf.o"));
    const abi = readFileSync(join(folder, "abi.ts"), "utf8");
    expect(abi).toBe(readFileSync(path("src/engine/kernel/abi.ts"), "utf8"));
    using _loads = new BpfObject(built, { connections: 16 });
    if (!COMPILER.test(execFileSync("clang", ["--version"]).toString())) return;
    expect(built.equals(readFileSync(path("bpf/director.bpf.o")))).toBe(true);
    for (const other of ["bpf/gate.bpf.o", "bpf/xdp.bpf.o", "bench/yardstick.bpf.o"]) {
      expect(readFileSync(join(folder, basename(other))).equals(readFileSync(path(other)))).toBe(
        true,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what the verifier refuses is told in its words", () => {
  const object = readFileSync(path("bpf/director.bpf.o"));
  // A call of bpf_redirect(), made one of a helper that there is not.
  const at = object.indexOf(Uint8Array.of(0x85, 0, 0, 0, 23, 0, 0, 0));
  object.writeUInt32LE(0x7f_ffff, at + 4);
  expect(() => new BpfObject(object, { connections: 16 })).toThrow(/EINVAL: .*invalid func/);
});

test("what is no object is refused in words", () => {
  expect(() => new BpfObject(new Uint8Array(100), {})).toThrow(BpfError);
});
