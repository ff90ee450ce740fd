import type { Defence } from "./defence/defence.ts";
import type { Refusals } from "./forward/refusals.ts";
import type { Replies } from "./forward/replies.ts";
import type { Transmitter } from "./forward/transmit.ts";
import type { Host } from "./host.ts";
import type { ServiceTable } from "./service-table.ts";
import type { Sysctls } from "./sysctls.ts";
import type { Tracker } from "./tracker.ts";

/** What the ways of a packet share. */
export interface DirectorParts {
  readonly host: Host;
  readonly services: ServiceTable;
  readonly tracker: Tracker;
  readonly transmitter: Transmitter;
  readonly replies: Replies;
  readonly refusals: Refusals;
  readonly defence: Defence;
  readonly sysctls: () => Sysctls;
}
