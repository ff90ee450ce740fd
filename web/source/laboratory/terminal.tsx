/** A host's command line. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Model, Shown } from "./model.ts";
import { say } from "./words.ts";

interface TerminalProps {
  readonly model: Model;
  readonly shown: Shown;
  readonly host: string;
}

export function Terminal({ model, shown: { ran, isBusy }, host }: TerminalProps): JSX.Element {
  const [line, setLine] = useState("");
  /** How far one has gone back in what was typed. */
  const [back, setBack] = useState(0);
  const page = useRef<HTMLDivElement>(null);
  const mine = ran.filter((each) => each.host === host);
  useEffect(() => {
    page.current?.scrollTo({ top: page.current.scrollHeight });
  }, [mine.length, host]);
  const submit = (event: Event): void => {
    event.preventDefault();
    setLine("");
    setBack(0);
    void model.type(host, line);
  };
  const recall = (step: number): void => {
    const next = Math.max(0, Math.min(mine.length, back + step));
    setBack(next);
    setLine(next === 0 ? "" : (mine.at(-next)?.line ?? ""));
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the line below is reached by Tab
    // biome-ignore lint/a11y/noStaticElementInteractions: the same
    <div class="terminal" onClick={(event) => focusLine(event.currentTarget)}>
      <div
        ref={page}
        class="terminal-page"
        tabIndex={0}
        role="log"
        aria-label={`${say("terminal")}, ${host}`}
      >
        {mine.map((each, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added
          <div key={index}>
            <p>
              <span class="prompt">{promptOf(host)}</span>
              {each.line}
            </p>
            {each.output === "" ? null : <pre>{each.output.replace(/\n$/, "")}</pre>}
          </div>
        ))}
      </div>
      <form onSubmit={submit}>
        <label>
          <span class="prompt">{promptOf(host)}</span>
          <input
            aria-label={`${say("terminal")}, ${host}`}
            placeholder={mine.length === 0 ? say("typeHere") : ""}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            value={line}
            disabled={isBusy}
            onInput={(event) => setLine(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "ArrowUp") recall(1);
              else if (event.key === "ArrowDown") recall(-1);
              else return;
              event.preventDefault();
            }}
          />
        </label>
      </form>
    </div>
  );
}

/** Unless somebody is marking what stands there. */
function focusLine(terminal: HTMLElement): void {
  if (getSelection()?.isCollapsed !== false)
    terminal.querySelector("input")?.focus({ preventScroll: true });
}

function promptOf(host: string): string {
  return `[root@${host} ~]# `;
}
