/** What pictures of the laboratory show: lines that were typed, and the step that is looked at. */
import { HANDBOOK } from "../../web/source/laboratory/handbook.ts";

/** The page with lines typed, and a step of what followed looked at. */
export interface Scene {
  readonly image: string;
  readonly lesson: string;
  readonly typed: readonly (readonly [host: string, line: string])[];
  readonly theme: "light" | "dark";
  /** The last row of what happened that begins so. */
  readonly row: RegExp;
  /** Whose tables and terminal are shown. */
  readonly host: string;
}

const SITE = "http://192.168.150.100/";
const ASK = ["client", `curl -sS -m 2 ${SITE}`] as const;
const ASK_TWICE = ["client", `curl -sS -m 2 ${SITE} ${SITE}`] as const;
const DOWN = ["node02", "ifconfig lo:2 down"] as const;

export const SCENES: readonly Scene[] = [
  {
    image: "laboratory.png",
    lesson: "why",
    typed: [ASK, ASK, DOWN, ASK_TWICE],
    theme: "dark",
    // The frame before the loss: under way from the director to node02.
    row: /^node01 SYN 192/,
    host: "node02",
  },
  {
    image: "lesson-wire.png",
    lesson: "wire",
    typed: [["client", "curl -sS http://192.168.150.12/"]],
    theme: "light",
    row: /^client ARP: who has/,
    host: "client",
  },
  {
    image: "lesson-direct-routing.png",
    lesson: "direct-routing",
    typed: lessonLines("direct-routing").slice(0, -1),
    theme: "light",
    row: /^node01 SYN 192/,
    host: "node01",
  },
  {
    image: "lesson-why.png",
    lesson: "why",
    typed: [ASK, ASK, DOWN, ASK_TWICE],
    theme: "light",
    row: /^node02 ✕ not-forwarding/,
    host: "node02",
  },
];

function lessonLines(name: string): Scene["typed"] {
  const lesson = HANDBOOK.find((each) => each.name === name)!;
  return lesson.steps.flatMap(({ lines }) => lines).map(({ host, line }) => [host, line] as const);
}
