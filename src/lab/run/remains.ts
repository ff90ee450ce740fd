/** Looks for what a laboratory left behind, from outside of it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { Finding } from "../event.ts";
import { type LabPlan, macOf } from "../network/plan.ts";
import { MARK } from "./box.ts";

/**
 * The laboratory's namespaces have no names and no files: they live as long as a process is in them, so they are gone
 * when no process is. Nor may anything have come into the namespace that we were started in.
 */
export function findRemains(mark: string, plan: LabPlan, stateFile: string): Finding {
  const processes = processesWith(`${MARK}=${mark}`);
  const cards = new Set(
    plan.hosts.flatMap((host) => host.cards.map(({ address }) => macOf(address))),
  );
  const interfaces = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.some(({ mac, address }) => cards.has(mac) || address === plan.vip) ? [name] : [],
  );
  const files = [stateFile].filter((file) => existsSync(file));
  const remains = [...processes.map((pid) => `process ${pid}`), ...interfaces, ...files];
  return {
    ok: remains.length === 0,
    evidence:
      remains.length === 0
        ? "no process is in its namespaces, so the kernel took them with wires, addresses and rules; no interface, no file"
        : `still there: ${remains.join(", ")}`,
  };
}

/** Processes that were started with `assignment` in their environment. */
function processesWith(assignment: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && environmentOf(pid).split("\0").includes(assignment));
}

/** Empty for processes that ended meanwhile, and for other users', which cannot be ours. */
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
