/** Many things that wait, in one sequence: none works while another does, and all wait at once. */
import { setTimeout as sleep } from "node:timers/promises";

/** Each yields the milliseconds after which it wants to go on; who is due first goes first, else in the order given. */
export async function inTurn(tasks: readonly AsyncGenerator<number>[]): Promise<void> {
  const waiting = tasks.map((task, order) => ({ task, order, due: 0 }));
  while (waiting.length > 0) {
    waiting.sort((a, b) => a.due - b.due || a.order - b.order);
    const next = waiting[0]!;
    const early = next.due - performance.now();
    // A timer may be a millisecond early; what a case waits for is then not yet due.
    if (early > 0) await sleep(early + 1);
    const { value, done } = await next.task.next();
    if (done === true) waiting.shift();
    else next.due = performance.now() + value;
  }
}
