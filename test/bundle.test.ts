/** A start uses a bundle of the sources as they are now, or none; and the packed package is whole. */
import { execFile, execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bundle } from "../scripts/bundle.ts";

const ROOT = join(import.meta.dirname, "..");
const STARTING = ["start.ts", "kept-bundle.ts", "keep-bundle.ts", "bundle.ts", "run-entry"];

/** A bundle is made only of sources that were left alone for seconds, and on a busy machine in its own time. */
const PATIENCE_MS = 120_000;
vi.setConfig({ testTimeout: PATIENCE_MS });

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-start-"));
});

afterEach(() => {
  // What makes a bundle may still be writing.
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
});

/** A checkout of a `sluice` that says a word, and whether it runs from its sources. */
function makeCheckout(): void {
  for (const name of ["src/cli", "scripts", "bin", "node_modules"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  for (const name of STARTING) cpSync(join(ROOT, "scripts", name), join(folder, "scripts", name));
  cpSync(join(ROOT, "bin/sluice"), join(folder, "bin/sluice"));
  symlinkSync(join(ROOT, "node_modules/rolldown"), join(folder, "node_modules/rolldown"));
  writeFileSync(join(folder, "node_modules/.sluice-setup"), "");
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  write("src/word.ts", 'export const word: string = "one";');
  write(
    "src/sluice.ts",
    `import { word } from "./word.ts";
     const from = process.argv[1]?.endsWith(".ts") ? "sources" : "bundle";
     console.log(word, from, ...process.argv.slice(2), new URL("beside", import.meta.url).pathname);`,
  );
}

function write(path: string, text: string): void {
  writeFileSync(join(folder, path), text);
}

async function start(...words: string[]): Promise<string> {
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const env = { ...process.env, PATH: path, NODE_COMPILE_CACHE: join(folder, "compiled") };
  return (await promisify(execFile)(join(folder, "bin/sluice"), words, { env })).stdout.trim();
}

/** Starts until it is from a bundle; each start says `word`. */
async function untilBundled(word: string): Promise<string> {
  for (;;) {
    const said = await start("a b", "c");
    expect(said).toMatch(new RegExp(`^${word} (sources|bundle) a b c `));
    if (said.startsWith(`${word} bundle`)) return said;
    await sleep(100);
  }
}

test("a checkout starts from a bundle, and never from one of other sources", async () => {
  makeCheckout();
  expect(await start()).toBe(`one sources ${folder}/src/beside`);
  expect(await untilBundled("one")).toBe(`one bundle a b c ${folder}/src/beside`);

  // A change that shows neither in the size nor in the modification's time, right after the file was read.
  const { atime, mtime } = statSync(join(folder, "src/word.ts"));
  write("src/word.ts", 'export const word: string = "two";');
  utimesSync(join(folder, "src/word.ts"), atime, mtime);
  expect(await start()).toMatch(/^two sources/);
  await untilBundled("two");

  // A file in another's place, which is older than the bundle.
  write("elsewhere.ts", 'export const word: string = "six";');
  utimesSync(join(folder, "elsewhere.ts"), 1, 1);
  renameSync(join(folder, "elsewhere.ts"), join(folder, "src/word.ts"));
  expect(await start()).toMatch(/^six sources/);
  await untilBundled("six");

  // A source more that nobody imports: cheaper to make anew than to find out.
  write("src/more.ts", "");
  expect(await start()).toMatch(/^six sources/);

  // One that is no TypeScript: what the sources say is said.
  write("src/word.ts", "export const = 1;");
  await expect(start()).rejects.toThrow("word.ts");
});

test("those who start at the same time have one bundle made, whole", async () => {
  makeCheckout();
  const saying = await Promise.all(Array.from({ length: 4 }, () => untilBundled("one")));
  expect(new Set(saying).size).toBe(1);
  const kept = readdirSync(join(folder, "node_modules/.cache/bundles"));
  expect(kept.filter((name) => /^[0-9a-f]{8}$/.test(name))).toHaveLength(1);
});

test("a bundle that was not finished is not run", async () => {
  makeCheckout();
  await untilBundled("one");
  const bundles = join(folder, "node_modules/.cache/bundles");
  const [name = ""] = readdirSync(bundles).filter((name) => /^[0-9a-f]{8}$/.test(name));
  writeFileSync(join(bundles, name, "made-from"), "others");
  expect(await start()).toMatch(/^one sources/);
});

test("without what makes a bundle, sources run", async () => {
  makeCheckout();
  rmSync(join(folder, "node_modules/rolldown"));
  expect(await start()).toMatch(/^one sources/);
  await sleep(2_500);
  expect(await start()).toMatch(/^one sources/);
  expect(existsSync(join(folder, "node_modules/.cache/bundles"))).toBe(false);
});

test("the packed package starts, and needs no package but the native one", async () => {
  const own = join(folder, "node_modules/sluice");
  mkdirSync(own, { recursive: true });
  cpSync(join(ROOT, "package.json"), join(own, "package.json"));
  await bundle(ROOT, join(own, "dist"));
  const { files } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly files: readonly string[];
  };
  for (const name of files.filter((name) => !["dist", "docs"].includes(name))) {
    cpSync(join(ROOT, name), join(own, name), { recursive: true });
  }
  for (const name of ["koffi", "@koromix"]) {
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
  mkdirSync(join(folder, "node_modules/.bin"));
  const run = (name: string, ...words: string[]): string => {
    const command = join(folder, "node_modules/.bin", name);
    if (!existsSync(command)) symlinkSync(`../sluice/bin/${name}`, command);
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
    return execFileSync(command, words, {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  };
  expect(run("sluice", "version")).toBe("sluice 0.1.0\n");
  for (const name of ["daemon", "decapsulate", "status", "reasons", "sysctl", "lab"]) {
    expect(run("sluice", name, "--help")).toContain(`sluice ${name}`);
  }
  for (const name of ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"]) {
    expect(() => run(name)).toThrow("Nothing answers");
  }
});
