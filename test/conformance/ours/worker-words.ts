/** What a side and its worker say to each other, a line of JSON each. */
import type { Observation, Report } from "../case.ts";

/** Frames are in hexadecimal digits. */
export function encodeReports(index: number, reports: readonly Report[]): string {
  return JSON.stringify([index, reports], (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
  );
}

export function decodeReports(line: string): [index: number, reports: Report[]] {
  const [index, reports] = JSON.parse(line) as [
    number,
    { atMs: number; observation: Observation }[],
  ];
  for (const { observation } of reports) {
    if (observation.kind !== "sent") continue;
    for (const frame of observation.frames) {
      Object.assign(frame, { bytes: Buffer.from(String(frame.bytes), "hex") });
    }
  }
  return [index, reports];
}
