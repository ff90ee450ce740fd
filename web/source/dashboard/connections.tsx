/** The connection table, as a filter leaves it: the first thousands of it, and how many there are. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatEndpointId } from "../../../src/api/ids.ts";
import type { ConnectionCount } from "../../../src/api/messages.ts";
import type { WireConnection } from "../../../src/control/wire.ts";
import { ask, call, objectsOf } from "../daemon/api.ts";
import { timeSpan, whole } from "../frame/numbers.ts";
import { go } from "../frame/route.ts";
import { VirtualList } from "../frame/virtual-list.tsx";
import { say } from "./words.ts";

/** A person looks at fewer; counts are of all. */
const SHOWN_MAX = 5_000;
const AGAIN_MS = 5_000;
const ROW_HEIGHT = 30;

// biome-ignore format: a table
const FILTERS = [
  ["client",  "client",   "203.0.113.0/24"],
  ["service", "service",  "tcp:192.0.2.10:80"],
  ["server",  "server",   "10.0.0.2:80"],
  ["state",   "state",    "ESTABLISHED"],
  ["protocol", "protocol", "tcp"],
  ["older",   "older", "60"],
] as const;

const GROUPINGS = ["state", "client", "server", "service"] as const;

interface Found {
  readonly connections: readonly WireConnection[];
  readonly count: ConnectionCount;
}

export function Connections({
  query,
}: {
  readonly query: Readonly<Record<string, string>>;
}): JSX.Element {
  const { by = "state", ...filter } = query;
  const [found, setFound] = useState<Found | undefined>(undefined);
  const [failure, setFailure] = useState<string | undefined>(undefined);
  const asked = JSON.stringify(query);
  useEffect(() => {
    const over = new AbortController();
    const look = async (): Promise<void> => {
      while (!over.signal.aborted) {
        try {
          if (!document.hidden) setFound(await find(filter, by, over.signal));
          setFailure(undefined);
        } catch (error) {
          if (!over.signal.aborted) setFailure((error as Error).message);
        }
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    };
    void look();
    return () => over.abort();
  }, [asked]);
  return (
    <div class="page connections">
      <section class="panel" aria-labelledby="connections-title">
        <div class="panel-head">
          <h1 id="connections-title">
            {found === undefined
              ? say("connections")
              : say("countOf", { count: whole(found.count.count) })}
          </h1>
          <Filters filter={filter} by={by} />
        </div>
        {failure === undefined ? null : (
          <p role="alert" class="failure">
            {failure}
          </p>
        )}
        {found === undefined ? null : (
          <>
            <Groups count={found.count} by={by} filter={filter} />
            <VirtualList
              label={say("connections")}
              items={found.connections}
              rowHeight={ROW_HEIGHT}
              keyOf={keyOf}
              header={<Header />}
              empty={say("noConnection")}
              row={cells}
            />
            {found.count.count > found.connections.length ? (
              <p class="quiet foot">
                {say("firstOfThem", { count: whole(found.connections.length) })}
              </p>
            ) : null}
          </>
        )}
      </section>
    </div>
  );
}

async function find(
  filter: Readonly<Record<string, string>>,
  by: string,
  over: AbortSignal,
): Promise<Found> {
  const count = await call("countConnections", { query: { ...filter, by } });
  const connections: WireConnection[] = [];
  for await (const each of objectsOf(
    await ask("listConnections", { query: filter }, { signal: over }),
  )) {
    connections.push(each as WireConnection);
    if (connections.length === SHOWN_MAX) break;
  }
  return { connections, count };
}

function Filters({
  filter,
  by,
}: {
  readonly filter: Readonly<Record<string, string>>;
  readonly by: string;
}): JSX.Element {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const entries = [...new FormData(event.currentTarget as HTMLFormElement)].filter(
      ([, value]) => value !== "",
    );
    go(["connections"], Object.fromEntries(entries) as Record<string, string>);
  };
  return (
    <form class="filters" onSubmit={submit}>
      {FILTERS.map(([name, title, example], index) => (
        <label key={name}>
          {say(title)}
          <input
            name={name}
            placeholder={example}
            value={filter[name] ?? ""}
            data-filter={index === 0 ? "" : undefined}
            onChange={(event) => event.currentTarget.form?.requestSubmit()}
          />
        </label>
      ))}
      <label>
        {say("countBy")}
        <select
          name="by"
          value={by}
          onChange={(event) => event.currentTarget.form?.requestSubmit()}
        >
          {GROUPINGS.map((each) => (
            <option key={each} value={each}>
              {say(each)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">{say("find")}</button>
    </form>
  );
}

const GROUPS_SHOWN = 12;

function Groups({
  count: { groups, count, others },
  by,
  filter,
}: {
  readonly count: ConnectionCount;
  readonly by: string;
  readonly filter: Readonly<Record<string, string>>;
}): JSX.Element {
  const rest = groups.slice(GROUPS_SHOWN).reduce((sum, each) => sum + each.count, others);
  return (
    <ul class="groups" aria-label={say("by", { name: by })}>
      {groups.slice(0, GROUPS_SHOWN).map((group) => (
        <li key={group.name}>
          <button
            type="button"
            onClick={() => go(["connections"], { ...filter, by, ...filterFor(by, group.name) })}
          >
            <b>{whole(group.count)}</b> {group.name}
          </button>
          <meter min={0} max={Math.max(1, count)} value={group.count} aria-label={group.name} />
        </li>
      ))}
      {rest > 0 ? <li class="quiet">{say("inOthers", { count: whole(rest) })}</li> : null}
    </ul>
  );
}

/** A state is counted with its protocol: "TCP ESTABLISHED". */
function filterFor(by: string, name: string): Readonly<Record<string, string>> {
  const [protocol = "", state] = name.split(" ");
  return by === "state" && state !== undefined ? { protocol, state } : { [by]: name };
}

const COLUMNS = ["client", "virtual", "server", "state", "age", "expires"] as const;

function Header(): JSX.Element {
  return (
    <>
      {COLUMNS.map((title, index) => (
        <span key={title} role="columnheader" class={`c${index}`}>
          {say(title)}
        </span>
      ))}
    </>
  );
}

function keyOf({ protocol, client, virtual }: WireConnection): string {
  return `${protocol} ${formatEndpointId(client)} ${formatEndpointId(virtual)}`;
}

function cells(each: WireConnection): JSX.Element {
  const texts = [
    formatEndpointId(each.client),
    `${each.protocol.toLowerCase()} ${formatEndpointId(each.virtual)}`,
    formatEndpointId(each.destination),
    each.state,
    each.ageSeconds === null ? "" : timeSpan(each.ageSeconds),
    timeSpan(Math.max(0, each.expiresInMs / 1000)),
  ];
  return (
    <>
      {texts.map((text, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: columns stay where they are
        <span key={index} role="cell" class={`c${index}`}>
          {text}
        </span>
      ))}
    </>
  );
}
