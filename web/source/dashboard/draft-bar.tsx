/** Reminds of what is proposed and not yet done. */
import type { JSX } from "preact";
import { formatRoute } from "../frame/route.ts";
import { useStore } from "../frame/store.ts";
import { draft } from "./draft.ts";
import { say } from "./words.ts";

export function DraftBar(): JSX.Element | null {
  const proposals = useStore(draft);
  if (proposals.length === 0) return null;
  return (
    <p class="draft-bar" role="status">
      {say("proposedCount", { count: proposals.length })}{" "}
      <a href={formatRoute(["changes"])}>{say("seeChanges")}</a>
    </p>
  );
}
