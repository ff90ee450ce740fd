import type { ConnectionEnds } from "../connections/connection-ends.ts";
import type { Sysctls } from "../desired/sysctls.ts";
import type { Host } from "../host.ts";
import type { Refusals } from "./refusals.ts";

/** What the ways out share, to servers and to clients. */
export interface ForwardParts {
  readonly host: Host;
  readonly connections: ConnectionEnds;
  readonly refusals: Refusals;
  readonly sysctls: () => Sysctls;
}
