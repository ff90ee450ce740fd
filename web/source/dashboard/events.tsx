/** What happened, the newest first. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { happened } from "../daemon/live.ts";
import { useStore } from "../frame/store.ts";
import { say } from "./words.ts";

/** What somebody should look at. */
const GRAVE = /down|lost|refused|failed|trouble|panic|bug|began/;

export function Events(): JSX.Element {
  const events = useStore(happened);
  const [filter, setFilter] = useState("");
  const shown = events
    .filter(({ name, message }) =>
      `${name} ${message}`.toLowerCase().includes(filter.toLowerCase()),
    )
    .toReversed();
  return (
    <div class="page">
      <section class="panel" aria-labelledby="events-title">
        <div class="panel-head">
          <h1 id="events-title">{say("events")}</h1>
          <input
            data-filter
            type="search"
            placeholder={say("filterShort")}
            aria-label={say("filterEvents")}
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </div>
        <ol class="events detail-body">
          {shown.map(({ id, name, at, message }) => (
            <li
              key={id}
              data-tone={GRAVE.test(name) && !name.endsWith("-over") ? "dropped" : undefined}
            >
              <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time>
              <code>{name}</code>
              <span>{message}</span>
            </li>
          ))}
          {shown.length === 0 ? <li>{say("nothingYet")}</li> : null}
        </ol>
      </section>
    </div>
  );
}
