/** Every case. Those that read the connection table come before those that fill it. */
import type { Case, CaseFile, CaseOptions } from "../case.ts";
import { COMMAND_LINES } from "./command-lines.ts";
import { DEFENCE } from "./defence.ts";
import { DROP_ENTRY } from "./drop-entry.ts";
import { GENERATED_LINES } from "./generated-lines.ts";
import { KNOBS } from "./knobs.ts";
import { MARKS } from "./marks.ts";
import { NEWEST_RULES } from "./newest-rules.ts";
import { NO_SCHEDULER } from "./no-scheduler.ts";
import { PERSISTENCE } from "./persistence.ts";
import { PERSISTENCE_FAMILIES } from "./persistence-families.ts";
import { SCHEDULE_ICMP } from "./schedule-icmp.ts";
import { SCHEDULING } from "./schedulers.ts";
import { SCTP_STATES } from "./sctp-states.ts";
import { SIP } from "./sip.ts";
import { STATISTICS } from "./statistics.ts";
import { SYSCTLS } from "./sysctls.ts";
import { TCP_STATES } from "./tcp-states.ts";
import { TUNNEL_ERRORS } from "./tunnel-errors.ts";
import { TWOS } from "./twos.ts";
import { WIRE } from "./wire.ts";
import { RARE_HEADERS } from "./wire-headers.ts";

// biome-ignore format: a line each
const FILES: readonly CaseFile[] = [
  TCP_STATES,
  SCTP_STATES,
  DEFENCE,
  DROP_ENTRY,
  KNOBS,
  SCHEDULE_ICMP,
  WIRE,
  RARE_HEADERS,
  TUNNEL_ERRORS,
  PERSISTENCE,
  PERSISTENCE_FAMILIES,
  SIP,
  MARKS,
  SCHEDULING,
  STATISTICS,
  TWOS,
  NEWEST_RULES,
  SYSCTLS,
  NO_SCHEDULER,
  COMMAND_LINES,
  GENERATED_LINES,
];

export function allCases(options: CaseOptions): Case[] {
  return FILES.flatMap((file) => file.cases(options));
}

/** What a group is about. */
export function featureOf(group: string): string {
  const file = FILES.find(({ features }) => group in features);
  if (file === undefined) throw new RangeError(`No file of cases says what ${group} is about`);
  return file.features[group]!;
}
