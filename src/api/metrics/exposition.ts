/**
 * Prometheus' text format, version 0.0.4: a family is its HELP, its TYPE, then all of its samples.
 *
 *     # HELP sluice_destination_weight Connections that it gets beside the others.
 *     # TYPE sluice_destination_weight gauge
 *     sluice_destination_weight{service="tcp:10.0.0.1:80",destination="10.0.0.2:80"} 1
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Family {
  /** With its unit at the end, and `_total` where it only grows. */
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
}

export function header({ name, type, help }: Family): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

/** `service="tcp:10.0.0.1:80",direction="in"`, to be put between braces. */
export function labels(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",");
}

/** `text` as labels() gives it; empty: none. */
export function sample(name: string, text: string, value: number): string {
  return text === "" ? `${name} ${value}\n` : `${name}{${text}} ${value}\n`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
