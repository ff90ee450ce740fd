/** Who is told how connections come about, while somebody watches packets. Mostly nobody, which costs one test of it. */
import type { Destination } from "../services/destination.ts";
import type { VirtualService } from "../services/virtual-service.ts";

export interface Witness {
  /** The scheduler was asked; the service's servers are still as it saw them. `chosen` undefined: none. */
  picked(service: VirtualService, chosen: Destination | undefined): void;
  /** A connection was opened, by what was picked or by a template. */
  opened(id: number): void;
}

/** Where the director's parts look for it. */
export interface WitnessStand {
  witness: Witness | undefined;
}
