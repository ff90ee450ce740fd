/**
 * Puts src/ together into few files: a chunk for each part that is loaded by itself, with the packages that it uses.
 * Loading four hundred modules one by one is most of what a start takes (docs/decisions/0011-a-bundle.md).
 *
 *     node scripts/bundle.ts FOLDER [PLACE]     PLACE: where, in a copy of this checkout, it will lie; FOLDER
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/**
 * Writes the bundle of `root`/src into `folder`, all side by side, to be run from `place`. Resolves to the packages that it contains, by their
 * folders; rejects when a source cannot be understood.
 */
export async function bundle(
  root: string,
  folder: string,
  place: string = folder,
): Promise<readonly string[]> {
  const entries = ["sluice", ...commandsOf(root)];
  await using sources = await rolldown({
    cwd: root,
    input: Object.fromEntries(
      entries.map((entry) => [basename(entry), join(root, "src", `${entry}.ts`)]),
    ),
    platform: "node",
    // React has another self for those who develop with it, which is larger and remembers each frame; ink looks for its tools.
    transform: {
      target: "es2022",
      define: { "process.env.NODE_ENV": '"production"', "process.env.DEV": '"false"' },
    },
    plugins: [keepPlaces(root, place), REQUIRED],
    logLevel: "silent",
  });
  const { output } = await sources.write({
    dir: folder,
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    sourcemap: true,
    codeSplitting: { groups: groupsOf(root) },
  });
  const modules = output.flatMap((part) => (part.type === "chunk" ? part.moduleIds : []));
  const packages = modules.map((id) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0]);
  return [...new Set(packages)].filter((name) => name !== undefined).sort();
}

/**
 * A file for every set of parts that share some modules would be forty for the daemon, a millisecond each to find and read.
 * So what it needs at its start lies together: what commands need, too; what its socket needs; and the rest.
 */
function groupsOf(root: string) {
  const groups = [
    ["command", "src/cli/ipvsadm-main.ts"],
    ["start", "src/daemon/main.ts"],
    ["director", "src/daemon/director.ts"],
  ].map(([name, entry]) => ({ name: `${name}-parts`, entry: join(root, entry!) }));
  const needs = new Map<string, ReadonlySet<string>>();
  return [
    { name: "node", test: /^\0(node:|koffi$)/ },
    {
      test: join(root, "src"),
      minShareCount: 2,
      name(id: string, infos: ModuleInfos) {
        for (const { name, entry } of groups) {
          if (!needs.has(name)) needs.set(name, importedBy(entry, infos));
          if (id !== entry && needs.get(name)!.has(id)) return name;
        }
        return null;
      },
    },
  ];
}

interface ModuleInfos {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/** A module and what is loaded with it, not later. */
function importedBy(entry: string, infos: ModuleInfos): ReadonlySet<string> {
  const found = new Set([entry]);
  // A set goes on to what is added to it meanwhile.
  for (const id of found)
    for (const other of infos.getModuleInfo(id)?.importedIds ?? []) found.add(other);
  return found;
}

/** Packages that name their licence and do not bring its text: of the same authors, under the same terms (MIT), are these. */
const SAME_TERMS: Readonly<Record<string, string>> = { "yoga-layout": "react" };

/** What is copied bears its authors' names and terms: MIT and ISC, as all of these are, ask for no more. */
function licencesOf(packages: readonly string[]): string {
  const texts = packages.map((path) => {
    const name = basename(path);
    const from = join(dirname(path), SAME_TERMS[name] ?? name);
    const [file] = readdirSync(from).filter((each) => /^licen[cs]e/i.test(each));
    if (file === undefined) throw new Error(`${path} has no licence`);
    return `${name}\n\n${readFileSync(join(from, file), "utf8").trim()}\n`;
  });
  return texts.join("\n----\n\n");
}

/** Each command beside `sluice` has an entry of its own. */
function commandsOf(root: string): string[] {
  return readdirSync(join(root, "src/cli"))
    .filter((name) => name.endsWith("-main.ts"))
    .map((name) => `cli/${name.slice(0, -".ts".length)}`);
}

/**
 * Imported as ES modules, Node's own modules would be evaluated whole, with all that they otherwise load late: for
 * node:http alone that is fetch(), HTTP/2 and WebSocket, 40 ms. koffi, which is native and so no part of a bundle, would
 * bring more of them.
 */
const REQUIRED = {
  name: "required",
  resolveId: {
    filter: { id: /^(node:(?!module$).+|koffi)$/ },
    handler: (id: string) => `\0${id}`,
  },
  load: {
    filter: { id: /^\0(node:|koffi$)/ },
    handler: (id: string) =>
      id === "\0koffi"
        ? 'import { createRequire } from "node:module";\nexport default createRequire(import.meta.url)("koffi");'
        : `module.exports = process.getBuiltinModule(${JSON.stringify(id.slice(1))});`,
  },
};

/** A source that looks for a file beside itself finds it from the bundle, too. */
function keepPlaces(root: string, folder: string) {
  return {
    name: "keep-places",
    transform: {
      filter: { code: /\bimport\.meta\.url\b/, id: { include: [join(root, "src", "**")] } },
      handler(code: string, id: string) {
        const path = relative(folder, id).split(sep).join("/");
        const place = `new URL(${JSON.stringify(path)}, import.meta.url).href`;
        return { code: code.replaceAll(/\bimport\.meta\.url\b/g, place) };
      },
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = resolve(import.meta.dirname, "..");
  const folder = resolve(root, process.argv[2] ?? "dist");
  const packages = await bundle(root, folder, resolve(root, process.argv[3] ?? folder));
  writeFileSync(join(folder, "LICENSES"), licencesOf(packages));
}
