/** The figures as tables, for the terminal and for RESULTS.md. */
import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { CONTROL_METHOD, type TableFigures } from "./control.ts";
import { END_TO_END_METHOD, type VariantFigures } from "./end-to-end.ts";
import type { KeepalivedFailover } from "./failover/keepalived.ts";
import { failoverReport } from "./failover/report.ts";
import type { FailoverFigures } from "./failover/settings.ts";
import { HEALTH_METHOD, type HealthFigures } from "./health.ts";
import type { BesideIpvs } from "./ipvs/main.ts";
import { besideIpvsReport } from "./ipvs/report.ts";
import type { KernelFigures } from "./kernel/main.ts";
import { kernelReport } from "./kernel/report.ts";
import { MEMORY_METHOD, type MemoryFigures } from "./memory.ts";
import { table } from "./table.ts";
import { LOADS } from "./wrk.ts";

export interface Figures {
  readonly run: Run;
  readonly memory?: MemoryFigures;
  readonly kernel?: KernelFigures;
  readonly ipvs?: BesideIpvs;
  readonly control?: readonly TableFigures[];
  readonly failover?: readonly FailoverFigures[];
  readonly keepalived?: KeepalivedFailover | undefined;
  readonly health?: HealthFigures;
  readonly endToEnd?: readonly VariantFigures[];
}

/** What was measured, where and when. */
export interface Run {
  readonly date: string;
  readonly commit: string;
  readonly processors: string;
  readonly memory: string;
  readonly linux: string;
  readonly node: string;
}

