import type { Candidate, Scheduler } from "./scheduler.ts";

/** No scheduler: every connection is refused until the service is edited. The name is the kernel's. */
export function none<Kind extends Candidate>(): Scheduler<Kind> {
  return { pick: () => undefined };
}
