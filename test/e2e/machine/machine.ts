/** A Debian machine to install packages on: this one once more, in namespaces of its own, with systemd if it is wanted. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const BOOT = new URL("./boot.sh", import.meta.url).pathname;
const SYSTEMD = "/lib/systemd/systemd";
/** Where this machine has its cgroups of the second kind, whether alone or beside the first. */
const CGROUPS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((path) =>
  existsSync(join(path, "cgroup.subtree_control")),
);

export const CAN_BOOT = existsSync(SYSTEMD) && CGROUPS !== undefined;

export interface Ran {
  readonly code: number | null;
  /** Standard output and standard error. */
  readonly said: string;
}

export class Machine implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-machine-"));
  readonly #cgroup = join(CGROUPS ?? "", `sluice-${randomBytes(4).toString("hex")}`);
  #outside: ChildProcess | undefined;
  #pid = 0;

  /** What lies in here, the machine has in /packages. */
  get packages(): string {
    return join(this.#folder, "packages");
  }

  constructor() {
    mkdirSync(this.packages);
    mkdirSync(join(this.#folder, "room"));
  }

  /** Resolves when systemd is up; rejects with what it said when it does not come up. */
  async boot(): Promise<void> {
    mkdirSync(this.#cgroup);
    const systemd = [
      SYSTEMD,
      "--system",
      "--unit=bare.target",
      "--log-target=console",
      "--show-status=0",
    ];
    // In a cgroup of its own before it has a namespace of them.
    const script =
      'echo $$ >"$1/cgroup.procs" && shift && exec unshare -m -p -f -n -i -u -C --kill-child sh "$@"';
    const words = ["-c", script, "sh", this.#cgroup, BOOT, this.#folder, ...systemd];
    this.#outside = spawn("sh", words, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [this.#outside.stdout!, this.#outside.stderr!]) {
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
    }
    for (let tries = 0; tries < 600 && this.#outside.exitCode === null; tries++) {
      this.#pid = childOf(this.#outside.pid!) ?? 0;
      if (this.#pid !== 0 && readFileSync(`/proc/${this.#pid}/comm`, "latin1") === "systemd\n") {
        const state = this.run("systemctl is-active bare.target");
        if (state.code === 0) return;
      }
      await sleep(50);
    }
    throw new Error(`the machine does not come up: ${said}`);
  }

  /** Runs a shell command in it. */
  run(command: string): Ran {
    const words = [
      "-t",
      `${this.#pid}`,
      "-m",
      "-p",
      "-n",
      "-i",
      "-u",
      "-C",
      "-r",
      "-w",
      "sh",
      "-c",
    ];
    const environment = {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      DEBIAN_FRONTEND: "noninteractive",
    };
    const { status, stdout, stderr } = spawnSync("nsenter", [...words, `${command}`], {
      encoding: "utf8",
      env: environment,
    });
    return { code: status, said: stdout + stderr };
  }

  /** As run(), of what must succeed: what it said. */
  must(command: string): string {
    const { code, said } = this.run(command);
    if (code !== 0) throw new Error(`${command}: ended with ${code}: ${said}`);
    return said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#outside !== undefined && this.#outside.exitCode === null) {
      const ended = new Promise((resolve) => this.#outside!.once("exit", resolve));
      if (this.#pid !== 0) process.kill(this.#pid, "SIGKILL");
      this.#outside.kill("SIGKILL");
      await ended;
    }
    await removeCgroups(this.#cgroup);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function childOf(pid: number): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ");
    return child ? Number(child) : undefined;
  } catch {
    return undefined;
  }
}

/** Those that are empty go; the kernel takes a moment to empty them. */
async function removeCgroups(path: string): Promise<void> {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroups(join(path, entry.name));
  }
  for (let tries = 0; ; tries++) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(50);
    }
  }
}
