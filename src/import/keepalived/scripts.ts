/** The scripts that keepalived runs when something is up or down. */
import type { NotifyScript } from "../model.ts";
import type { ReadBlock } from "./read-keys.ts";
import type { Script } from "./values.ts";

/** `keys`: which value of the block is run when. */
export function scriptsOf<Name extends string>(
  { values, places }: ReadBlock<Readonly<Record<Name, Script>>>,
  keys: Readonly<Record<NotifyScript["when"], Name>>,
): readonly NotifyScript[] {
  return (["up", "down"] as const).flatMap((when): NotifyScript[] => {
    const script = values[keys[when]];
    const at = places[keys[when]];
    if (script === undefined || at === undefined) return [];
    const user = [script.user, script.group].filter((each) => each !== undefined).join(" ");
    return [{ at, when, command: script.command, user: user === "" ? undefined : user }];
  });
}
