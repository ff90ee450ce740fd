/** What other hands changed since a file was applied, and what that file calls services. */
import type { Control } from "../control/control.ts";
import { keyToWire } from "../control/wire.ts";
import { formatServiceKey } from "../ipvs/desired/service.ts";
import { changeOf, countsOf } from "./configuration.ts";
import { formatServiceId } from "./ids.ts";
import type { Drift } from "./messages.ts";

export async function driftOf(control: Control): Promise<Drift | null> {
  const found = await control.declarations.drift(control.state);
  if (found === undefined) return null;
  const { declaration, drift } = found;
  const { source, drift: mode } = declaration.wanted.file;
  const counts = drift.length === 0 ? new Map() : countsOf(await control.engine.services());
  const changes = drift.map((difference) => changeOf(difference, counts));
  return { source, appliedAt: declaration.at, by: declaration.by, mode, changes };
}

/** By service ids. */
export async function namesOf(control: Control): Promise<Readonly<Record<string, string>>> {
  const { wanted } = (await control.declarations.latest()) ?? { wanted: undefined };
  if (wanted === undefined) return {};
  const names = wanted.services.flatMap(({ spec: { key } }) => {
    const name = wanted.file.names.get(formatServiceKey(key));
    return name === undefined ? [] : [[formatServiceId(keyToWire(key)), name] as const];
  });
  return Object.fromEntries(names);
}
