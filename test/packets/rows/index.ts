import type { Scenario } from "../scenario.ts";
import { CONNECTIONS, REUSE } from "./connections.ts";
import { COUNTERS } from "./counters.ts";
import { DEFENCE } from "./defence.ts";
import { HOOKS } from "./hooks.ts";
import { ICMP } from "./icmp.ts";
import { MARKS } from "./marks.ts";
import { PERSISTENCE } from "./persistence.ts";
import { RESTART } from "./restart.ts";
import { SERVICES, THRESHOLDS } from "./services.ts";
import { SIP } from "./sip.ts";
import { FRAGMENTS, TRANSMISSION, TUNNELS } from "./transmission.ts";

/** Everything that is expected of an engine's packets, as rows. */
export const SCENARIOS: readonly Scenario[] = [
  ...SERVICES,
  ...THRESHOLDS,
  ...CONNECTIONS,
  ...REUSE,
  ...MARKS,
  ...PERSISTENCE,
  ...SIP,
  ...TRANSMISSION,
  ...FRAGMENTS,
  ...TUNNELS,
  ...ICMP,
  ...COUNTERS,
  ...DEFENCE,
  ...HOOKS,
  ...RESTART,
];
