/** Which connections somebody asks about. */

import type { Address } from "../../net/address.ts";
import type { Prefix } from "../../net/prefix.ts";
import type { ServiceKey } from "../desired/service.ts";
import type { ConnectionStatus } from "../status.ts";

/** What is left out may be anything. */
export interface ConnectionFilter {
  readonly protocol?: ConnectionStatus["protocol"] | undefined;
  readonly client?: Prefix | undefined;
  readonly clientPort?: number | undefined;
  readonly virtual?: Address | undefined;
  readonly virtualPort?: number | undefined;
  readonly server?: Address | undefined;
  readonly serverPort?: number | undefined;
  /** The service whose server it goes to. */
  readonly service?: ServiceKey | undefined;
  /** As listings name it. */
  readonly state?: string | undefined;
  /** One whose age nobody knows is old. */
  readonly olderThanMs?: number | undefined;
  /** Templates alone, or none of them. */
  readonly isTemplate?: boolean | undefined;
}

/** What connections may be counted by. */
export const GROUPINGS = ["client", "server", "state", "service"] as const;
export type Grouping = (typeof GROUPINGS)[number];
