/** The director in figures, and what is wrong with it. */
import type { JSX } from "preact";
import { health, rates, snapshot, status } from "../daemon/live.ts";
import { ALL } from "../daemon/rate-history.ts";
import { bitRate, short, whole } from "../frame/numbers.ts";
import { formatRoute } from "../frame/route.ts";
import { useStore } from "../frame/store.ts";
import { Sparkline } from "./sparkline.tsx";
import { say } from "./words.ts";

export function Overview(): JSX.Element {
  const known = useStore(snapshot);
  const state = useStore(status);
  const checked = useStore(health);
  const all = rates.of(ALL);
  const down = (checked?.services ?? [])
    .flatMap(({ destinations }) => destinations)
    .filter((each) => each.health === "down").length;
  const drops = Object.entries(known?.reasonRates ?? {})
    .filter(([name]) => name.startsWith("drop-"))
    .reduce((sum, [, rate]) => sum + rate, 0);
  return (
    <section class="overview" aria-label={say("now")}>
      <Figure
        says={say("newConnections")}
        value={`${short(last(all.connections))}/s`}
        series={all.connections}
        tone="client"
      />
      <Figure
        says={say("in")}
        value={bitRate(last(all.inBytes))}
        series={all.inBytes}
        tone="client"
      />
      <Figure
        says={say("outByHere")}
        value={bitRate(last(all.outBytes))}
        series={all.outBytes}
        tone="server"
      />
      <Figure
        says={say("ofEntries", { count: short(state?.connectionsMax ?? 0) })}
        value={whole(state?.connections ?? 0)}
        tone="director"
        part={(state?.connections ?? 0) / Math.max(1, state?.connectionsMax ?? 1)}
      />
      <Figure
        says={say("dropped")}
        value={`${short(drops)}/s`}
        tone={drops > 0 ? "dropped" : "none"}
        href={formatRoute(["packets"])}
      />
      <Figure says={say("serversDown")} value={String(down)} tone={down > 0 ? "dropped" : "none"} />
      <Findings />
    </section>
  );
}

function last(column: readonly number[]): number {
  return column.at(-1) ?? 0;
}

interface FigureProps {
  readonly says: string;
  readonly value: string;
  readonly tone: "client" | "director" | "server" | "dropped" | "none";
  readonly series?: readonly number[];
  readonly part?: number;
  readonly href?: string;
}

function Figure({ says, value, tone, series, part, href }: FigureProps): JSX.Element {
  return (
    <div class="figure" data-tone={tone}>
      <strong>{value}</strong>
      <span>{href === undefined ? says : <a href={href}>{says}</a>}</span>
      {series === undefined ? null : <Sparkline values={series} />}
      {part === undefined ? null : <meter min={0} max={1} value={part} aria-label={says} />}
    </div>
  );
}

function Findings(): JSX.Element | null {
  const state = useStore(status);
  if (state === undefined || state.findings.length === 0) return null;
  return (
    <ul class="findings">
      {state.findings.map(({ code, about, says, remedy, since }) => (
        <li key={`${code} ${about}`}>
          <strong>{about}</strong> {says} <span class="remedy">{remedy}</span>{" "}
          <time dateTime={since}>
            {say("since", { time: new Date(since).toLocaleTimeString() })}
          </time>
        </li>
      ))}
      {state.findingsOmitted > 0 ? (
        <li>{say("moreFindings", { count: state.findingsOmitted })}</li>
      ) : null}
    </ul>
  );
}