export function describeRun(): Run {
  const [first] = cpus();
  return {
    date: new Date().toISOString(),
    commit: commit(),
    processors: `${cpus().length} × ${first?.model.trim() ?? "unknown"}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    linux: release(),
    node: process.version,
  };
}

const VARIANT_NAMES = {
  direct: "direct",
  yardstick: "yardstick: frames rewritten, no more",
  "userspace-dr": "Sluice, direct routing",
  "userspace-nat": "Sluice, NAT",
  "kernel-dr": "Sluice, kernel engine, direct routing",
  "kernel-nat": "Sluice, kernel engine, NAT",
  "wire-dr": "Sluice, kernel engine, wire, direct routing",
  "wire-nat": "Sluice, kernel engine, wire, NAT",
  "xdp-dr": "Sluice, kernel engine, XDP, direct routing",
  "xdp-nat": "Sluice, kernel engine, XDP, NAT",
  haproxy: "HAProxy, TCP mode",
  nginx: "nginx, stream",
} as const;

const LOAD_TITLES = {
  "keep-alive": "Connections kept alive",
  "connection-per-request": "A connection for each request",
  download: "A download of 100 MB",
} as const;

export function report({
  run,
  memory,
  kernel,
  ipvs,
  control,
  failover,
  keepalived,
  health,
  endToEnd,
}: Figures): string {
  const parts = [
    "# Benchmark results",
    "Written by `npm run bench`. Times belong to the machine; ratios within one run are what can be compared.",
    runReport(run),
    ...(memory === undefined ? [] : memoryReport(memory)),
    ...(kernel === undefined ? [] : kernelReport(kernel)),
    ...(ipvs === undefined ? [] : besideIpvsReport(ipvs)),
    ...(control === undefined ? [] : controlReport(control)),
    ...(failover === undefined ? [] : failoverReport(failover, keepalived)),
    ...(health === undefined ? [] : healthReport(health)),
    ...(endToEnd === undefined ? [] : endToEndReport(endToEnd)),
  ];
  return `${parts.join("\n\n")}\n`;
}

function runReport({ date, commit, processors, memory, linux, node }: Run): string {
  return table(
    ["", ""],
    [
      ["Date", `${date.slice(0, 16).replace("T", " ")} UTC`],
      ["Commit", commit],
      ["Processors", processors],
      ["Memory", memory],
      ["Linux, Node", `${linux}, ${node}`],
    ],
  );
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const isChanged = git("status", "--porcelain", "--", "src") !== "";
    return `${git("rev-parse", "--short", "HEAD")}${isChanged ? " with changes" : ""}`;
  } catch {
    // A package has no history.
    return "unknown";
  }
}

function memoryReport(figures: MemoryFigures): string[] {
  return [
    "## In memory",
    MEMORY_METHOD,
    table(
      ["Established flows", "ns per packet", "floor, ns", "ratio"],
      figures.established.map(({ flows, packetNs, floorNs }) => [
        flows.toLocaleString("en"),
        packetNs.toFixed(0),
        floorNs.toFixed(0),
        (packetNs / floorNs).toFixed(1),
      ]),
    ),
    table(
      ["", ""],
      [
        ["New connections per second", thousands(figures.newConnectionsPerSecond)],
        ["Bytes per connection, of a million", figures.bytesPerConnection.toFixed(0)],
        ["Resident bytes per connection", figures.residentBytesPerConnection.toFixed(0)],
        ["Longest expiry, of a million", `${figures.longestExpireMs.toFixed(2)} ms`],
      ],
    ),
  ];
}

function controlReport(figures: readonly TableFigures[]): string[] {
  const rows: [title: string, cell: (each: TableFigures) => string][] = [
    ["Lines", ({ lines }) => thousands(lines)],
    ["ipvsadm-restore", ({ restoreMs }) => seconds(restoreMs)],
    ["Longest wait beside it", ({ besideMs }) => milliseconds(besideMs)],
    ["One change, by the API", ({ changeMs }) => milliseconds(changeMs)],
    ["One change, by ipvsadm -e", ({ commandMs }) => milliseconds(commandMs)],
    ["ipvsadm -ln", ({ listMs }) => seconds(listMs)],
    ["Start, until the socket accepts", ({ socketMs }) => seconds(socketMs)],
    ["Start, until it answers", ({ readyMs }) => seconds(readyMs)],
    ["Resident memory", ({ residentBytes }) => `${(residentBytes / 2 ** 20).toFixed(0)} MiB`],
  ];
  const head = figures.map(
    ({ services, servers }) =>
      `${thousands(services)} service${services === 1 ? "" : "s"} × ${servers}`,
  );
  return [
    "## Many services",
    CONTROL_METHOD,
    table(
      ["", ...head],
      rows.map(([title, cell]) => [title, ...figures.map(cell)]),
    ),
  ];
}

function healthReport(figures: HealthFigures): string[] {
  const percent = (part: number): string => `${(part * 100).toFixed(0)} %`;
  return [
    "## Health checks",
    HEALTH_METHOD,
    table(
      ["", ""],
      [
        ["Servers, each asked every second", thousands(figures.servers)],
        ["Probes per second", thousands(figures.probesPerSecond)],
        ["Lag, median", milliseconds(figures.lagP50Ms)],
        ["Lag, 99 of 100", milliseconds(figures.lagP99Ms)],
        ["Lag, longest", milliseconds(figures.lagMaxMs)],
        ["Processor, who asks", percent(figures.proberCpu)],
        ["Processor, the daemon", percent(figures.daemonCpu)],
        ["Resident memory, who asks", `${(figures.proberResidentBytes / 2 ** 20).toFixed(0)} MiB`],
        ["A call without checks, 99 of 100", milliseconds(figures.callP99Ms)],
        ["A call beside them, 99 of 100", milliseconds(figures.callP99BesideMs)],
      ],
    ),
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function milliseconds(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function endToEndReport(figures: readonly VariantFigures[]): string[] {
  return [
    "## End to end",
    END_TO_END_METHOD,
    ...LOADS.flatMap((load) => {
      const rows = figures.filter((each) => each.load === load);
      const rate = (variant: string): number =>
        rows.find((each) => each.variant === variant)?.perSecond ?? Number.NaN;
      return [
        `### ${LOAD_TITLES[load]}`,
        table(
          [
            "",
            load === "download" ? "MB/s" : "requests/s",
            "to direct",
            "to yardstick",
            "to HAProxy",
            "balancer's CPU s",
            "all CPU s",
            "errors",
          ],
          rows.map(({ variant, perSecond, balancerCpu, totalCpu, errors }) => [
            VARIANT_NAMES[variant],
            thousands(perSecond),
            ...["direct", "yardstick", "haproxy"].map((other) =>
              (perSecond / rate(other)).toFixed(2),
            ),
            balancerCpu?.toFixed(1) ?? "",
            totalCpu.toFixed(1),
            `${errors}`,
          ]),
        ),
      ];
    }),
  ];
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString("en");
}
