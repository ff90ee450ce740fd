/** The lessons, and the one that one is in. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { SCENARIO_NAMES } from "../../../src/lab/network/plan.ts";
import { language } from "../frame/preferences.ts";
import { formatRoute } from "../frame/route.ts";
import { useStore } from "../frame/store.ts";
import { say as sayOfFrame } from "../frame/words.ts";
import {
  type Lesson,
  type LessonLine,
  type LessonStep,
  type LineState,
  progressOf,
} from "./lesson.ts";
import { inOrder, lessons, loadMistakes } from "./lessons.ts";
import type { Shown } from "./model.ts";
import { say, toneOf } from "./words.ts";

interface LessonPanelProps {
  readonly lesson: Lesson | undefined;
  readonly shown: Shown;
  readonly type: (line: LessonLine) => void;
  readonly beginAnew: () => void;
}

export function LessonPanel({ lesson, shown, type, beginAnew }: LessonPanelProps): JSX.Element {
  return (
    <section class="lesson panel" aria-labelledby="lesson-title">
      <Contents lesson={lesson} />
      <div class="lesson-body">
        <h1 id="lesson-title">
          {lesson === undefined ? say("freely") : lesson.title[language.value]}
        </h1>
        {lesson === undefined ? null : <Steps lesson={lesson} shown={shown} type={type} />}
        <p class="actions">
          <button type="button" onClick={beginAnew}>
            {say("begin")}
          </button>
          <CopyLink />
        </p>
      </div>
    </section>
  );
}

function Contents({ lesson }: { readonly lesson: Lesson | undefined }): JSX.Element {
  const { handbook, mistakes = [], isMissing } = useStore(lessons);
  const groups = [
    [say("handbook"), handbook],
    [say("mistakes"), mistakes],
  ] as const;
  return (
    <details class="contents" onToggle={() => void loadMistakes()}>
      <summary>{say("lessons")}</summary>
      {groups.map(([title, all]) => (
        <div key={title}>
          <h2>{title}</h2>
          <ol>
            {all.map(({ name, title: own }) => (
              <li key={name}>
                <a
                  href={formatRoute(["laboratory"], { lesson: name })}
                  aria-current={name === lesson?.name ? "true" : undefined}
                  onClick={closeContents}
                >
                  {own[language.value]}
                </a>
              </li>
            ))}
          </ol>
        </div>
      ))}
      {isMissing ? <p class="notice">{sayOfFrame("partMissing")}</p> : null}
      <h2>{say("freely")}</h2>
      <ul>
        {FREE.map(([name, query]) => (
          <li key={name}>
            <a href={formatRoute(["laboratory"], query)} onClick={closeContents}>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** With nothing to follow: each way, over each protocol. */
const FREE: readonly (readonly [name: string, query: Readonly<Record<string, string>>])[] = [
  ...SCENARIO_NAMES.map((lab) => [lab.toUpperCase(), { lab }] as const),
  ...SCENARIO_NAMES.map((lab) => [`${lab.toUpperCase()}, IPv6`, { lab, ipv6: "yes" }] as const),
];

function closeContents(event: MouseEvent): void {
  (event.currentTarget as Element).closest("details")?.removeAttribute("open");
}

interface StepsProps {
  readonly lesson: Lesson;
  readonly shown: Shown;
  readonly type: (line: LessonLine) => void;
}

function Steps({ lesson, shown, type }: StepsProps): JSX.Element {
  const progress = progressOf(lesson, shown.ran);
  const open = progress.findIndex((lines) => lines.some((state) => state !== "done"));
  const isDone = open === -1;
  const all = inOrder(useStore(lessons));
  const next = all[all.indexOf(lesson) + 1];
  useEffect(() => {
    if (isDone) void loadMistakes();
    // What comes next is to be seen; on a phone the network is, which stands below.
    if (shown.ran.length > 0 && matchMedia("(min-width: 761px)").matches) {
      document
        .querySelector(".lesson-steps > [data-current], .lesson-done")
        ?.scrollIntoView({ block: "nearest" });
    }
  }, [lesson.name, open]);
  return (
    <>
      <ol class="lesson-steps">
        {lesson.steps.map((step, index) => (
          <StepView
            key={step.title?.en}
            step={step}
            states={progress[index]!}
            isLater={!isDone && index > open}
            isCurrent={index === open}
            isBusy={shown.isBusy}
            type={type}
          />
        ))}
      </ol>
      {isDone ? (
        <p class="lesson-done" role="status">
          ✓ {say("done")}{" "}
          {next === undefined ? null : (
            <a href={formatRoute(["laboratory"], { lesson: next.name })}>
              {say("next")}: {next.title[language.value]}
            </a>
          )}
        </p>
      ) : null}
    </>
  );
}

interface StepViewProps {
  readonly step: LessonStep;
  readonly states: readonly LineState[];
  /** What comes later is not told yet: one is to think first. */
  readonly isLater: boolean;
  readonly isCurrent: boolean;
  readonly isBusy: boolean;
  readonly type: (line: LessonLine) => void;
}

function StepView({ step, states, isLater, isCurrent, isBusy, type }: StepViewProps): JSX.Element {
  const { title, says, lines, conclusion } = step;
  const isDone = states.every((state) => state === "done") && !isLater;
  return (
    <li
      data-later={isLater ? "" : undefined}
      data-current={isCurrent ? "" : undefined}
      data-done={isDone ? "" : undefined}
    >
      {title === undefined ? null : <h2>{title[language.value]}</h2>}
      {isLater ? null : (
        <>
          {says === undefined ? null : <p>{says[language.value]}</p>}
          <ul class="lesson-lines">
            {lines.map((line, index) => {
              const isNext = isCurrent && states.slice(0, index).every((state) => state === "done");
              return (
                // biome-ignore lint/suspicious/noArrayIndexKey: a line may stand there twice
                <li key={index} data-state={states[index]}>
                  <p>
                    <b data-tone={toneOf(line.host)}>{line.host}</b> <code>{line.line}</code>
                  </p>
                  {states[index] === "done" ? <span class="tick">✓</span> : null}
                  {isNext && states[index] !== "done" ? (
                    <button type="button" class="main" disabled={isBusy} onClick={() => type(line)}>
                      {say("typeIt")}
                    </button>
                  ) : null}
                  {states[index] === "wrong" ? <p class="failure">{say("notYet")}</p> : null}
                </li>
              );
            })}
          </ul>
          {isDone && conclusion !== undefined ? (
            <p class="conclusion">{conclusion[language.value]}</p>
          ) : null}
        </>
      )}
    </li>
  );
}

function CopyLink(): JSX.Element {
  const [isCopied, set] = useState(false);
  const copy = (): void => {
    navigator.clipboard?.writeText(location.href).then(
      () => set(true),
      () => {},
    );
  };
  return (
    <button type="button" onClick={copy}>
      {say(isCopied ? "copied" : "copyLink")}
    </button>
  );
}
