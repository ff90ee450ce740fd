import type { Defence } from "./defence/defence.ts";
import type { Sysctls } from "./desired/sysctls.ts";
import type { Endings } from "./endings.ts";
import type { Refusals } from "./forward/refusals.ts";
import type { Replies } from "./forward/replies.ts";
import type { Transmitter } from "./forward/transmit.ts";
import type { Host } from "./host.ts";
import type { ServiceTable } from "./services/service-table.ts";
import type { WitnessStand } from "./trace/witness.ts";
import type { Tracker } from "./tracking/tracker.ts";

/** What the ways of a packet share. */
export interface DirectorParts {
  readonly host: Host;
  readonly services: ServiceTable;
  readonly tracker: Tracker;
  readonly transmitter: Transmitter;
  readonly replies: Replies;
  readonly refusals: Refusals;
  readonly endings: Endings;
  readonly defence: Defence;
  readonly sysctls: () => Sysctls;
  readonly stand: WitnessStand;
}
