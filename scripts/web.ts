/**
 * web.ts [--port N] [--build]: builds the pages of web/ into dist/web when a source of theirs is newer, and serves them on
 * 127.0.0.1, to whoever is on this host. `--build` only builds.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync } from "node:zlib";
import { pageAt } from "../src/api/ui/pages.ts";

const root = resolve(import.meta.dirname, "..");
const built = join(root, "dist/web");
/** Of what the last build was made. */
const STAMP = ".sources";

const { values } = parseArgs({
  options: { port: { type: "string" }, build: { type: "boolean", default: false } },
});

await buildIfStale();
if (!values.build) serve(Number(values.port ?? "0"));

async function buildIfStale(): Promise<void> {
  const sources = stateOfSources();
  if (lastBuild() === sources) return;
  const { build } = await import("vite");
  process.stderr.write("web: building the pages\n");
  const making = `${built}.${process.pid}`;
  await build({ configFile: join(root, "web/vite.config.ts"), build: { outDir: making } });
  compress(making);
  writeFileSync(join(making, STAMP), sources);
  exchange(making);
}

/** At once whole: somebody may be served of the one before, and somebody else may have built meanwhile. */
function exchange(making: string): void {
  const before = `${making}.before`;
  if (existsSync(built)) renameSync(built, before);
  try {
    renameSync(making, built);
  } catch (error) {
    if (!existsSync(join(built, STAMP))) throw error;
  } finally {
    for (const folder of [making, before]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Once, here, and not at each request. */
function compress(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!/\.(js|css)$/.test(name)) continue;
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(readFileSync(join(folder, name))));
  }
}

function lastBuild(): string | undefined {
  try {
    return readFileSync(join(built, STAMP), "utf8");
  } catch {
    return undefined;
  }
}

/** The pages have the director's sources in them, and more of src/ than is worth telling apart. */
function stateOfSources(): string {
  const hash = createHash("sha256");
  const addAll = (folder: string): void => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) addAll(path);
      else add(path);
    }
  };
  const add = (path: string): void => {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  };
  addAll("web");
  addAll("src");
  add("package-lock.json");
  return hash.digest("hex");
}

function serve(port: number): void {
  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.once("error", (error) => {
    process.stderr.write(`web: cannot listen on 127.0.0.1: ${error.message}\n`);
    process.exit(1);
  });
  server.listen({ host: "127.0.0.1", port }, () => {
    const { port: own } = server.address() as AddressInfo;
    process.stdout.write(`The laboratory: http://127.0.0.1:${own}/#/laboratory\n`);
  });
}

async function answer(
  { url = "/", headers }: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const accepts = headers["accept-encoding"]?.toString();
  const page = await pageAt(url.replace(/[?#].*/, "").slice(1), accepts);
  outgoing.writeHead(page.status, Object.fromEntries(page.headers));
  outgoing.end(new Uint8Array(await page.arrayBuffer()));
}
