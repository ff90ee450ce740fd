/**
 * Debian's stock kernels, unpacked beside the host's own: nothing is installed, nothing boots from it.
 *
 * They are kept in $XDG_CACHE_HOME/sluice/kernels (~/.cache without it), a folder for each release.
 */
import { execFileSync, type StdioOptions } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { KernelModules } from "./kernel-modules.ts";

export interface DebianKernel {
  /** Of Linux, `6.1.192`: its release may be called `6.1.0-56-amd64`. */
  readonly version: string;
  readonly image: string;
  readonly modulesFolder: string;
}

/** The package of the one flavour that runs everywhere, signed or not. */
const PACKAGE = /^linux-image-(\d+\.\d+[.+~\w-]*?-amd64)$/;
const OTHER_FLAVOURS = /-(cloud|rt)-/;

/** What the guests load, and what that depends on. */
const UNPACKED = [
  "./boot/vmlinuz-*",
  ...["net", "fs", "lib", "crypto", "arch/x86/crypto", "drivers/virtio"].map(
    (folder) => `./lib/modules/*/kernel/${folder}`,
  ),
  ...["tun", "veth"].map((name) => `./lib/modules/*/kernel/drivers/net/${name}.ko*`),
];

/** Beside what the package has. */
const VERSION_FILE = "version";

/** apt's and dpkg's words are for the reader, not part of a result. */
const STDIO: StdioOptions = ["ignore", process.stderr, process.stderr];

/**
 * The newest kernel of a series ("6.12"), or of the newest series: one that is here with what is needed, before one that apt
 * offers. Throws when there is none.
 */
export function findKernel(
  series: string | undefined,
  needs: readonly string[] = [],
): DebianKernel {
  const here = kept().filter((release) => hasModules(release, needs));
  const offered = offeredByApt();
  const wanted = series ?? newestSeries([...here, ...offered]);
  const isWanted = (release: string): boolean => seriesOf(release) === wanted;
  const release = newest(here.filter(isWanted)) ?? newest(offered.filter(isWanted));
  if (release === undefined) {
    const known = [...new Set([...here, ...offered].map(seriesOf))].join(", ") || "none";
    throw new Error(
      `There is no Linux ${wanted ?? ""} among Debian's packages that apt knows (${known}). After 'apt-get update' it may.`,
    );
  }
  if (!here.includes(release)) fetch(release);
  return kernelIn(release);
}

function kernelIn(release: string): DebianKernel {
  const folder = join(cache(), release);
  return {
    version: readFileSync(join(folder, VERSION_FILE), "utf8"),
    image: join(folder, "boot", `vmlinuz-${release}`),
    modulesFolder: join(folder, "lib/modules", release),
  };
}

function hasModules(release: string, names: readonly string[]): boolean {
  if (names.length === 0) return true;
  const modules = new KernelModules(kernelIn(release).modulesFolder);
  return names.every((name) => modules.has(name));
}

function cache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sluice/kernels");
}

function kept(): string[] {
  return existsSync(cache()) ? readdirSync(cache()).filter((name) => /^\d/.test(name)) : [];
}

function offeredByApt(): string[] {
  return outputOf("apt-cache", ["pkgnames", "linux-image-"])
    .split("\n")
    .map((name) => PACKAGE.exec(name)?.[1])
    .filter((release) => release !== undefined)
    .filter((release) => !OTHER_FLAVOURS.test(release) && /^\d+\.\d+\./.test(release));
}

/** Unpacks the package beside its place and moves it there, so that what is there is whole. */
function fetch(release: string): void {
  process.stderr.write(`conformance: fetching Debian's kernel ${release} into ${cache()}\n`);
  mkdirSync(cache(), { recursive: true });
  const folder = mkdtempSync(join(cache(), "new-"));
  try {
    const run = (file: string, ...words: string[]): unknown =>
      execFileSync(file, words, { cwd: folder, stdio: STDIO });
    run("apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", `linux-image-${release}`);
    const [archive = ""] = readdirSync(folder);
    run("sh", "-c", 'dpkg-deb --fsys-tarfile "$0" | tar -x --wildcards "$@"', archive, ...UNPACKED);
    writeFileSync(join(folder, VERSION_FILE), versionOf(join(folder, archive)));
    rmSync(join(folder, archive));
    run("find", ".", "-name", "*.ko.xz", "-exec", "xz", "-d", "{}", "+");
    // One that has less than is needed gives way.
    rmSync(join(cache(), release), { recursive: true, force: true });
    renameSync(folder, join(cache(), release));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without Debian's own revision: `6.12.117-1~deb12u1` is Linux 6.12.117. */
function versionOf(archive: string): string {
  return outputOf("dpkg-deb", ["-f", archive, "Version"]).replace(/-.*/s, "");
}

function newestSeries(releases: readonly string[]): string | undefined {
  const release = newest(releases);
  return release === undefined ? undefined : seriesOf(release);
}

function seriesOf(release: string): string {
  return /^\d+\.\d+/.exec(release)?.[0] ?? release;
}

function newest(releases: readonly string[]): string | undefined {
  return releases.toSorted(byVersion).at(-1);
}

const NUMERIC = new Intl.Collator("en", { numeric: true });

function byVersion(left: string, right: string): number {
  return NUMERIC.compare(left, right);
}

function outputOf(file: string, words: readonly string[]): string {
  try {
    return execFileSync(file, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}
