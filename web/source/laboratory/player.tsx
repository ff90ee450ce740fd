/** Time: play, pause, a step on, a step back, and how fast. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useKeys } from "../frame/keys.ts";
import type { Model, Shown } from "./model.ts";
import { say } from "./words.ts";

export const SPEEDS = [0.5, 1, 2, 4] as const;
export type Speed = (typeof SPEEDS)[number];

/** Of what kind of step, at speed 1. */
const DURATIONS_MS = {
  frame: 1_000,
  dropped: 1_600,
  forwarded: 1_000,
  table: 500,
  command: 300,
} as const;

export function durationOf({ steps, at }: Shown, speed: Speed): number {
  const step = steps[at];
  return step === undefined ? 0 : DURATIONS_MS[step.kind] / speed;
}

interface PlayerProps {
  readonly model: Model;
  readonly shown: Shown;
  readonly speed: Speed;
  readonly setSpeed: (speed: Speed) => void;
}

export function Player({ model, shown, speed, setSpeed }: PlayerProps): JSX.Element {
  const { at, steps, isPlaying } = shown;
  useEffect(() => {
    if (!isPlaying) return;
    const timer = setTimeout(() => model.goOn(), durationOf(shown, speed));
    return () => clearTimeout(timer);
  }, [isPlaying, at, speed]);
  useKeys({
    " ": () => model.play(!isPlaying),
    ArrowLeft: () => model.goTo(at - 1),
    ArrowRight: () => model.goTo(at + 1),
  });
  const timeMs = steps[at]?.timeMs;
  return (
    <div class="player" role="group" aria-label={say("moment")}>
      <button
        type="button"
        onClick={() => model.goTo(model.lastCommand())}
        aria-label={say("toStart")}
        disabled={steps.length === 0}
      >
        <Sign path="M4 3v10M13 3 6 8l7 5z" />
      </button>
      <button
        type="button"
        onClick={() => model.goTo(at - 1)}
        aria-label={say("back")}
        disabled={at < 0}
      >
        <Sign path="M11 3 4 8l7 5z" />
      </button>
      <button
        type="button"
        class="main"
        onClick={() => model.play(!isPlaying)}
        disabled={steps.length === 0}
      >
        <Sign path={isPlaying ? "M5 3v10M11 3v10" : "M4 2.5 13 8l-9 5.5z"} />
        {say(isPlaying ? "pause" : "play")}
      </button>
      <button
        type="button"
        onClick={() => model.goTo(at + 1)}
        aria-label={say("on")}
        disabled={at >= steps.length - 1}
      >
        <Sign path="M5 3l7 5-7 5z" />
      </button>
      <button
        type="button"
        onClick={() => model.goTo(steps.length - 1)}
        aria-label={say("toEnd")}
        disabled={at >= steps.length - 1}
      >
        <Sign path="M3 3l7 5-7 5zM12 3v10" />
      </button>
      <input
        type="range"
        aria-label={say("moment")}
        min={-1}
        max={Math.max(0, steps.length - 1)}
        value={at}
        onInput={(event) => model.goTo(Number(event.currentTarget.value))}
      />
      <output>
        {Math.max(0, at + 1)}/{steps.length}
        {timeMs === undefined ? "" : ` · ${(timeMs / 1000).toFixed(4)} s`}
      </output>
      <select
        aria-label={say("speed")}
        value={speed}
        onChange={(event) => setSpeed(Number(event.currentTarget.value) as Speed)}
      >
        {SPEEDS.map((each) => (
          <option key={each} value={each}>
            {each}×
          </option>
        ))}
      </select>
    </div>
  );
}

function Sign({ path }: { readonly path: string }): JSX.Element {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" class="sign">
      <path d={path} />
    </svg>
  );
}
