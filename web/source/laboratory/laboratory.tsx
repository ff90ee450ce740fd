/** The laboratory in the page: a lesson, the network with its frames, and the hosts. */
import "../style/laboratory/page.css";
import "../style/laboratory/lesson.css";
import "../style/laboratory/network.css";
import "../style/laboratory/player.css";
import "../style/laboratory/steps.css";
import "../style/laboratory/hosts.css";
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { formatRoute, useRoute } from "../frame/route.ts";
import { useStore } from "../frame/store.ts";
import { VirtualList } from "../frame/virtual-list.tsx";
import { Inspector } from "./inspector.tsx";
import type { LessonLine } from "./lesson.ts";
import { LessonPanel } from "./lesson-panel.tsx";
import { inOrder, lessons, loadMistakes } from "./lessons.ts";
import { formatLink, parseLink } from "./link.ts";
import { Model, type Setting, type Shown } from "./model.ts";
import { durationOf, Player, type Speed } from "./player.tsx";
import { sayStep } from "./say-step.ts";
import type { Step } from "./steps.ts";
import { Tables } from "./tables.tsx";
import { Terminal } from "./terminal.tsx";
import { Topology } from "./topology.tsx";
import { say, toneOf } from "./words.ts";

const ROW_HEIGHT = 26;
/** Where somebody begins who asked for nothing else. */
const FIRST_LESSON = "wire";

export default function Laboratory(): JSX.Element {
  const model = useMemo(() => new Model(), []);
  const shown = useStore(model.shown);
  const { query } = useRoute();
  const name = query.lesson ?? (query.lab === undefined ? FIRST_LESSON : undefined);
  const known = useStore(lessons);
  const lesson = inOrder(known).find((each) => each.name === name);
  /** It is one of those that are not loaded yet, or there is none of that name. */
  const isAwaited = name !== undefined && lesson === undefined && known.mistakes === undefined;
  const [chosen, choose] = useState("client");
  const [speed, setSpeed] = useState<Speed>(1);
  const open = (lines: ReturnType<typeof parseLink>["lines"]): void => {
    const { setting } = parseLink(query);
    const wanted: Setting =
      lesson === undefined
        ? setting
        : { ...setting, scenario: lesson.scenario, isBuilt: lesson.isBuilt, family: "inet" };
    void model.open(wanted, lines);
  };
  // What was typed since is in the address, too, and no reason to begin anew.
  useEffect(() => {
    if (isAwaited) void loadMistakes();
    else open(parseLink(query).lines);
  }, [name, isAwaited, query.lab, query.bare, query.ipv6, query.seed]);
  const keepInAddress = (): void => {
    const { scenario, isBuilt, seed, family, ran } = model.shown.value;
    const lines = ran.map(({ host, line }) => ({ host, line }));
    const link = formatLink({
      lesson: lesson?.name,
      setting: { scenario, isBuilt, seed, family },
      lines,
    });
    history.replaceState(undefined, "", formatRoute(["laboratory"], link));
  };
  useEffect(() => {
    if (!shown.isBusy) keepInAddress();
  }, [shown.ran, shown.isBusy]);
  const type = ({ host, line }: LessonLine): void => {
    choose(host);
    void model.type(host, line);
    // On a phone the network stands below the lesson.
    if (matchMedia("(max-width: 760px)").matches)
      document.querySelector(".stage")?.scrollIntoView();
  };
  const step = shown.steps[shown.at];
  const hosts = model.hosts.flatMap((host) => model.tables(host) ?? []);
  return (
    <div class="laboratory">
      <LessonPanel lesson={lesson} shown={shown} type={type} beginAnew={() => open([])} />
      <section class="stage" aria-label={say("network")}>
        <div class="panel">
          <Topology
            scenario={shown.scenario}
            hosts={hosts}
            step={step}
            isPlaying={shown.isPlaying}
            durationMs={durationOf(shown, speed)}
            chosen={chosen}
            choose={choose}
          />
          <Player model={model} shown={shown} speed={speed} setSpeed={setSpeed} />
        </div>
        <div class="what">
          <StepList model={model} shown={shown} />
          <section class="panel inspector" aria-labelledby="headers-title">
            <h2 id="headers-title">{say("headers")}</h2>
            <div class="inspector-body" tabIndex={0} role="group" aria-labelledby="headers-title">
              <Inspector steps={shown.steps} at={shown.at} />
            </div>
          </section>
        </div>
      </section>
      <section class="panel host-panel" aria-label={say("hosts")}>
        <HostTabs hosts={model.hosts} chosen={chosen} choose={choose} />
        <Terminal model={model} shown={shown} host={chosen} />
        <HostTables model={model} host={chosen} step={step} />
      </section>
    </div>
  );
}

function StepList({ model, shown }: { readonly model: Model; readonly shown: Shown }): JSX.Element {
  const { steps, at } = shown;
  return (
    <section class="panel step-list" aria-labelledby="steps-title">
      <h2 id="steps-title">{say("steps")}</h2>
      <VirtualList
        label={say("steps")}
        items={steps}
        rowHeight={ROW_HEIGHT}
        keyOf={keyOf}
        current={steps[at] === undefined ? undefined : keyOf(steps[at])}
        header={null}
        empty={say("noSteps")}
        row={(step) => (
          <>
            <span
              role="cell"
              class="step-host"
              data-tone={step.kind === "dropped" ? "dropped" : toneOf(step.host)}
            >
              {step.host}
            </span>
            <span role="cell" class="step-says" data-kind={step.kind}>
              <button type="button" onClick={() => model.goTo(steps.indexOf(step))}>
                {sayStep(step)}
              </button>
            </span>
          </>
        )}
      />
    </section>
  );
}

function keyOf({ event }: Step): string {
  return String(event);
}

interface HostTabsProps {
  readonly hosts: readonly string[];
  readonly chosen: string;
  readonly choose: (host: string) => void;
}

function HostTabs({ hosts, chosen, choose }: HostTabsProps): JSX.Element {
  const move = (step: number): void => {
    const next = hosts[(hosts.indexOf(chosen) + step + hosts.length) % hosts.length];
    if (next === undefined) return;
    choose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="host-tabs" role="tablist" aria-label={say("hosts")}>
      {hosts.map((host) => (
        <button
          key={host}
          id={`tab-${host}`}
          type="button"
          role="tab"
          aria-selected={host === chosen}
          tabIndex={host === chosen ? 0 : -1}
          data-tone={toneOf(host)}
          onClick={() => choose(host)}
          onKeyDown={(event) => {
            if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
            event.stopPropagation();
            event.preventDefault();
            move(event.key === "ArrowRight" ? 1 : -1);
          }}
        >
          {host}
        </button>
      ))}
    </div>
  );
}

interface HostTablesProps {
  readonly model: Model;
  readonly host: string;
  readonly step: Step | undefined;
}

function HostTables({ model, host, step }: HostTablesProps): JSX.Element | null {
  const tables = model.tables(host);
  if (tables === undefined) return null;
  return (
    <div class="host-tables" tabIndex={0} role="group" aria-label={`${say("tables")}, ${host}`}>
      <Tables
        host={tables}
        changed={step?.kind === "table" && step.host === host ? step.table : undefined}
      />
    </div>
  );
}
