/** Where do my packets go? Every packet leaves the director for one reason of a closed list, and each is counted. */
import type { JSX } from "preact";
import { reasonWords, snapshot } from "../daemon/live.ts";
import { short, whole } from "../frame/numbers.ts";
import { sayReason } from "../frame/reasons.ts";
import { useStore } from "../frame/store.ts";
import { say } from "./words.ts";

const WAYS = [
  { title: "sentOn", tone: "server", isOf: (name: string) => name.startsWith("forward-") },
  { title: "leftToHost", tone: "director", isOf: (name: string) => name.startsWith("pass-") },
  { title: "droppedWay", tone: "dropped", isOf: (name: string) => !/^(forward|pass)-/.test(name) },
] as const;

export function Packets(): JSX.Element {
  const { reasons, reasonRates } = useStore(snapshot)!;
  const words = useStore(reasonWords);
  const top = Math.max(1, ...Object.values(reasons));
  return (
    <div class="page">
      <section class="panel" aria-labelledby="packets-title">
        <div class="panel-head">
          <h1 id="packets-title">{say("whereTo")}</h1>
        </div>
        <div class="detail-body">
          {WAYS.map(({ title, tone, isOf }) => {
            const rows = Object.entries(reasons)
              .filter(([name, count]) => isOf(name) && count > 0)
              .sort(([, one], [, other]) => other - one);
            const all = rows.reduce((sum, [, count]) => sum + count, 0);
            return (
              <section key={title} data-tone={tone} class="way">
                <h2>
                  {say(title)} <b>{whole(all)}</b>
                </h2>
                {rows.length === 0 ? <p class="quiet">{say("none")}</p> : null}
                <ul class="reasons">
                  {rows.map(([name, count]) => (
                    <li key={name}>
                      <code>{name}</code>
                      <span class="bar" aria-hidden="true">
                        {/* A root scale: one packet in a million is what one looks for, and is seen. */}
                        <i style={{ width: `${Math.max(0.5, (count / top) ** (1 / 3) * 100)}%` }} />
                      </span>
                      <b>{whole(count)}</b>
                      <span class="rate">{short(reasonRates[name] ?? 0)}/s</span>
                      <span class="means">{sayReason(name) ?? words[name] ?? ""}</span>
                    </li>
                  ))}
                </ul>
              </section>
            );
          })}
        </div>
      </section>
    </div>
  );
}
