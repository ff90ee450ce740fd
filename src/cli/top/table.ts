/** The list of services and servers: as many columns as there is room for. */
import { lasting } from "../status/lasting.ts";
import { brief, count } from "./figures.ts";
import type { Line, Piece, Style } from "./lines.ts";
import { bytes, packets, type Row } from "./rows.ts";
import type { Standing } from "./scene.ts";
import type { SortKey, View } from "./view.ts";

interface Column {
  readonly head: string;
  readonly sort?: SortKey;
  readonly text: (row: Row) => string;
  readonly style?: (row: Row) => Style;
}

const HEALTH: Column = {
  head: "HEALTH",
  sort: "health",
  text: (row) => (row.kind === "server" ? row.standing : `${row.available}/${row.servers.length}`),
  style: (row) => {
    if (row.kind === "server") return STYLES[row.standing];
    if (row.available === 0) return "bad";
    return row.available < row.servers.length || row.notes.length > 0 ? "warning" : "good";
  },
};

const STYLES: Readonly<Record<Standing, Style>> = {
  up: "good",
  down: "bad",
  removed: "bad",
  unknown: "warning",
  draining: "warning",
  drained: "warning",
  sorry: "warning",
  unchecked: "plain",
};

const WEIGHT: Column = {
  head: "WEIGHT",
  sort: "weight",
  text: (row) => (row.kind === "server" ? String(row.weight ?? "-") : ""),
};

const ACTIVE: Column = { head: "ACTIVE", sort: "active", text: ({ active }) => count(active) };
const INACTIVE: Column = { head: "INACT", sort: "inactive", text: (row) => count(row.inactive) };
const CONNECTIONS: Column = {
  head: "CONN/S",
  sort: "connections",
  text: ({ rates }) => brief(rates.connectionsPerSecond),
};
const PACKETS: Column = { head: "PKT/S", sort: "packets", text: (row) => brief(packets(row)) };
const BYTES: Column = { head: "BYTE/S", sort: "bytes", text: (row) => brief(bytes(row)) };

/** Both ways by themselves. */
const BOTH_WAYS: readonly Column[] = [
  { head: "PKT/S IN", sort: "packets", text: ({ rates }) => brief(rates.inPacketsPerSecond) },
  { head: "OUT", text: ({ rates }) => brief(rates.outPacketsPerSecond) },
  { head: "BYTE/S IN", sort: "bytes", text: ({ rates }) => brief(rates.inBytesPerSecond) },
  { head: "OUT", text: ({ rates }) => brief(rates.outBytesPerSecond) },
];

/** From here on. */
const BOTH_WAYS_FROM = 110;
const NAME_LEAST = 22;
const NOTE_LEAST = 20;

export interface TableParts {
  readonly rows: readonly Row[];
  readonly view: View;
  readonly width: number;
  readonly isOpen: (service: string) => boolean;
  readonly atMs: number;
}

/** The head, then a line for each row. */
export function table({ rows, view, width, isOpen, atMs }: TableParts): Line[] {
  const names = rows.map((row) => nameText(row, view, isOpen));
  const columns = fitting(width, rows);
  const numbers = columns.reduce((sum, { width: each }) => sum + each + 1, 0);
  const room = width - 1 - numbers;
  const needed = Math.max(NAME_LEAST, ...names.map((name) => name.length));
  const hasNotes = room - needed >= NOTE_LEAST;
  const nameWidth = hasNotes ? needed : room;
  const cells = (row: Row | undefined): Piece[] =>
    columns.flatMap(({ column, width: each }) => [
      { text: " ", width: 1 },
      row === undefined
        ? head(column, view, each)
        : { text: column.text(row), style: styleOf(column, row), width: each, isRight: true },
    ]);
  const headLine: Line = {
    pieces: [
      { text: view.isFlat ? " SERVER" : " SERVICE, SERVER", style: "faint", width: nameWidth + 1 },
      ...cells(undefined),
      ...(hasNotes ? [{ text: "  WHY", style: "faint" } as const] : []),
    ],
  };
  const lines = rows.map((row, index): Line => {
    const isSelected = row.id === view.selected.id;
    return {
      isSelected,
      pieces: [
        { text: isSelected ? ">" : " ", width: 1 },
        {
          text: names[index]!,
          width: nameWidth,
          style: row.kind === "service" ? "strong" : "plain",
        },
        ...cells(row),
        ...(hasNotes ? [{ text: `  ${note(row, atMs)}`, style: "faint" } as const] : []),
      ],
    };
  });
  return [headLine, ...lines];
}

/** What else is known of a row, in a few words. */
export function note(row: Row, atMs: number): string {
  if (row.kind === "service") return [row.scheduler, ...row.notes].join(", ");
  const since = row.since === null ? "" : `for ${lasting(row.since, new Date(atMs))}`;
  return [since, row.why].filter((text) => text !== "").join(": ");
}

function head({ head: text, sort }: Column, view: View, width: number): Piece {
  const isSorted = sort === view.sort;
  return { text, width, isRight: true, style: isSorted ? "strong" : "faint" };
}

function styleOf({ style }: Column, row: Row): Style {
  return style?.(row) ?? "plain";
}

function fitting(width: number, rows: readonly Row[]) {
  const all =
    width >= BOTH_WAYS_FROM
      ? [HEALTH, WEIGHT, ACTIVE, INACTIVE, CONNECTIONS, ...BOTH_WAYS]
      : [HEALTH, WEIGHT, ACTIVE, INACTIVE, CONNECTIONS, PACKETS, BYTES];
  const columns = all.map((column) => {
    const longest = Math.max(0, ...rows.map((row) => column.text(row).length));
    return { column, width: Math.max(column.head.length, longest) };
  });
  const taken = (): number => columns.reduce((sum, { width: each }) => sum + each + 1, 1);
  while (columns.length > 1 && width - taken() < NAME_LEAST) columns.pop();
  return columns;
}

function nameText(
  row: Row,
  { isFlat, filter }: View,
  isOpen: (service: string) => boolean,
): string {
  if (row.kind === "server") return isFlat ? row.id : `    ${row.name}`;
  const sign = isOpen(row.id) || filter !== "" ? "-" : "+";
  return `${sign} ${row.id}${row.name === undefined ? "" : ` ${row.name}`}`;
}
