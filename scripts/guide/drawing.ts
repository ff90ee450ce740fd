/**
 * SVG with few means: lines, boxes and text of one width, in few colours that each mean something, on a ground of its own,
 * readable in light and in dark. Text that leaves the picture, or that other text runs into, throws.
 */

/** What a colour means. `changed` is what the director changed; `plain` and `faint` mean nothing. */
export type Meaning = "plain" | "faint" | "client" | "director" | "server" | "changed" | "dropped";

// biome-ignore format: a table
const COLOURS: Readonly<Record<Meaning | "ground" | "line", readonly [light: string, dark: string]>> = {
  ground:   ["#ffffff", "#161b22"],
  line:     ["#c9d1d9", "#3d444d"],
  plain:    ["#1f2328", "#e6edf3"],
  faint:    ["#59636e", "#9198a1"],
  client:   ["#0a5cc2", "#6cb6ff"],
  director: ["#9a4a00", "#f0a24b"],
  changed:  ["#9a4a00", "#f0a24b"],
  server:   ["#14713a", "#57c274"],
  dropped:  ["#c0212c", "#ff7b72"],
};

/** Of its height: DejaVu Sans Mono's, the widest of those named below. */
const CHARACTER_WIDTH = 0.602;
const FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
const TEXT_SIZE = 13;

export type Anchor = "start" | "middle" | "end";

export interface TextStyle {
  readonly meaning?: Meaning;
  readonly anchor?: Anchor;
  readonly size?: number;
  readonly isBold?: boolean;
  /** On a filled shape, whose colour the ground's would be. */
  readonly isInverse?: boolean;
}

export interface Span {
  readonly text: string;
  readonly meaning?: Meaning;
}

interface Extent {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export class Drawing {
  readonly #width: number;
  readonly #height: number;
  readonly #title: string;
  readonly #elements: string[] = [];
  readonly #texts: Extent[] = [];

  constructor(title: string, width: number, height: number) {
    this.#title = title;
    this.#width = width;
    this.#height = height;
  }

  line(x1: number, y1: number, x2: number, y2: number, { dashed = false } = {}): void {
    const dash = dashed ? ' stroke-dasharray="4 4"' : "";
    this.#elements.push(`<path class="line" d="M${x1} ${y1}L${x2} ${y2}"${dash}/>`);
  }

  /** Along points, with a head at the end. */
  arrow(
    points: readonly (readonly [x: number, y: number])[],
    meaning: Meaning,
    isLost = false,
  ): void {
    const path = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
    const [[x0, y0], [x, y]] = points.slice(-2) as [[number, number], [number, number]];
    const turn = Math.round((Math.atan2(y - y0, x - x0) * 180) / Math.PI);
    const head = isLost ? "M-5 -5L5 5M-5 5L5 -5" : "M-8 -4.5L0 0L-8 4.5";
    this.#elements.push(
      `<path class="stroke ${meaning}" d="${path}"/>`,
      `<path class="stroke ${meaning}" d="${head}" transform="translate(${x} ${y}) rotate(${turn})"/>`,
    );
  }

  /** Takes away what was drawn of a line downwards. */
  gap(x: number, y1: number, y2: number): void {
    this.#elements.push(`<path class="gap" d="M${x} ${y1}L${x} ${y2}"/>`);
  }

  /** Filled, for time that something takes. */
  bar(x: number, y: number, width: number, height: number, meaning: Meaning): void {
    this.#rectangle(x, y, width, height, height / 2, `bar ${meaning}`);
  }

  /** As a bar, but pale, with text on it that is of no other colour than elsewhere. */
  shade(x: number, y: number, width: number, height: number, meaning: Meaning): void {
    this.#rectangle(x, y, width, height, 6, `shade ${meaning}`);
  }

  disc(x: number, y: number, radius: number, meaning: Meaning): void {
    this.#elements.push(`<circle class="fill ${meaning}" cx="${x}" cy="${y}" r="${radius}"/>`);
  }

  text(x: number, y: number, content: string | readonly Span[], style: TextStyle = {}): void {
    const { meaning = "plain", anchor = "start", size = TEXT_SIZE } = style;
    const spans = typeof content === "string" ? [{ text: content }] : content;
    const whole = spans.map(({ text }) => text).join("");
    this.#claim(whole, x, y, anchor, size);
    const words = spans
      .map((span) => {
        const own = "meaning" in span && span.meaning !== undefined ? span.meaning : undefined;
        return own === undefined
          ? escaped(span.text)
          : `<tspan class="fill ${own}${own === "changed" ? " bold" : ""}">${escaped(span.text)}</tspan>`;
      })
      .join("");
    const classes = [style.isInverse ? "inverse" : `fill ${meaning}`, style.isBold ? "bold" : ""];
    const options = [
      anchor === "start" ? "" : ` text-anchor="${anchor}"`,
      size === TEXT_SIZE ? "" : ` font-size="${size}"`,
    ].join("");
    this.#elements.push(
      `<text class="${classes.join(" ").trim()}" x="${x}" y="${y}"${options} xml:space="preserve">${words}</text>`,
    );
  }

  toString(): string {
    const [width, height] = [this.#width, this.#height];
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="${FONTS}" font-size="${TEXT_SIZE}">
<title>${escaped(this.#title)}</title>
<style>${styles(0)}@media (prefers-color-scheme: dark) {${styles(1)}}</style>
<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${this.#elements.join("\n")}
</svg>
`;
  }

  #rectangle(
    x: number,
    y: number,
    width: number,
    height: number,
    radius: number,
    classes: string,
  ): void {
    this.#elements.push(
      `<rect class="${classes}" x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`,
    );
  }

  #claim(text: string, x: number, y: number, anchor: Anchor, size: number): void {
    const width = text.length * size * CHARACTER_WIDTH;
    const left = x - { start: 0, middle: width / 2, end: width }[anchor];
    const mine = { text, left, right: left + width, top: y - size * 0.75, bottom: y + size * 0.2 };
    if (
      left < 4 ||
      mine.right > this.#width - 4 ||
      mine.top < 4 ||
      mine.bottom > this.#height - 4
    ) {
      throw new RangeError(`${this.#title}: "${text}" leaves the picture`);
    }
    const other = this.#texts.find(
      (each) =>
        each.left < mine.right &&
        mine.left < each.right &&
        each.top < mine.bottom &&
        mine.top < each.bottom,
    );
    if (other !== undefined) {
      throw new RangeError(`${this.#title}: "${text}" runs into "${other.text}"`);
    }
    this.#texts.push(mine);
  }
}

function styles(scheme: 0 | 1): string {
  const { ground, line, ...meanings } = COLOURS;
  const rules = Object.entries(meanings).map(([name, colours]) => {
    const colour = colours[scheme];
    return `.fill.${name},.bar.${name}{fill:${colour}}.stroke.${name}{stroke:${colour}}.shade.${name}{fill:${colour};stroke:${colour}}`;
  });
  const always =
    scheme === 1
      ? ""
      : ".line,.stroke{fill:none}.stroke{stroke-width:1.6}.gap{stroke-width:4}.bar{fill-opacity:0.55}.shade{fill-opacity:0.12;stroke-opacity:0.45}.bold{font-weight:bold}";
  return `${always}.ground{fill:${ground[scheme]};stroke:${line[scheme]}}.line{stroke:${line[scheme]}}.inverse{fill:${ground[scheme]}}.gap{stroke:${ground[scheme]}}${rules.join("")}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
