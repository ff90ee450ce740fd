/** What is known of a director before anything is concluded. */
import type { Address } from "../../net/address.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import type { Rule } from "../host/firewall.ts";
import type { HostInterface } from "../host/interfaces.ts";
import type { HostRoute } from "../host/routes.ts";
import type { Setting } from "../host/settings.ts";
import type { Answer } from "../wire/knock.ts";
import type { DirectorTold, ExaminedServer, ExaminedService } from "./service.ts";

export interface ServerSeen {
  readonly service: ExaminedService;
  readonly server: ExaminedServer;
  readonly route: HostRoute;
  /** Undefined where it was not asked. */
  readonly hasNeighbour: boolean | undefined;
  readonly answer: Answer | undefined;
  /** The longest packet of which this host believes that it gets there; undefined where there is no way out. */
  readonly believedMtu: number | undefined;
  /** The longest that does, asked of tunnels' ends; undefined where nobody answered. */
  readonly carriedMtu: number | undefined;
}

/** A packet for a VIP, come by a card from a client. */
export interface ArrivalSeen {
  readonly vip: Address;
  readonly card: string;
  readonly client: Address;
  /** The way back. */
  readonly route: HostRoute;
  readonly reversePathFilter: Setting;
}

export interface VipSeen {
  readonly vip: Address;
  readonly isLocal: boolean;
  /** On which card neighbours would look for it. */
  readonly card: string | undefined;
  /** Others that say they have it. */
  readonly holders: readonly MacAddress[];
  /** Where others send packets for it, each with a client whose packet it was. */
  readonly sentTo: ReadonlyMap<MacAddress, string>;
}

export interface MarkSeen {
  readonly service: ExaminedService;
  readonly mark: number;
  readonly rules: readonly Rule[];
  /** Addresses that these rules are about, and what routing says of a packet with the mark. */
  readonly targets: readonly { readonly address: Address; readonly route: HostRoute }[];
}

export interface DirectorFacts {
  readonly told: DirectorTold;
  readonly interfaces: readonly HostInterface[];
  readonly isForwarding: Readonly<Record<Address["family"], boolean>>;
  /** net.netfilter.nf_conntrack_tcp_loose; undefined where there is no connection tracking. */
  readonly isTrackingLoose: boolean | undefined;
  readonly firewall: readonly Rule[];
  readonly vips: readonly VipSeen[];
  readonly servers: readonly ServerSeen[];
  readonly marks: readonly MarkSeen[];
  readonly arrivals: readonly ArrivalSeen[];
  /** What is known of a neighbour's address by its MAC address. */
  readonly names: ReadonlyMap<MacAddress, string>;
  /** For a client: on the same link as a server. */
  readonly clientBeside: (client: Address, server: Address) => boolean;
}
