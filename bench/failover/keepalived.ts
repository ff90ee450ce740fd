/** The same failover with Debian's keepalived on the kernel's IPVS, in the guest that conformance boots. */
import { join } from "node:path";
import { boot } from "../../test/conformance/machines/boot.ts";
import { UserModeLinux } from "../../test/conformance/machines/user-mode-linux.ts";
import { figuresOf } from "./figures.ts";
import {
  ENDS,
  type End,
  EVERY_MS,
  type FailoverFigures,
  PATIENCE_MS,
  QUIET_MS,
  RUNS,
  type Sample,
  SETTINGS,
  SETTLED_MAX_MS,
  type Settings,
} from "./settings.ts";

export interface KeepalivedFailover {
  readonly figures: readonly FailoverFigures[];
  /** Seconds of the guest for one of the host's. */
  readonly clock: number;
}

/** A line of the agent's. */
type Told =
  | (Sample & { readonly intervalMs: number; readonly end: End })
  | { readonly clock: number };

const AGENT = join(import.meta.dirname, "agent.py");
const TIMEOUT_MS = 900_000;

/** Undefined, said, where the guest cannot be. */
export async function measureKeepalived(
  progress: (text: string) => void,
): Promise<KeepalivedFailover | undefined> {
  try {
    let told = 0;
    const report = await boot(new UserModeLinux(), {
      agent: [],
      copies: { "agent.py": AGENT },
      modules: ["veth", "bridge", "ip_vs", "ip_vs_rr"],
      programme: programme(),
      timeoutMs: TIMEOUT_MS,
      onProgress: (text) => {
        const lines = text.trim().split("\n");
        for (const line of lines.slice(told)) progress(`keepalived: ${line}`);
        told = lines.length;
      },
    });
    return figuresIn(report);
  } catch (error) {
    progress(`keepalived is left out: ${(error as Error).message}`);
    return undefined;
  }
}

function programme(): string {
  return JSON.stringify({
    settings: SETTINGS.map((settings) => ({ ...settings, conf: configuration(settings) })),
    ends: ENDS,
    runs: RUNS,
    everyMs: EVERY_MS,
    patienceMs: PATIENCE_MS,
    quietMs: QUIET_MS,
    limitMs: SETTLED_MAX_MS,
  });
}

/** `retry` counts what follows the first failure. */
function configuration({ intervalMs, timeoutMs, fall }: Settings): string {
  const server = (number: number): string => `  real_server 192.168.150.${number} 80 {
    TCP_CHECK { }
  }
`;
  return `virtual_server 192.168.150.100 80 {
  delay_loop ${intervalMs / 1_000}
  connect_timeout ${timeoutMs / 1_000}
  retry ${fall - 1}
  delay_before_retry ${intervalMs / 1_000}
  warmup 0
  lvs_sched rr
  lvs_method DR
  protocol TCP
${server(12)}${server(13)}}
`;
}

function figuresIn(report: string): KeepalivedFailover {
  const told = report
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Told);
  const samples = told.flatMap((each) => ("clock" in each ? [] : [each]));
  const clock = told.find((each) => "clock" in each)?.clock ?? Number.NaN;
  const figures = SETTINGS.flatMap((settings) =>
    ENDS.map((end) =>
      figuresOf(
        { balancer: "keepalived", settings, end },
        samples.filter((each) => each.intervalMs === settings.intervalMs && each.end === end),
      ),
    ),
  );
  return { figures, clock };
}
