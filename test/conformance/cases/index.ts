/** Every case. Those that read the connection table come before those that fill it. */
import type { Case } from "../case.ts";
import { commandLineCases, restoreCases, viewCases } from "./command-lines.ts";
import { generatedCases } from "./generated-lines.ts";
import { patientCases, persistenceCases } from "./persistence.ts";
import { schedulerCases } from "./schedulers.ts";
import { sctpStateCases } from "./sctp-states.ts";
import { statisticsCases } from "./statistics.ts";
import { tcpStateCases } from "./tcp-states.ts";
import { tunnelErrorCases } from "./tunnel-errors.ts";
import { removalCases, wireCases } from "./wire.ts";
import { headerCases } from "./wire-headers.ts";

export function allCases({ seed, generated }: { seed: number; generated: number }): Case[] {
  return [
    ...tcpStateCases(),
    ...sctpStateCases(),
    ...wireCases(),
    ...headerCases(),
    ...tunnelErrorCases(),
    ...removalCases(),
    ...persistenceCases(),
    ...patientCases(),
    ...schedulerCases(),
    ...statisticsCases(),
    ...commandLineCases(),
    ...restoreCases(),
    ...viewCases(),
    ...generatedCases(seed, generated),
  ];
}
