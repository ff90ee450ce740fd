/** The terminal: draws lines on it and tells of keys. All that knows of ink, which knows terminals, is here. */
import { Box, type Key as InkKey, type Instance, render, Text, useInput, useWindowSize } from "ink";
import { createElement, useEffect } from "react";
import type { Key, KeyName } from "./keys.ts";
import type { Line, Piece, Style } from "./lines.ts";
import type { Size } from "./page.ts";

export interface Screen {
  draw(lines: readonly Line[]): void;
  readonly size: Size;
  /** Gives the terminal back as it was. */
  close(): Promise<void>;
}

export interface ScreenListener {
  readonly onKey: (key: Key) => void;
  readonly onResize: () => void;
}

export function openScreen(listener: ScreenListener): Screen {
  let size: Size = { columns: process.stdout.columns, rows: process.stdout.rows };
  const onSize = (now: Size): void => {
    if (now.columns === size.columns && now.rows === size.rows) return;
    size = now;
    listener.onResize();
  };
  const element = (lines: readonly Line[]) =>
    createElement(Page, { lines, onKey: listener.onKey, onSize });
  const ink: Instance = render(element([]), {
    alternateScreen: true,
    // Ctrl-C is a key like others: see keys.ts.
    exitOnCtrlC: false,
    incrementalRendering: true,
    interactive: true,
  });
  return {
    draw: (lines) => ink.rerender(element(lines)),
    get size() {
      return size;
    },
    async close() {
      ink.unmount();
      await ink.waitUntilExit();
    },
  };
}

interface PageProps {
  readonly lines: readonly Line[];
  readonly onKey: (key: Key) => void;
  readonly onSize: (size: Size) => void;
}

function Page({ lines, onKey, onSize }: PageProps) {
  const { columns, rows } = useWindowSize();
  useEffect(() => onSize({ columns, rows }), [columns, rows, onSize]);
  useInput((input, key) => {
    for (const each of keysOf(input, key)) onKey(each);
  });
  return createElement(
    Box,
    // A line less than there are, or the terminal would scroll.
    { flexDirection: "column", width: columns, height: rows, overflow: "hidden" },
    // Lines have no other identity than their place.
    ...lines.map((line, index) => lineElement(line, index)),
  );
}

function lineElement({ pieces, isSelected = false }: Line, index: number) {
  return createElement(
    Box,
    { key: index, height: 1, flexShrink: 0, overflow: "hidden" },
    ...pieces.map((piece, place) => pieceElement(piece, place, isSelected)),
  );
}

function pieceElement(piece: Piece, place: number, isSelected: boolean) {
  const { text, width, isRight = false, style = "plain" } = piece;
  const { dimColor = false, inverse = false, ...look } = LOOKS[style];
  const content = createElement(
    Text,
    {
      ...look,
      dimColor: dimColor && !isSelected,
      inverse: isSelected || inverse,
      wrap: "truncate-end",
    },
    filled(text, width, isRight),
  );
  const box = width === undefined ? { flexGrow: 1, flexShrink: 1 } : { width, flexShrink: 0 };
  return createElement(Box, { key: place, ...box }, content);
}

/** The selected row is one bar, so what is shorter than its column is filled up. Text that is wider than it is long is cut by ink. */
function filled(text: string, width: number | undefined, isRight: boolean): string {
  if (width === undefined) return text === "" ? " " : text;
  return isRight ? text.padStart(width) : text.padEnd(width);
}

interface Look {
  readonly bold?: boolean;
  readonly color?: string;
  readonly inverse?: boolean;
  readonly dimColor?: boolean;
}

const LOOKS: Readonly<Record<Style, Look>> = {
  plain: {},
  strong: { bold: true },
  faint: { dimColor: true },
  good: { color: "green" },
  warning: { color: "yellow" },
  bad: { color: "red", bold: true },
  banner: { color: "yellow", bold: true, inverse: true },
};

const NAMED: readonly [is: keyof InkKey, name: KeyName][] = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageUp", "pageUp"],
  ["pageDown", "pageDown"],
  ["home", "home"],
  ["end", "end"],
  ["return", "return"],
  ["escape", "escape"],
  ["tab", "tab"],
  ["backspace", "backspace"],
  // What most terminals send for the key of that name.
  ["delete", "backspace"],
];

/** What is typed fast, or pasted, comes in one piece. */
function* keysOf(input: string, key: InkKey): Generator<Key> {
  if (key.ctrl) {
    if (input === "c") yield { name: "interrupt" };
    return;
  }
  const named = NAMED.find(([is]) => key[is] === true);
  if (named !== undefined) {
    yield { name: named[1] };
    return;
  }
  if (key.meta) return;
  for (const char of input) {
    const name = CONTROLS[char];
    if (name !== undefined) yield { name };
    else if (char >= " ") yield { char };
  }
}

const CONTROLS: Readonly<Record<string, KeyName>> = {
  "\r": "return",
  "\n": "return",
  "\t": "tab",
  "\u0003": "interrupt",
  "\u007F": "backspace",
};
