/**
 * The machine's monotonic clock (CLOCK_MONOTONIC of clock_gettime(2)), the same for each process: what one writes down,
 * another understands, as long as the host runs.
 */
import type { Clock, Instant } from "../../../base/clock.ts";

/** performance.now() is the same clock, but begins with the process. */
const START_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const MONOTONIC_CLOCK: Clock = { now: () => (START_MS + performance.now()) as Instant };
