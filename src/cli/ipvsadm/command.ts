/** What a command line asks for, checked and complete. */
import type {
  WireDestination,
  WireEndpoint,
  WireServiceKey,
  WireServiceRecord,
} from "../../control/wire.ts";
import type { Timeouts } from "../../ipvs/desired/service.ts";

export type TableView =
  | "default"
  | "stats"
  | "rate"
  | "thresholds"
  | "persistent-conn"
  | "tun-info";

export interface TableListing {
  readonly kind: "list-services";
  /** Undefined lists them all. */
  readonly service: WireServiceKey | undefined;
  readonly view: TableView;
  readonly isNumeric: boolean;
  readonly isExact: boolean;
  readonly isSorted: boolean;
}

export interface ConnectionListing {
  readonly kind: "list-connections";
  readonly isNumeric: boolean;
  readonly withPersistenceData: boolean;
}

export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "add-service"; readonly service: WireServiceRecord }
  | { readonly kind: "edit-service"; readonly service: WireServiceRecord }
  | { readonly kind: "delete-service"; readonly service: WireServiceKey }
  | { readonly kind: "flush" }
  | {
      readonly kind: "add-server" | "edit-server";
      readonly service: WireServiceKey;
      readonly destination: WireDestination;
    }
  | {
      readonly kind: "delete-server";
      readonly service: WireServiceKey;
      readonly destination: WireEndpoint;
    }
  | TableListing
  | ConnectionListing
  | { readonly kind: "list-timeouts" }
  | { readonly kind: "list-daemons" }
  | { readonly kind: "zero"; readonly service: WireServiceKey | undefined }
  | { readonly kind: "set"; readonly timeouts: Timeouts }
  | { readonly kind: "start-daemon" }
  | { readonly kind: "stop-daemon" }
  | { readonly kind: "restore" }
  | { readonly kind: "save"; readonly isNumeric: boolean };
