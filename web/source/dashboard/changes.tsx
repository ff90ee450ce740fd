/** What is proposed, what the director says it would change, and only then the button; and what was changed before. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { HistoryReply, Plan, PlannedChange } from "../../../src/api/messages.ts";
import type { WireWantedService } from "../../../src/control/wanted-wire.ts";
import { ask, call, objectsOf, Refused } from "../daemon/api.ts";
import { happened, refresh } from "../daemon/live.ts";
import { isUnlocked } from "../frame/preferences.ts";
import { useStore } from "../frame/store.ts";
import { AddServer } from "./add-server.tsx";
import { useCommand } from "./command.ts";
import { draft, type Proposal, propose, sayProposal, unstage } from "./draft.ts";
import { say } from "./words.ts";

interface Planned {
  readonly plan: Plan;
  readonly lines: string;
  /** Of what the plan was made: what somebody else changes meanwhile makes it void. */
  readonly etag: string;
}

export function Changes(): JSX.Element {
  const proposals = useStore(draft);
  const isOpen = useStore(isUnlocked);
  const [planned, setPlanned] = useState<Planned | undefined>(undefined);
  const { run, isBusy, failure } = useCommand();
  const replan = (): void =>
    run(async () => setPlanned(proposals.length === 0 ? undefined : await plan(proposals)));
  useEffect(replan, [proposals]);
  const apply = (): void =>
    run(async () => {
      if (planned === undefined) return;
      const { lines, etag } = planned;
      try {
        await ask("apply", {}, { body: lines, headers: { "if-match": etag } });
      } catch (error) {
        if (error instanceof Refused && error.code === "changed-meanwhile") {
          setPlanned(await plan(proposals));
          throw new Error(say("somebodyFaster"));
        }
        throw error;
      }
      draft.set([]);
      refresh();
    });
  return (
    <div class="page">
      <section class="panel" aria-labelledby="changes-title">
        <div class="panel-head">
          <h1 id="changes-title">{say("proposedChanges")}</h1>
        </div>
        <div class="detail-body">
          {proposals.length === 0 ? (
            <p>{say("nothingProposed")}</p>
          ) : (
            <ul class="proposals">
              {proposals.map((each) => (
                <li key={sayProposal(each, say)}>
                  <code>{sayProposal(each, say)}</code>
                  <button type="button" onClick={() => unstage(each)}>
                    {say("takeBack")}
                  </button>
                  {isOpen && each.kind === "service" ? <AddServer service={each.service} /> : null}
                </li>
              ))}
            </ul>
          )}
          {planned === undefined || proposals.length === 0 ? null : (
            <>
              <h2>{say("wouldChange")}</h2>
              <PlannedChanges changes={planned.plan.changes} />
              <p class="actions">
                <button type="button" class="main" disabled={!isOpen || isBusy} onClick={apply}>
                  {say("apply")}
                </button>
                {isOpen ? null : <span class="quiet">{say("unlockFirst")}</span>}
              </p>
            </>
          )}
          {failure === undefined ? null : (
            <p role="alert" class="failure">
              {failure}
            </p>
          )}
        </div>
      </section>
      <History />
    </div>
  );
}

async function plan(proposals: readonly Proposal[]): Promise<Planned> {
  const response = await ask("configuration");
  const etag = response.headers.get("etag") ?? "";
  const all: unknown[] = [];
  for await (const line of objectsOf(response)) all.push(line);
  const [settings, ...services] = all;
  const wanted = propose(services as WireWantedService[], proposals);
  const lines = [settings, ...wanted].map((line) => `${JSON.stringify(line)}\n`).join("");
  const answer = await ask("plan", {}, { body: lines });
  return { plan: (await answer.json()) as Plan, lines, etag };
}

const SIGNS = { add: "+", change: "~", remove: "−" } as const;

export function PlannedChanges({
  changes,
}: {
  readonly changes: readonly PlannedChange[];
}): JSX.Element {
  if (changes.length === 0) return <p>{say("soAlready")}</p>;
  return (
    <ul class="planned">
      {changes.map(({ action, what, service, destination, facts, connections }) => (
        <li key={`${action} ${service} ${destination} ${what}`} data-action={action}>
          <code>
            {SIGNS[action]}{" "}
            {[service ?? what, destination].filter((part) => part !== null).join(" ")}
          </code>
          <span>
            {facts
              .map(({ name, before, after }) => `${name} ${before ?? "–"} → ${after ?? "–"}`)
              .join(", ")}
          </span>
          {connections > 0 ? (
            <strong>
              {say(
                action === "remove"
                  ? connections === 1
                    ? "oneCutOff"
                    : "manyCutOff"
                  : connections === 1
                    ? "oneTouched"
                    : "manyTouched",
                { count: connections },
              )}
            </strong>
          ) : null}
        </li>
      ))}
    </ul>
  );
}

function History(): JSX.Element {
  const [history, setHistory] = useState<HistoryReply | undefined>(undefined);
  const last = useStore(happened).findLast(({ name }) => name === "configuration-changed");
  useEffect(() => {
    call("history", {}).then(setHistory, () => {});
  }, [last]);
  return (
    <section class="panel" aria-labelledby="history-title">
      <div class="panel-head">
        <h2 id="history-title">{say("wasChanged")}</h2>
      </div>
      <ol class="history detail-body">
        {(history?.entries ?? []).slice(0, 100).map(({ generation, at, by, says }) => (
          <li key={generation}>
            <span class="quiet">{generation}</span>
            <time dateTime={at}>{new Date(at).toLocaleString()}</time>
            <span>{[by.name, by.command].filter((part) => part !== null).join(", ")}</span>
            <code>{says.join("; ")}</code>
          </li>
        ))}
        {history?.entries.length === 0 ? <li>{say("nothingYet")}</li> : null}
      </ol>
    </section>
  );
}
