/** What docs/installing.md says of the unit's exposure is what systemd-analyze says. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const path = (name: string): string => new URL(`../${name}`, import.meta.url).pathname;

/** Of the version that the page names: others ask other things. */
const VERSION = /^systemd 252 /;
const isThere = VERSION.test(
  spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" }).stdout ?? "",
);

test.skipIf(!isThere)("systemd-analyze security", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-hardening-"));
  try {
    const unit = join(folder, "sluice.service");
    cpSync(path("packaging/systemd/sluice.service"), unit);
    const alone = exposure(unit);
    mkdirSync(`${unit}.d`);
    cpSync(
      path("packaging/systemd/userspace-engine.conf"),
      join(`${unit}.d`, "userspace-engine.conf"),
    );
    expect(readFileSync(path("docs/installing.md"), "utf8").replaceAll(/\s+/g, " ")).toContain(
      `(systemd 252) says ${alone}, "OK", and ${exposure(unit)} with the userspace engine's drop-in`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function exposure(unit: string): string {
  const { stdout } = spawnSync("systemd-analyze", ["security", "--offline=true", unit], {
    encoding: "utf8",
  });
  return /Overall exposure level for \S+: ([\d.]+) OK/.exec(stdout)?.[1] ?? stdout;
}
