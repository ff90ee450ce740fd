/** A rate's last minutes, without numbers: how it went. */
import type { JSX } from "preact";

const [WIDTH, HEIGHT] = [96, 20];
/** So that a line begins at the right, where now is. */
const POINTS = 60;

export function Sparkline({ values }: { readonly values: readonly number[] }): JSX.Element {
  const shown = values.slice(-POINTS);
  const top = Math.max(...shown, 0);
  const x = (index: number): number => WIDTH - ((shown.length - 1 - index) * WIDTH) / (POINTS - 1);
  const y = (value: number): number =>
    top === 0 ? HEIGHT - 1 : HEIGHT - 1 - (value / top) * (HEIGHT - 3);
  const points = shown.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}
