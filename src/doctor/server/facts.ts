/** What is known of a real server before anything is concluded. */
import type { Address } from "../../net/address.ts";
import type { MacAddress } from "../../net/mac-address.ts";
import type { Rule } from "../host/firewall.ts";
import type { HostInterface } from "../host/interfaces.ts";
import type { HostRoute } from "../host/routes.ts";
import type { Setting } from "../host/settings.ts";
import type { Listener } from "../host/sockets.ts";
import type { ServerQuestion } from "./examine.ts";

export interface ArpSettings {
  readonly arpIgnore: Setting;
  readonly arpAnnounce: Setting;
  readonly reversePathFilter: Setting;
}

export interface WireFacts {
  readonly card: string;
  /** Of others that say they have the VIP. */
  readonly holders: readonly MacAddress[];
  /** Where the default gateway is. */
  readonly gateways: readonly MacAddress[];
  /** From whom frames with packets for the VIP came to this host, each with a client whose packet it was. */
  readonly senders: ReadonlyMap<MacAddress, string>;
}

/** An IPVS service of this host itself. */
export interface OwnService {
  readonly name: string;
  /** Where it sends what comes. */
  readonly servers: readonly Address[];
}

export interface ServerFacts {
  readonly question: Omit<ServerQuestion, "listenMs">;
  readonly interfaces: readonly HostInterface[];
  readonly settingsOf: (interfaceName: string) => ArpSettings;
  readonly loArpIgnore: number;
  readonly gateway: HostRoute;
  readonly listeners: readonly Listener[];
  readonly firewall: readonly Rule[];
  readonly services: readonly OwnService[];
  readonly wires: readonly WireFacts[];
}
