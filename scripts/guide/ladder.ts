/** Packets between hosts as a ladder: a line downwards for each host, an arrow for each packet, time going down. */
import { Drawing, type Meaning, type Span } from "./drawing.ts";

export interface Column {
  readonly x: number;
  readonly name: string;
  readonly meaning: Meaning;
  /** Addresses, below the name. */
  readonly notes: readonly string[];
}

export interface Rung {
  readonly from: number;
  readonly to: number;
  /** Above the arrow, line by line. */
  readonly lines: readonly (readonly Span[])[];
  readonly meaning: Meaning;
  /** It does not arrive: by so much of the way it comes. */
  readonly isLost?: boolean;
  /** Right of all columns. */
  readonly beside?: readonly Span[];
}

const TOP = 34;
const LINE = 17;
const GAP = 22;

export interface Ladder {
  readonly title: string;
  readonly width: number;
  readonly columns: readonly Column[];
  readonly rungs: readonly Rung[];
  /** Where what is said beside begins, and what stands above it. */
  readonly besideX?: number;
  readonly besideHead?: readonly Span[];
}

export function drawLadder(ladder: Ladder): string {
  const { columns, rungs, besideX = 0 } = ladder;
  const head = TOP + Math.max(...columns.map(({ notes }) => notes.length)) * LINE + 12;
  const heights = rungs.map(({ lines }) => lines.length * LINE + GAP);
  const bottom = head + heights.reduce((sum, each) => sum + each, 0) + 10;
  const drawing = new Drawing(ladder.title, ladder.width, bottom + 16);
  for (const { x, name, meaning, notes } of columns) {
    drawing.text(x, TOP, name, { anchor: "middle", meaning, size: 15, isBold: true });
    notes.forEach((note, index) => {
      drawing.text(x, TOP + (index + 1) * LINE, note, {
        anchor: "middle",
        meaning: "faint",
        size: 12,
      });
    });
    drawing.line(x, head, x, bottom);
  }
  if (ladder.besideHead !== undefined) drawing.text(besideX, TOP, ladder.besideHead, { size: 12 });
  let y = head;
  rungs.forEach(({ from, to, lines, meaning, isLost = false, beside }, index) => {
    y += heights[index]!;
    const [x1, x2] = [columns[from]!.x, columns[to]!.x];
    const direction = Math.sign(x2 - x1);
    const middle = (x1 + x2) / 2;
    // Past a host, not through it.
    for (const { x } of columns.filter((column) => (column.x - x1) * (column.x - x2) < 0)) {
      drawing.gap(x, y - lines.length * LINE - 8, y + 8);
    }
    lines.forEach((line, number) => {
      drawing.text(middle, y - 8 - (lines.length - 1 - number) * LINE, line, {
        anchor: "middle",
        size: 12,
      });
    });
    const end = x2 - direction * (isLost ? 14 : 3);
    drawing.arrow(
      [
        [x1 + direction * 3, y],
        [end, y],
      ],
      isLost ? "dropped" : meaning,
      isLost,
    );
    if (beside !== undefined) drawing.text(besideX, y + 4, beside, { size: 12 });
  });
  return drawing.toString();
}
