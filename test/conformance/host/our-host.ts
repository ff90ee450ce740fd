/** `sluice daemon` as a side of host cases: the same agent, in namespaces of this host, with our ipvsadm. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Admission } from "../../../src/daemon/options.ts";
import type { EngineName } from "../report/outcome.ts";
import type { HostCase } from "./host-case.ts";
import { type HostReport, readReport } from "./host-report.ts";
import { serveIpvsadm } from "./ipvsadm-server.ts";
import { AGENT_FOLDER, type HostSideOptions } from "./kernel-host.ts";
import { programmeOf } from "./programme.ts";

const BIN = join(import.meta.dirname, "../../../bin");
const CONNECTIONS = 4096;

const SETTINGS = {
  parallel: 4,
  quietMs: 40,
  director: [
    join(BIN, "sluice"),
    "daemon",
    "--no-state",
    "--grace",
    "0",
    "--connections",
    String(CONNECTIONS),
    "--log-level",
    "warn",
  ],
  tools: {
    ipvsadm: `#!/bin/sh\nexec ${join(BIN, "ipvsadm")} "$@"\n`,
    "vs-sysctl": `#!/bin/sh\nexec ${join(BIN, "sluice")} sysctl "$@"\n`,
  },
} as const;

export interface OurHostOptions extends HostSideOptions {
  readonly engine: EngineName;
  readonly admission: Admission;
}

export async function performOnOurs(
  cases: ReadonlyMap<number, HostCase>,
  { engine, admission, timeoutMs }: OurHostOptions,
): Promise<Map<number, HostReport>> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-host-"));
  try {
    const [programme, report] = [join(folder, "programme"), join(folder, "report")];
    const ipvsadm = join(folder, "ipvsadm");
    await using _served = await serveIpvsadm(ipvsadm);
    // No modules: this kernel has its own.
    const director = [...SETTINGS.director, "--engine", engine, "--admission", admission];
    writeFileSync(programme, `\n${programmeOf(cases, { ...SETTINGS, director, ipvsadm })}`);
    await untilDone(folder, programme, report, timeoutMs);
    return readReport(readFileSync(report, "utf8"), cases);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function untilDone(
  folder: string,
  programme: string,
  report: string,
  timeoutMs: number,
): Promise<void> {
  // Everything that it starts ends when what started it does.
  const words = [
    "--pdeathsig",
    "KILL",
    "--",
    "python3",
    "-S",
    "-B",
    join(AGENT_FOLDER, "agent.py"),
  ];
  const agent = spawn("setpriv", [...words, programme, report], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, TMPDIR: folder },
  });
  let complaints = "";
  agent.stderr.on("data", (chunk) => {
    complaints += chunk;
  });
  const timer = setTimeout(() => agent.kill("SIGKILL"), timeoutMs);
  try {
    await new Promise<void>((resolve, reject) => {
      agent.once("error", reject);
      agent.once("close", (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`The agent of host cases ended (${signal ?? code}): ${complaints}`));
      });
    });
  } finally {
    clearTimeout(timer);
    agent.kill("SIGKILL");
  }
}
