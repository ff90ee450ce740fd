/** A frame's headers, and what of them is another than when the packet came to whoever sent it on. */
import type { JSX } from "preact";
import { changedFields, type Dissected, dissect, fieldKey } from "./dissect.ts";
import type { Step } from "./steps.ts";
import { say, sayReason, toneOf } from "./words.ts";

export function Inspector({
  steps,
  at,
}: {
  readonly steps: readonly Step[];
  readonly at: number;
}): JSX.Element {
  const step = steps[at];
  if (step === undefined || !("bytes" in step)) return <p class="quiet">{say("noFrame")}</p>;
  const shown = dissectStep(step)!;
  const before = step.kind === "frame" ? cameAs(steps, at, shown) : undefined;
  const changed = before === undefined ? new Set<string>() : changedFields(before, shown);
  const outermostFirst = numbered(shown);
  return (
    <div class="layers">
      <p class="summary" data-tone={step.kind === "dropped" ? "dropped" : toneOf(step.host)}>
        {shown.summary}
      </p>
      {step.kind === "dropped" || step.kind === "forwarded" ? (
        <p data-tone={step.kind === "dropped" ? "dropped" : "director"} class="verdict">
          <b>{step.reason}</b> {sayReason(step.reason)}
        </p>
      ) : null}
      {changed.size === 0 ? null : <p class="legend">{say("changed")}</p>}
      {outermostFirst.map(({ name, nth, fields }) => (
        <section key={`${name} ${nth}`}>
          <h3>{name}</h3>
          <dl>
            {fields.map((field) => {
              const isChanged = changed.has(fieldKey(name, nth, field.name));
              return (
                <div key={field.name} data-changed={isChanged ? "" : undefined}>
                  <dt>{field.name}</dt>
                  <dd>{field.value}</dd>
                </div>
              );
            })}
          </dl>
        </section>
      ))}
    </div>
  );
}

function dissectStep(step: Step): Dissected | undefined {
  if (!("bytes" in step)) return undefined;
  return dissect(
    step.bytes,
    step.kind === "forwarded" ? "packet" : step.kind === "dropped" ? step.form : "frame",
  );
}

/** The frame in which the same packet came to the host that now sends it on. */
function cameAs(steps: readonly Step[], at: number, shown: Dissected): Dissected | undefined {
  const sender = steps[at]!.host;
  if (shown.identity === undefined) return undefined;
  for (let index = at - 1; index >= 0; index--) {
    const step = steps[index]!;
    if (step.kind === "command") return undefined;
    if (step.kind !== "frame" || !step.receivers.some(({ host }) => host === sender)) continue;
    const before = dissect(step.bytes);
    if (before.identity === shown.identity) return before;
  }
  return undefined;
}

/** Each layer with how many of its kind are inside of it. */
function numbered({ layers }: Dissected) {
  return layers.map((layer, index) => ({
    ...layer,
    nth: layers.slice(index + 1).filter(({ name }) => name === layer.name).length,
  }));
}
