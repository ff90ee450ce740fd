/** Where a benchmark's daemon has its socket and what outlives it, and what goes with the benchmark. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class DaemonFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "sluice-bench-"));

  get socket(): string {
    return this.file("sluice.sock");
  }

  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    // Where the host has no BPF file system the daemon has made one, and goes on there when it is killed.
    const pins = this.file("bpf");
    if (existsSync(pins)) spawnSync("umount", ["--lazy", pins], { stdio: "ignore" });
    rmSync(this.path, { recursive: true, force: true });
  }
}
