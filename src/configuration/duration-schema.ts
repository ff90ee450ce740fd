/** How long something is, as a sluice.yaml says it. */
import { z } from "zod";
import { expecting } from "../base/schema-terms.ts";
import { DURATION, DURATION_MAX_SECONDS, secondsOf } from "./duration.ts";

const A_DURATION = expecting(
  'seconds as a whole number, or such as "90s", "5m", "2h", up to 31 days',
);

export const duration = z
  .union(
    [z.int(A_DURATION).min(1, A_DURATION), z.string(A_DURATION).regex(DURATION, A_DURATION)],
    A_DURATION,
  )
  .refine((value) => secondsOf(value) <= DURATION_MAX_SECONDS, A_DURATION)
  .meta({ id: "duration" });
