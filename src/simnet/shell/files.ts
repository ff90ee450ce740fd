/** A host's files: /proc/sys and what else of /proc and /sys is asked for, and those that somebody wrote. */
import type { Host } from "../host/host.ts";
import { writtenArpCache } from "../text/arp-cache.ts";

const SYSCTLS = "/proc/sys/";

export class Files {
  readonly #host: Host;
  readonly #written = new Map<string, string>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Undefined: there is no such file. */
  read(path: string): string | undefined {
    if (path.startsWith(SYSCTLS)) {
      const value = this.#host.settings.read(dotted(path));
      return value === undefined ? undefined : `${value}\n`;
    }
    if (path === "/proc/net/arp") return writtenArpCache(this.#host);
    const [, card, name] = /^\/sys\/class\/net\/([^/]+)\/(\w+)$/.exec(path) ?? [];
    const found = this.#host.interface(card ?? "");
    if (found !== undefined && name === "address") return `${found.mac}\n`;
    if (found !== undefined && name === "mtu") return `${found.mtu}\n`;
    return this.#written.get(path);
  }

  /** Why it cannot be, in the C library's words; undefined when it is done. */
  write(path: string, text: string, isAppending: boolean): string | undefined {
    if (path === "/dev/null") return undefined;
    if (path.startsWith(SYSCTLS)) return this.#host.settings.write(dotted(path), text);
    if (/^\/(proc|sys|dev)\//.test(path)) return "Permission denied";
    const before = isAppending ? (this.#written.get(path) ?? "") : "";
    this.#written.set(path, before + text);
    return undefined;
  }

  /** Whether something can be written there at all: a file's place, or a setting that there is. */
  canOpen(path: string): boolean {
    return !path.startsWith(SYSCTLS) || this.#host.settings.read(dotted(path)) !== undefined;
  }

  remove(path: string): boolean {
    return this.#written.delete(path);
  }

  isDirectory(path: string): boolean {
    const inside = path === "/" ? "/" : `${path}/`;
    return DIRECTORIES.has(path) || this.paths().some((each) => each.startsWith(inside));
  }

  /** All files. */
  paths(): readonly string[] {
    const settings = this.#host.settings.paths().map((path) => SYSCTLS + path.replaceAll(".", "/"));
    return [...settings, "/proc/net/arp", ...this.#written.keys()];
  }
}

const DIRECTORIES = new Set([
  "/",
  "/root",
  "/run",
  "/tmp",
  "/proc",
  "/etc",
  "/var",
  "/usr",
  "/sys",
]);

/** Interfaces with a dot in their names are not found this way: there are none here. */
function dotted(path: string): string {
  return path.slice(SYSCTLS.length).replaceAll("/", ".");
}

/** A path as the shell in `directory` means it. */
export function resolvePath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${directory}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
