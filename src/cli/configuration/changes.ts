/** How a plan is printed. */

import { parseServiceId } from "../../api/ids.ts";
import type { Plan, PlannedChange } from "../../api/messages.ts";
import { formatServiceKey } from "../../ipvs/desired/service.ts";

export interface NamedChange extends PlannedChange {
  /** What the file calls the service; null where it does not. */
  readonly name: string | null;
}

/** `names` are by formatServiceKey(). */
export function namedChanges({ changes }: Plan, names: ReadonlyMap<string, string>): NamedChange[] {
  return changes.map((change) => {
    const key = change.service === null ? undefined : parseServiceId(change.service);
    return { ...change, name: (key && names.get(formatServiceKey(key))) ?? null };
  });
}

const SIGN = { add: "+", change: "~", remove: "-" } as const;

export function renderPlan(
  changes: readonly NamedChange[],
  { isJson, isDone }: { readonly isJson: boolean; readonly isDone: boolean },
): string {
  if (isJson) return `${JSON.stringify({ changes }, undefined, 2)}\n`;
  if (changes.length === 0) return isDone ? "Nothing changed.\n" : "Nothing would change.\n";
  const lines = changes.map((change) => `${line(change, isDone)}\n`);
  const count = (wanted: PlannedChange["action"]): number =>
    changes.filter(({ action }) => action === wanted).length;
  const numbers = [count("add"), count("change"), count("remove")] as const;
  const [added, changed, removed] = numbers;
  return `${lines.join("")}${
    isDone
      ? `Added ${added}, changed ${changed}, removed ${removed}.\n`
      : `To add ${added}, to change ${changed}, to remove ${removed}.\n`
  }`;
}

function line(change: NamedChange, isDone: boolean): string {
  return [changeText(change), connectionText(change, isDone)]
    .filter((part) => part !== "")
    .join("  ");
}

/** `~ tcp:10.0.0.1:80 -> 10.0.0.2:80  weight 1 → 5`. */
export function changeText(change: PlannedChange & { readonly name?: string | null }): string {
  const { action, facts } = change;
  const head = `${SIGN[action]} ${about(change)}`;
  return action === "remove" || facts.length === 0
    ? head
    : `${head}  ${facts.map(factText).join(", ")}`;
}

function about({
  what,
  vip,
  service,
  destination,
  name = null,
}: PlannedChange & { readonly name?: string | null }): string {
  if (vip !== undefined) return `VIP ${vip}`;
  if (service === null) return what;
  const called = name === null ? service : `${service} (${name})`;
  return destination === null ? called : `${called} -> ${destination}`;
}

function factText({ name, before, after }: PlannedChange["facts"][number]): string {
  const [one, other] = [before ?? "none", after ?? "none"];
  return before === null ? `${name} ${other}` : `${name} ${one} → ${other}`;
}

function connectionText({ action, connections }: NamedChange, isDone: boolean): string {
  if (connections === 0) return "";
  const those = `${connections} connection${connections === 1 ? "" : "s"}`;
  if (action !== "remove") return `(${those} ${connections === 1 ? "goes" : "go"} on)`;
  return isDone ? `(drops the packets of ${those})` : `(would drop the packets of ${those})`;
}
