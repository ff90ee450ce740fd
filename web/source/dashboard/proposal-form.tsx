/** A form whose button proposes: folded away until somebody wants it. */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { say } from "./words.ts";

interface ProposalFormProps {
  readonly title: string;
  /** Throws an Error that says what is wrong with what was typed. */
  readonly propose: () => void;
  readonly children: ComponentChildren;
}

export function ProposalForm({ title, propose, children }: ProposalFormProps): JSX.Element {
  const [failure, setFailure] = useState<string | undefined>(undefined);
  const submit = (event: Event): void => {
    event.preventDefault();
    try {
      propose();
      setFailure(undefined);
    } catch (error) {
      setFailure((error as Error).message);
    }
  };
  return (
    <details class="proposal-form">
      <summary>{title}</summary>
      <form aria-label={title} onSubmit={submit}>
        {children}
        <button type="submit">{say("propose")}</button>
      </form>
      {failure === undefined ? null : (
        <p role="alert" class="failure">
          {failure}
        </p>
      )}
    </details>
  );
}

interface TypedProps {
  readonly title: string;
  readonly value: string;
  readonly type: (value: string) => void;
  readonly example?: string;
  readonly size?: number;
}

export function Typed({ title, value, type, example = "", size = 20 }: TypedProps): JSX.Element {
  return (
    <label>
      {title}
      <input
        size={size}
        placeholder={example}
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={(event) => type(event.currentTarget.value)}
      />
    </label>
  );
}

interface ChoiceProps {
  readonly title: string;
  readonly values: readonly string[];
  readonly value: string;
  readonly choose: (value: string) => void;
}

export function Choice({ title, values, value, choose }: ChoiceProps): JSX.Element {
  return (
    <label>
      {title}
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {values.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}
