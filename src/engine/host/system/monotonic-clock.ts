/**
 * The machine's monotonic clock (CLOCK_MONOTONIC of clock_gettime(2)), the same for each process: what one writes down,
 * another understands, as long as the host runs.
 */
import type { Clock, Instant } from "../../../base/clock.ts";

const ATTEMPTS = 5;

/**
 * performance.now() is the same clock, but begins with the process. Where others had the processor between the two questions,
 * it seems to have begun too early: the kernel's times would be in our future.
 */
const START_MS = Math.max(
  ...Array.from(
    { length: ATTEMPTS },
    () => Number(process.hrtime.bigint()) / 1e6 - performance.now(),
  ),
);

export const MONOTONIC_CLOCK: Clock = { now: () => (START_MS + performance.now()) as Instant };
