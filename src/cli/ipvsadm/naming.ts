/** Names of hosts and of ports, as whoever knows them is asked. */
import type { Protocol } from "../../ipvs/desired/service.ts";
import type { Address } from "../../net/address.ts";

export interface Names {
  /** An IPv4 address only, as gethostbyname(). */
  addressOf(host: string): Promise<Address | undefined>;
  hostOf(address: Address): Promise<string | undefined>;
  portOf(service: string, protocol: Protocol): number | undefined;
  serviceOf(port: number, protocol: Protocol): string | undefined;
}
