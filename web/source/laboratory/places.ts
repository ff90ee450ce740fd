/** Where hosts and switches are drawn, and which cable leads where: a drawing for wide pages and one for phones. */
import { PLANS, type ScenarioName } from "../../../src/lab/network/plan.ts";

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Places {
  readonly width: number;
  readonly height: number;
  readonly hosts: Readonly<Record<string, Place>>;
  /** Switches. */
  readonly wires: Readonly<Record<string, Place>>;
  readonly cables: readonly {
    readonly host: string;
    readonly card: string;
    readonly wire: string;
  }[];
}

type Drawing = Omit<Places, "cables">;

// biome-ignore format: drawings
const WIDE: Readonly<Record<"one" | "two", Drawing>> = {
  one: {
    width: 660, height: 340,
    hosts: { client: { x: 99, y: 184 }, node01: { x: 318, y: 52 }, node02: { x: 561, y: 94 }, node03: { x: 561, y: 268 } },
    wires: { lan: { x: 318, y: 184 } },
  },
  two: {
    width: 840, height: 360,
    hosts: { client: { x: 100, y: 180 }, node01: { x: 382, y: 180 }, node02: { x: 740, y: 84 }, node03: { x: 740, y: 276 } },
    wires: { outside: { x: 241, y: 180 }, lan: { x: 552, y: 180 } },
  },
};

// biome-ignore format: drawings
const NARROW: Readonly<Record<"one" | "two", Drawing>> = {
  one: {
    width: 392, height: 420,
    hosts: { client: { x: 97, y: 62 }, node01: { x: 295, y: 62 }, node02: { x: 97, y: 340 }, node03: { x: 295, y: 340 } },
    wires: { lan: { x: 196, y: 200 } },
  },
  two: {
    width: 392, height: 520,
    hosts: { client: { x: 196, y: 44 }, node01: { x: 196, y: 232 }, node02: { x: 97, y: 440 }, node03: { x: 295, y: 440 } },
    wires: { outside: { x: 196, y: 132 }, lan: { x: 196, y: 340 } },
  },
};

export function placesFor(scenario: ScenarioName, isNarrow: boolean): Places {
  const { hosts } = PLANS[scenario];
  const cables = hosts.flatMap(({ name, cards }) =>
    cards.map(({ name: card, segment }) => ({ host: name, card, wire: segment })),
  );
  const wires = new Set(cables.map(({ wire }) => wire));
  const drawings = isNarrow ? NARROW : WIDE;
  return { ...drawings[wires.size === 1 ? "one" : "two"], cables };
}
