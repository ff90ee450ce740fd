/** A part of the page that is loaded when it is looked at. */
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { say } from "./words.ts";

export function Later({
  load,
}: {
  readonly load: () => Promise<{ readonly default: ComponentType }>;
}): JSX.Element {
  const [Part, set] = useState<ComponentType | undefined>(undefined);
  const [isMissing, miss] = useState(false);
  useEffect(() => {
    load().then(
      ({ default: part }) => set(() => part),
      () => miss(true),
    );
  }, [load]);
  if (isMissing) return <p class="notice">{say("partMissing")}</p>;
  return Part === undefined ? <p class="notice" /> : <Part />;
}
