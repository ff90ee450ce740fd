/** Which keys do what. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { say } from "./words.ts";

const KEYS = [
  ["/", "keyFilter"],
  ["j  k", "keyMove"],
  ["Enter", "keyOpen"],
  ["1 … 6", "keyPlaces"],
  ["Space", "keyPlay"],
  ["←  →", "keyStep"],
  ["?", "keyHelp"],
  ["Esc", "keyEscape"],
] as const;

export function Help({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="keys-title">
      <h2 id="keys-title">{say("keys")}</h2>
      <dl class="keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{say(does)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => dialog.current?.close()}>
        {say("close")}
      </button>
    </dialog>
  );
}
