/** User Mode Linux, where it needs help and where it ends before its time. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { boot } from "./boot.ts";
import { UserModeLinux, type UserModeLinuxOptions } from "./user-mode-linux.ts";

const LARGER_XSTATE = join(import.meta.dirname, "larger-xstate.c");
const LONG_WAIT = "case a\nwait 600000\n";

interface Attempt {
  readonly machine?: UserModeLinuxOptions;
  readonly programme: string;
  readonly timeoutMs?: number;
}

/** The report, or what is said instead. */
async function attempt({ machine, programme, timeoutMs = 60_000 }: Attempt): Promise<string> {
  const options = { modules: ["ip_vs"], programme, timeoutMs, onProgress: () => {} };
  return boot(new UserModeLinux(machine), options).catch((error: Error) => error.message);
}

describe.concurrent("a processor whose floating point state is larger than the buffer", () => {
  const programme = "case a\nrules\n";

  it("ends the guest's first process, and that is said", async () => {
    const machine = { completesXstate: false, libraries: [LARGER_XSTATE] };
    const words = await attempt({ machine, programme });
    expect(words).toMatch(/^The guest, Linux 6\.\S+ in User Mode Linux, did not finish: .*SIGABRT/);
    expect(words).toContain("  userspace - ptrace set fp regs failed, errno = 14\n");
    expect(words).toContain("  Kernel panic - not syncing: Attempted to kill init!");
    expect(words).toContain("npm run conformance -- --kernel qemu");
  });

  it("runs it with the library that completes what is set", async () => {
    const machine = { completesXstate: true, libraries: [LARGER_XSTATE] };
    expect(await attempt({ machine, programme })).toMatch(/^a 0 \S+ ran 0 - -\nend\n$/);
  });

  it("runs it with the library where it would not be needed", async () => {
    const machine = { completesXstate: true };
    expect(await attempt({ machine, programme })).toMatch(/^a 0 \S+ ran 0 - -\nend\n$/);
  });
});

describe.concurrent("a guest that does not finish", () => {
  it("says what its agent said", async () => {
    const words = await attempt({ programme: "case a\nnonsense\n" });
    expect(words).toContain("did not finish: it ended with exit code 0, after");
    expect(words).toContain("  ValueError: nonsense\n");
    expect(words).toContain("  IPVS: ipvs loaded.\n");
  });

  it("says that its time was up", async () => {
    const words = await attempt({ programme: LONG_WAIT, timeoutMs: 500 });
    expect(words).toContain("did not finish: it had 0.5 s and was ended");
    expect(words).toContain("--timeout SECONDS");
  });

  it("goes with its folder when whoever waits for it is killed", async () => {
    const script = `
      import { boot } from ${JSON.stringify(join(import.meta.dirname, "boot.ts"))};
      import { UserModeLinux } from ${JSON.stringify(join(import.meta.dirname, "user-mode-linux.ts"))};
      const programme = ${JSON.stringify(LONG_WAIT)};
      await boot(new UserModeLinux(), { modules: [], programme, timeoutMs: 60_000, onProgress() {} });
    `;
    const waiting = spawn(process.execPath, ["--input-type=module", "-e", script]);
    const folder = await until(() => folderOf(waiting.pid!));
    waiting.kill("SIGKILL");
    await once(waiting, "exit");
    await until(() => !existsSync(folder) && !isNamed(folder));
  });
});

/** Of the guest that this process started. */
function folderOf(parent: number): string | undefined {
  const children = readIfThere(`/proc/${parent}/task/${parent}/children`).split(" ");
  const words = children.flatMap((pid) => commandLineOf(pid).split("\0"));
  return words.find((word) => word.startsWith("sluice_folder="))?.replace(/^.*=/, "");
}

function isNamed(folder: string): boolean {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.some((pid) => commandLineOf(pid).includes(folder));
}

function commandLineOf(pid: string): string {
  return readIfThere(`/proc/${pid}/cmdline`);
}

/** Processes end while one looks at them. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

async function until<T>(found: () => T | undefined | false): Promise<T> {
  for (;;) {
    const value = found();
    if (value !== undefined && value !== false) return value;
    await setTimeout(50);
  }
}
