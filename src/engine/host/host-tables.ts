/**
 * The kernel's tables that are kept whole: interfaces, whether it forwards, neighbours. Neighbours follow message by
 * message, also those that come while they are being listed; of interfaces a message only tells that they are to be read
 * anew.
 */
import type { Family } from "../../net/address.ts";
import { forwardingIn, NETCONF_HEADER_LENGTH } from "./forwarding.ts";
import { LINK_HEADER_LENGTH, type Link, linkIn } from "./links.ts";
import { NEIGHBOUR_HEADER_LENGTH, type NeighbourNews, NeighbourTable } from "./neighbour-table.ts";
import { Netlink, RTM } from "./netlink/netlink.ts";
import { familyNumber } from "./netlink/netlink-address.ts";
import type { Message } from "./netlink/netlink-message.ts";

export class HostTables implements Disposable {
  readonly #netlink = new Netlink();
  #links: ReadonlyMap<number, Link> = new Map();
  #forwarding: Readonly<Record<Family, boolean>> = { inet: false, inet6: false };
  #neighbours = new NeighbourTable();
  /** News of neighbours that came while they were being listed. */
  #neighbourNews: Message[] | undefined;

  get links(): ReadonlyMap<number, Link> {
    return this.#links;
  }

  get forwarding(): Readonly<Record<Family, boolean>> {
    return this.#forwarding;
  }

  get neighbours(): NeighbourTable {
    return this.#neighbours;
  }

  /** What a message about a neighbour says that was not known. */
  hearNeighbour(message: Message): NeighbourNews | undefined {
    this.#neighbourNews?.push({ ...message, body: message.body.slice() });
    return this.#neighbours.apply(message);
  }

  async readLinks(): Promise<void> {
    const messages = await this.#list(RTM.getLink, LINK_HEADER_LENGTH, undefined, "interfaces");
    const links = messages.map(linkIn).filter((link) => link !== undefined);
    this.#links = new Map(links.map((link) => [link.index, link]));
    this.#forwarding = {
      inet: await this.#readForwarding("inet"),
      inet6: await this.#readForwarding("inet6"),
    };
  }

  async readNeighbours(): Promise<void> {
    this.#neighbourNews = [];
    try {
      const messages = await this.#list(
        RTM.getNeighbour,
        NEIGHBOUR_HEADER_LENGTH,
        undefined,
        "neighbours",
      );
      const neighbours = new NeighbourTable();
      for (const message of messages) neighbours.apply(message);
      for (const message of this.#neighbourNews) neighbours.apply(message);
      this.#neighbours = neighbours;
    } finally {
      this.#neighbourNews = undefined;
    }
  }

  /** A listing that is under way must have ended. */
  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }

  async #readForwarding(family: Family): Promise<boolean> {
    const messages = await this.#list(RTM.getNetconf, NETCONF_HEADER_LENGTH, family, "settings");
    return messages.some(forwardingIn);
  }

  #list(
    type: number,
    length: number,
    family: Family | undefined,
    what: string,
  ): Promise<Message[]> {
    const fixed = new Uint8Array(length);
    if (family !== undefined) fixed[0] = familyNumber(family);
    return this.#netlink.list(type, fixed, `read the host's ${what}`);
  }
}
