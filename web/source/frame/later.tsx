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
    let isWanted = true;
    set(undefined);
    load().then(
      ({ default: part }) => isWanted && set(() => part),
      () => isWanted && miss(true),
    );
    return () => {
      isWanted = false;
    };
  }, [load]);
  if (isMissing) return <p class="notice">{say("partMissing")}</p>;
  return Part === undefined ? <p class="notice" /> : <Part />;
}
