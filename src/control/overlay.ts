/** What becomes of what is wanted before the engine gets it. */
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import type { ServicePlan } from "../ipvs/desired/service.ts";
import { serviceChanges } from "../ipvs/desired/service-changes.ts";
import { type ServiceChange, ServiceMap } from "../ipvs/desired/service-map.ts";

export interface Overlay {
  /** The plan that the engine gets for `plan`. `before` is the one that it has; the same when nothing is different. */
  over(plan: ServicePlan, before: ServicePlan | undefined): ServicePlan;
  /** What over() would say, if that were wanted: nothing is taken down. */
  wouldBe(plan: ServicePlan, before: ServicePlan | undefined): ServicePlan;
  /** What is in force now, and was not before. */
  follow(changes: readonly ServiceChange[]): void;
}

/** What is wanted, and what the engine gets of it: the same, until a service is checked. */
export interface Position {
  readonly desired: DesiredState;
  readonly effective: DesiredState;
}

/** Whether any of these needs an overlay. Most directors never do, and never load what makes one. */
export function needsOverlay(changes: readonly ServiceChange[]): boolean {
  return changes.some(({ after }) => after?.health !== undefined);
}

export function changesTo(position: Position, desired: DesiredState): readonly ServiceChange[] {
  return serviceChanges(position.desired.services, desired.services);
}

export function advance(
  { effective }: Position,
  desired: DesiredState,
  changes: readonly ServiceChange[],
  overlay: Pick<Overlay, "over"> | undefined,
): Position {
  if (overlay === undefined) return { desired, effective: desired };
  let services = ServiceMap.of(effective.services);
  for (const { keyText, after } of changes) {
    services =
      after === undefined
        ? services.without(keyText)
        : services.with(keyText, overlay.over(after, services.get(keyText)));
  }
  return { desired, effective: { ...desired, services } };
}

/** The way to these services as the overlay has them now, a step each that is different, and where it ends. */
export function renewed(
  { desired, effective }: Position,
  keyTexts: Iterable<string>,
  overlay: Overlay,
): { readonly position: Position; readonly steps: readonly DesiredState[] } {
  let services = ServiceMap.of(effective.services);
  const steps: DesiredState[] = [];
  for (const keyText of keyTexts) {
    const plan = desired.services.get(keyText);
    if (plan === undefined) continue;
    const before = services.get(keyText);
    const after = overlay.over(plan, before);
    if (after === before) continue;
    services = services.with(keyText, after);
    steps.push({ ...effective, services });
  }
  return { position: { desired, effective: steps.at(-1) ?? effective }, steps };
}
