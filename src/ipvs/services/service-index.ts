/**
 * Finds the service that a new connection belongs to: by mark, then exactly, then FTP's data ports, then any port.
 * ip_vs_service_find() in ip_vs_ctl.c.
 */

import { FAMILY_OF, type IpVersion } from "../../net/ip-family.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { FTP_DATA_PORT, FTP_PORT } from "../../net/port.ts";
import { familyOf } from "../desired/service.ts";
import type { Target } from "../packets/opening.ts";
import type { VirtualService } from "./virtual-service.ts";

/** The first port that a process without privileges may listen on. */
const UNPRIVILEGED_PORT = 1024;

export class ServiceIndex {
  /** Endpoint services by a hash of protocol, address and port; the few that share one in a list. */
  readonly #byEndpoint = new Map<number, VirtualService[]>();
  readonly #byMark = {
    inet: new Map<number, VirtualService>(),
    inet6: new Map<number, VirtualService>(),
  };
  readonly #count = { inet: 0, inet6: 0 };
  #ftpServices = 0;
  #anyPortServices = 0;

  /** Whether any service of the family exists: without one the kernel's hooks are not even registered. */
  has(family: IpVersion): boolean {
    return this.#count[FAMILY_OF[family]] > 0;
  }

  get hasMarks(): boolean {
    return this.#byMark.inet.size + this.#byMark.inet6.size > 0;
  }

  add(service: VirtualService): void {
    this.#change(service, 1);
  }

  remove(service: VirtualService): void {
    this.#change(service, -1);
  }

  find(target: Target): VirtualService | undefined {
    if (target.mark !== 0) {
      const service = this.#byMark[FAMILY_OF[target.family]].get(target.mark >>> 0);
      if (service !== undefined) return service;
    }
    const port = target.destinationPort;
    const exact = this.#exact(target, port);
    if (exact !== undefined) return exact;
    const mayBeFtpData =
      this.#ftpServices > 0 &&
      target.protocol === IP_PROTOCOL.tcp &&
      (port === FTP_DATA_PORT || port >= UNPRIVILEGED_PORT);
    const ftp = mayBeFtpData ? this.#exact(target, FTP_PORT) : undefined;
    if (ftp !== undefined) return ftp;
    return this.#anyPortServices > 0 ? this.#exact(target, 0) : undefined;
  }

  /** The service with this very protocol, address and port. */
  #exact(target: Target, port: number): VirtualService | undefined {
    const fold =
      target.destination0 ^ target.destination1 ^ target.destination2 ^ target.destination3;
    const bucket = this.#byEndpoint.get(endpointHash(target.protocol, fold, port));
    if (bucket === undefined) return undefined;
    for (const service of bucket) {
      if (service.key.kind !== "endpoint") continue;
      const { address } = service.key.endpoint;
      if (
        service.port === port &&
        service.protocol === target.protocol &&
        address.w3 === target.destination3 &&
        address.w2 === target.destination2 &&
        address.w1 === target.destination1 &&
        address.w0 === target.destination0 &&
        (address.family === "inet") === (target.family === 4)
      ) {
        return service;
      }
    }
    return undefined;
  }

  #change(service: VirtualService, change: 1 | -1): void {
    const { key } = service;
    this.#count[familyOf(key)] += change;
    if (key.kind === "mark") {
      const services = this.#byMark[key.family];
      if (change > 0) services.set(key.mark, service);
      else services.delete(key.mark);
      return;
    }
    if (service.port === FTP_PORT) this.#ftpServices += change;
    if (service.port === 0) this.#anyPortServices += change;
    const hash = endpointHash(service.protocol, key.endpoint.address.fold, service.port);
    const others = (this.#byEndpoint.get(hash) ?? []).filter((each) => each !== service);
    if (change > 0) others.push(service);
    if (others.length > 0) this.#byEndpoint.set(hash, others);
    else this.#byEndpoint.delete(hash);
  }
}

/** Of an endpoint; the address folded to one word. */
export function endpointHash(protocol: number, fold: number, port: number): number {
  return (Math.imul(fold ^ Math.imul(port, 0x9e3779b1), 0x85ebca6b) ^ protocol) | 0;
}
