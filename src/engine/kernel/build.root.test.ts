import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BpfError, BpfObject } from "./libbpf.ts";

const path = (name: string): string => new URL(`../../../${name}`, import.meta.url).pathname;

/** Another compiler makes other code of the same source; the committed objects are of this one (Debian 12's). */
const COMPILER = /clang version 14\./;

test("the committed object is what its source makes: else run scripts/build-bpf", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bpf-"));
  try {
    execFileSync(path("scripts/build-bpf"), [folder]);
    const built = readFileSync(join(folder, "director.bpf.o"));
    const abi = readFileSync(join(folder, "abi.ts"), "utf8");
    expect(abi).toBe(readFileSync(path("src/engine/kernel/abi.ts"), "utf8"));
    using _loads = new BpfObject(built, { connections: 16 });
    if (!COMPILER.test(execFileSync("clang", ["--version"]).toString())) return;
    expect(built.equals(readFileSync(path("bpf/director.bpf.o")))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what is no object is refused in words", () => {
  expect(() => new BpfObject(new Uint8Array(100), {})).toThrow(BpfError);
});
