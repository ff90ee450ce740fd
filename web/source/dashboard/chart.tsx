/** Rates over the last minutes, by uPlot: drawn on a canvas, so that a point a second costs nothing. */
import "uplot/dist/uPlot.min.css";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { short } from "../frame/numbers.ts";
import { theme } from "../frame/preferences.ts";
import { useStore } from "../frame/store.ts";

export interface Line {
  readonly says: string;
  /** The name of a colour in style/base.css. */
  readonly tone: "client" | "server" | "director";
  readonly values: readonly number[];
}

export interface ChartProps {
  readonly title: string;
  readonly seconds: readonly number[];
  readonly lines: readonly Line[];
  readonly unit: string;
}

const HEIGHT = 132;

export function Chart({ title, seconds, lines, unit }: ChartProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const shown = useStore(theme);
  const data: uPlot.AlignedData = [[...seconds], ...lines.map(({ values }) => [...values])];
  useEffect(() => {
    if (box.current === null) return;
    const element = box.current;
    const made = new uPlot(optionsFor(element, lines), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [shown, title]);
  useEffect(() => plot.current?.setData(data), [seconds]);
  const now = lines.map(({ says, values }) => `${says} ${short(values.at(-1) ?? 0)}${unit}`);
  return (
    <figure class="chart">
      <figcaption>
        {title}
        {lines.map(({ says, tone, values }) => (
          <span key={says} data-tone={tone}>
            {says}{" "}
            <b>
              {short(values.at(-1) ?? 0)}
              {unit}
            </b>
          </span>
        ))}
      </figcaption>
      <div ref={box} role="img" aria-label={`${title}: ${now.join(", ")}`} />
    </figure>
  );
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

function optionsFor(element: HTMLElement, lines: readonly Line[]): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: color("muted"),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: color("line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    axes: [
      { ...axis, size: 24, space: 90, values: (_, ticks) => ticks.map(clock) },
      {
        ...axis,
        // "200kbit/s" is the widest.
        size: 64,
        space: 32,
        values: (_, ticks) => ticks.map((each) => short(each)),
      },
    ],
    scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
    series: [
      {},
      ...lines.map(({ tone }) => ({ stroke: color(tone), width: 1.5, points: { show: false } })),
    ],
  };
}
