/** How one looks at it. */
import type { TopServer } from "./scene.ts";

export const SORT_KEYS = [
  "name",
  "health",
  "weight",
  "active",
  "inactive",
  "connections",
  "packets",
  "bytes",
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export const TABS = ["services", "reasons", "findings"] as const;
export type Tab = (typeof TABS)[number];

export interface View {
  readonly tab: Tab;
  readonly isHelp: boolean;
  readonly sort: SortKey;
  readonly isReversed: boolean;
  readonly filter: string;
  /** What the filter was before it is written anew; undefined: it is not being written. */
  readonly filterBefore: string | undefined;
  /** Servers of all services as one list. */
  readonly isFlat: boolean;
  readonly folds: {
    /** Undefined: as many servers as there are ask for it. */
    readonly openAll: boolean | undefined;
    /** Services that are otherwise. */
    readonly turned: ReadonlySet<string>;
  };
  /** The row that keys are about: its id, and its place, which remains when it goes. */
  readonly selected: { readonly id: string | undefined; readonly index: number };
  /** The first line that is seen. */
  readonly offset: number;
  readonly question: Wish | undefined;
  readonly message: string;
}

/** What somebody wants of the daemon. */
export interface Wish {
  readonly what: "drain" | "undrain";
  readonly server: TopServer;
}

export const BEGIN: View = {
  tab: "services",
  isHelp: false,
  sort: "name",
  isReversed: false,
  filter: "",
  filterBefore: undefined,
  isFlat: false,
  folds: { openAll: undefined, turned: new Set() },
  selected: { id: undefined, index: 0 },
  offset: 0,
  question: undefined,
  message: "",
};
