/** Whether what one sees is what is. */
import type { JSX } from "preact";
import { connection } from "../daemon/live.ts";
import { useStore } from "./store.ts";
import { say } from "./words.ts";

export function LiveSign(): JSX.Element {
  const { kind } = useStore(connection);
  return (
    <span class="live" data-kind={kind} role="status">
      {say(kind)}
    </span>
  );
}
