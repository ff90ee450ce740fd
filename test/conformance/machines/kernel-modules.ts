/** A kernel's modules on the host's disk, and the order in which they load. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** In a module's section .modinfo: `depends=nf_conntrack,nf_defrag_ipv6`. */
const DEPENDS = /\0depends=([^\0]*)\0/;

export class KernelModules {
  /** Module's name → its file. */
  readonly #files: ReadonlyMap<string, string>;

  constructor(folder: string) {
    this.#files = new Map(
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".ko"))
        .map((path) => [nameOf(path), join(folder, path)]),
    );
  }

  has(name: string): boolean {
    return this.#files.has(canonical(name));
  }

  /** The files of these modules and of what they depend on, in an order that loads. What is not there is built in. */
  filesInOrder(names: readonly string[]): string[] {
    const ordered = new Set<string>();
    const visit = (name: string): void => {
      const file = this.#files.get(canonical(name));
      if (file === undefined || ordered.has(file)) return;
      for (const needed of dependenciesOf(file)) visit(needed);
      ordered.add(file);
    };
    for (const name of names) visit(name);
    return [...ordered];
  }
}

function nameOf(path: string): string {
  return canonical(basename(path, ".ko"));
}

/** Files may be named with hyphens; the kernel knows underscores. */
function canonical(name: string): string {
  return name.replaceAll("-", "_");
}

function dependenciesOf(file: string): string[] {
  const [, names = ""] = DEPENDS.exec(readFileSync(file, "latin1")) ?? [];
  return names.split(",").filter((name) => name !== "");
}
