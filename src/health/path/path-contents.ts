/** What the path's tables have and shall have, and what leads from one to the other. */
import type { Elements } from "./path-table.ts";

/** Of one transaction: a longer one does not fit a netlink message of an unprivileged user's. */
const ELEMENTS_PER_TRANSACTION = 1_000;

const NOTHING: ReadonlySet<string> = new Set();

/** Transactions, one after the other: what goes first, for a map has one value for a key. */
export function transactionsBetween(before: Elements, after: Elements): string[] {
  return [...commands("delete", before, after), ...commands("add", after, before)];
}

function commands(verb: "add" | "delete", those: Elements, without: Elements): string[] {
  const all: [set: string, element: string][] = [];
  for (const [set, elements] of those) {
    const others = without.get(set) ?? NOTHING;
    for (const element of elements) if (!others.has(element)) all.push([set, element]);
  }
  const transactions: string[] = [];
  for (let from = 0; from < all.length; from += ELEMENTS_PER_TRANSACTION) {
    const bySet = Map.groupBy(all.slice(from, from + ELEMENTS_PER_TRANSACTION), ([set]) => set);
    transactions.push(
      [...bySet]
        .map(([set, of]) => `${verb} element ${set} { ${of.map(([, one]) => one).join(", ")} }`)
        .join("; "),
    );
  }
  return transactions;
}
