/** Clients' packets for the VIPs that come by while one looks: by which card, and which way leads back. */
import type { Address } from "../../net/address.ts";
import { routeTo } from "../host/routes.ts";
import { interfaceSetting } from "../host/settings.ts";
import type { Wire } from "../wire/wire.ts";
import type { ArrivalSeen } from "./facts.ts";

/** More clients than these tell nothing more of a card. */
const CLIENTS_MAX = 32;

export class Arrivals implements Disposable {
  readonly #listening: readonly Disposable[];
  readonly #seen = new Map<string, Pick<ArrivalSeen, "vip" | "card" | "client">>();

  constructor(wires: Iterable<Wire>, vips: readonly Address[]) {
    this.#listening = [...wires].map((wire) => {
      let clients = 0;
      return wire.listen(({ destination, content }) => {
        if (content.kind !== "packet" || destination !== wire.mac) return;
        const vip = vips.find((each) => each.equals(content.to));
        const key = `${wire.card.name} ${content.from.toString()}`;
        if (vip === undefined || this.#seen.has(key) || clients === CLIENTS_MAX) return;
        clients++;
        this.#seen.set(key, { vip, card: wire.card.name, client: content.from });
      });
    });
  }

  async seen(): Promise<readonly ArrivalSeen[]> {
    return await Promise.all(
      [...this.#seen.values()].map(async (each) => ({
        ...each,
        route: await routeTo(each.client),
        reversePathFilter: interfaceSetting("rp_filter", each.card),
      })),
    );
  }

  [Symbol.dispose](): void {
    for (const one of this.#listening) one[Symbol.dispose]();
  }
}
