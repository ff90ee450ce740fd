/**
 * Real time is not the same on two sides: on a busy host one may take seconds for what the other does at once, and an
 * entry is gone there that is still here. Such a case is compared by way of the bare director, whose clock goes as any
 * side's did: when it does as the kernel at the kernel's times, and as the engine at the engine's, time alone differs.
 */
import type { PlacedCase, Report } from "./case.ts";
import { performOnDirector } from "./ours/director-side.ts";
import { Place } from "./place.ts";
import { compare, type Difference } from "./report/compare.ts";

/** Less changes nothing that is compared. */
const DISTURBANCE_MS = 500;

/** Whether the sides were at some step at times so different that it may show. */
export function isDisturbed(theirs: readonly Report[], ours: readonly Report[]): boolean {
  const [left, right] = [sinceFirst(theirs), sinceFirst(ours)];
  return left.some((at, step) => Math.abs(at - (right[step] ?? at)) > DISTURBANCE_MS);
}

/** What ours does otherwise than the bare director does at the same times. */
export async function differencesByDirector(
  { index, each }: PlacedCase,
  ours: readonly Report[],
): Promise<Difference[]> {
  const place = new Place(index);
  const reference = await performOnDirector(each, place, sinceFirst(ours));
  return compare(each, place, reference, ours);
}

/** When each step was done, in milliseconds since the first. */
export function sinceFirst(reports: readonly Report[]): number[] {
  const [first] = reports;
  return reports.map(({ atMs }) => atMs - (first?.atMs ?? 0));
}
