/**
 * ldirectord as Debian has it, beside the Perl modules that it loads: unpacked by scripts/setup, and not installed. An
 * installation would bring another Perl, under the feet of everything that runs on it.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../../../node_modules/.cache/ldirectord");

/** Where it is; undefined where it could not be had. */
export function ldirectordFolder(): string | undefined {
  return existsSync(join(FOLDER, "usr/sbin/ldirectord")) ? FOLDER : undefined;
}

/** What runs it in the foreground, where its folder is `root`. */
export function ldirectordWords(root: string): string[] {
  // Modules in C are in a folder that has Perl's version in its name.
  const compiled = "usr/lib/x86_64-linux-gnu/perl5";
  const versions = readdirSync(join(FOLDER, compiled)).map((each) => join(compiled, each));
  const modules = ["usr/share/perl5", ...versions].map((each) => join(root, each)).join(":");
  const environment = [`PERL5LIB=${modules}`, "PERLIO=perlio"];
  const program = join(root, "usr/sbin/ldirectord");
  return ["env", ...environment, "perl", program, "-d", "{folder}/ldirectord.cf", "start"];
}
