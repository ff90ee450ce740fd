/** What is shown, line by line, before anybody knows of a terminal. */

export type Style = "plain" | "strong" | "faint" | "good" | "warning" | "bad" | "banner";

/** A part of a line. With a width it is cut or filled up to it; the last may go to the line's end. */
export interface Piece {
  readonly text: string;
  readonly style?: Style;
  readonly width?: number;
  readonly isRight?: boolean;
}

export interface Line {
  readonly pieces: readonly Piece[];
  readonly isSelected?: boolean;
}

export function line(text: string, style: Style = "plain"): Line {
  return { pieces: [{ text, style }] };
}

/** As text, where nobody looks on. */
export function plainText({ pieces }: Line): string {
  return pieces
    .map(({ text, width, isRight }) => {
      if (width === undefined) return text;
      if (text.length > width) return `${text.slice(0, width - 1)}…`;
      return isRight === true ? text.padStart(width) : text.padEnd(width);
    })
    .join("")
    .trimEnd();
}
