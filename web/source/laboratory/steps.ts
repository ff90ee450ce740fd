/** What happened in the simulation as steps that a person can follow: a frame's way, a decision, a loss, a table's change. */
import type { DropReason, SimulationEvent, TableName } from "../../../src/simnet/event.ts";

export interface Receiver {
  readonly host: string;
  readonly interface: string;
}

export type Step = {
  /** Of its first event. */
  readonly event: number;
  /** Of its last event: what tables hold is as of then. */
  readonly last: number;
  readonly timeMs: number;
  readonly host: string;
} & (
  | {
      readonly kind: "frame";
      readonly interface: string;
      readonly frame: number;
      readonly bytes: Uint8Array;
      readonly receivers: readonly Receiver[];
      /** Who threw it away at once because it was not for him: nothing to stop for. */
      readonly ignoredBy: readonly string[];
    }
  | {
      readonly kind: "dropped";
      readonly reason: DropReason;
      readonly bytes: Uint8Array;
      readonly form: "frame" | "packet";
    }
  | { readonly kind: "forwarded"; readonly reason: DropReason; readonly bytes: Uint8Array }
  | { readonly kind: "table"; readonly table: TableName; readonly changes: readonly string[] }
  | { readonly kind: "command"; readonly line: string }
);

type FrameStep = Extract<Step, { kind: "frame" }>;

/** Every host hears what is said to all, and most of it is not for him. */
const QUIET: ReadonlySet<DropReason> = new Set(["not-for-this-card", "arp-not-ours", "same-port"]);

/** `switches`: what they learn is no host's table. */
export function stepsOf(events: readonly SimulationEvent[], switches: ReadonlySet<string>): Step[] {
  const steps: Step[] = [];
  const underWay = new Map<number, number>();
  for (const event of events) {
    const { number, timeMs, host } = event;
    const at = { event: number, last: number, timeMs, host };
    switch (event.kind) {
      case "frame-sent":
        // What a host sends to itself goes over no wire.
        if (event.interface === "lo") break;
        underWay.set(event.frame, steps.length);
        steps.push({
          ...at,
          kind: "frame",
          interface: event.interface,
          frame: event.frame,
          bytes: event.bytes,
          receivers: [],
          ignoredBy: [],
        });
        break;
      case "frame-received":
        amend(steps, underWay.get(event.frame), (step) => ({
          ...step,
          receivers: [...step.receivers, { host, interface: event.interface }],
        }));
        break;
      case "dropped":
        if (!QUIET.has(event.reason)) {
          steps.push({
            ...at,
            kind: "dropped",
            reason: event.reason,
            bytes: event.bytes,
            form: event.form,
          });
        } else if (event.frame !== undefined) {
          amend(steps, underWay.get(event.frame), (step) => ({
            ...step,
            ignoredBy: [...step.ignoredBy, host],
          }));
        }
        break;
      case "forwarded":
        steps.push({ ...at, kind: "forwarded", reason: event.reason, bytes: event.bytes });
        break;
      case "table-changed":
        // A socket's every state would be a step: they are in the table.
        if (!switches.has(host) && event.table !== "sockets") addChange(steps, event, at);
        break;
      case "command":
        steps.push({ ...at, kind: "command", line: event.line });
        break;
    }
  }
  return steps;
}

function amend(
  steps: Step[],
  index: number | undefined,
  change: (step: FrameStep) => FrameStep,
): void {
  const step = index === undefined ? undefined : steps[index];
  if (step?.kind === "frame") steps[index!] = change(step);
}

/** One after the other in the same table are one step. */
function addChange(
  steps: Step[],
  { table, change, host, number }: Extract<SimulationEvent, { kind: "table-changed" }>,
  at: Pick<Step, "event" | "last" | "timeMs" | "host">,
): void {
  const before = steps.at(-1);
  if (before?.kind === "table" && before.host === host && before.table === table) {
    steps[steps.length - 1] = { ...before, last: number, changes: [...before.changes, change] };
  } else steps.push({ ...at, kind: "table", table, changes: [change] });
}
