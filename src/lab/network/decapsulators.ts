/** `sluice decapsulate` on the real servers. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { LabEvent } from "../event.ts";
import { LabFailure } from "../failure.ts";
import { programLine } from "../program.ts";
import type { Statement } from "../scenarios/scenario.ts";
import { firstLine } from "./host.ts";
import type { Hosts } from "./hosts.ts";
import { addressOn, type LabPlan, type RealServerPlan } from "./plan.ts";

/** IANA's for GUE. */
export const GUE_PORT = 6080;

/** Job numbers as a shell on the real server would count: its web server came first. */
const JOB = 2;

export class Decapsulators {
  readonly #plan: LabPlan;
  readonly #hosts: Hosts;
  readonly #emit: (event: LabEvent) => void;
  readonly #running = new Map<string, ChildProcess>();

  constructor(plan: LabPlan, hosts: Hosts, emit: (event: LabEvent) => void) {
    this.#plan = plan;
    this.#hosts = hosts;
    this.#emit = emit;
  }

  /** Resolves when it works. */
  async start({ host }: RealServerPlan): Promise<void> {
    const director = addressOn(this.#plan, "node01", "lan");
    const words = ["decapsulate", "--on", "eth0", "--gue-port", `${GUE_PORT}`, "--from", director];
    const child = this.#hosts[host].start(programLine(...words));
    const output = await firstLine(child).catch((error: Error) => {
      throw new LabFailure(`${host}'s decapsulator does not start: ${error.message}`);
    });
    this.#running.set(host, child);
    this.#emit({ kind: "command", host, command: `sluice ${words.join(" ")} &`, output });
  }

  /** Resolves to its exit code, when it has ended on SIGTERM. */
  async stop({ host }: RealServerPlan): Promise<number | null> {
    const child = this.#running.get(host);
    if (child === undefined) return null;
    this.#running.delete(host);
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    if (child.exitCode === null) {
      const ended = once(child, "close");
      child.kill("SIGTERM");
      await ended;
    }
    this.#emit({ kind: "command", host, command: `kill %${JOB}`, output });
    return child.exitCode;
  }

  endings(): readonly Statement[] {
    return decapsulatorsEnd(this.#plan, (server) => this.stop(server));
  }
}

/** What the laboratories that have them say at their end. */
export function decapsulatorsEnd(
  { name, realServers }: LabPlan,
  stop: (server: RealServerPlan) => Promise<number | null>,
): readonly Statement[] {
  if (name !== "tun") return [];
  return [
    {
      says: "the decapsulators end on SIGTERM and leave no rule and no interface on node02 and node03",
      check: async (stage) => {
        const codes = await Promise.all(realServers.map(stop));
        const left: string[] = [];
        for (const { host } of realServers) {
          const { stdout } = await stage.run(host, "nft list ruleset; ip -br link");
          left.push(...stdout.split("\n").filter((line) => /sluice/.test(line)));
        }
        return {
          ok: codes.every((code) => code === 0) && left.length === 0,
          evidence: `exit codes ${codes.join(", ")}; ${left.join("; ") || "nftables empty, interfaces lo and eth0"}`,
        };
      },
    },
  ];
}
