/** Reminds of what is proposed and not yet done. */
import type { JSX } from "preact";
import { formatRoute } from "../frame/route.ts";
import { useStore } from "../frame/store.ts";
import { draft } from "./draft.ts";

export function DraftBar(): JSX.Element | null {
  const proposals = useStore(draft);
  if (proposals.length === 0) return null;
  return (
    <p class="draft-bar" role="status">
      {proposals.length} proposed, nothing done yet.{" "}
      <a href={formatRoute(["changes"])}>See what it would change</a>
    </p>
  );
}
