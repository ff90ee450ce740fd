import type { Scenario } from "../scenario.ts";
import { CONNECTIONS, REUSE } from "./connections.ts";
import { SERVICES, THRESHOLDS } from "./services.ts";

/** Everything that is expected of an engine's packets, as rows. */
export const SCENARIOS: readonly Scenario[] = [...SERVICES, ...THRESHOLDS, ...CONNECTIONS, ...REUSE];
