/**
 * Has the host's interfaces bear the VIPs that are wanted, and follows what becomes of them: looks whenever somebody wants
 * something else, or the kernel tells of a change.
 *
 * An address that was there before stays when it is no longer wanted. One that went with its interface comes back with it. One
 * that another hand took away is drift: it is told, and comes back by the next apply, or at once where the file reconciles.
 */
import { formatVip, NO_VIPS, type VipPlan, type VipPlans } from "../../../ipvs/desired/vip.ts";
import { prefixContains } from "../../../net/prefix.ts";
import { ADDRESS_GROUPS, NetlinkNews } from "../netlink/netlink.ts";
import { SystemCallError } from "../system/libc.ts";
import { ToldOnce, troubleName } from "../told-once.ts";
import { Announcer } from "./announcer.ts";
import {
  type HostAddress,
  HostAddresses,
  type HostLink,
  type HostSnapshot,
  lostLinkIn,
} from "./host-addresses.ts";
import { isAsWanted, type OwnVip, OwnVips, placeOf, type VipNote } from "./own-vips.ts";
import type { VipNews, VipStand, VipStatus } from "./vip-status.ts";

/** Changes come in bunches. */
const SETTLE_MS = 20;
/** After a trouble, and between two times that the same address is put back. */
const RETRY_MS = 1_000;

export interface VipKeeperOptions {
  readonly note: VipNote;
  readonly onNews: (news: VipNews) => void;
  /** The first of each kind of trouble. */
  readonly onTrouble: (error: Error) => void;
}

interface Standing {
  readonly plan: VipPlan;
  readonly stand: VipStand;
  readonly since: Date;
  readonly link: HostLink | undefined;
  readonly why: string | undefined;
}

export class VipKeeper implements AsyncDisposable {
  readonly #options: VipKeeperOptions;
  readonly #host = new HostAddresses();
  readonly #own: OwnVips;
  readonly #troubles: ToldOnce;
  readonly #announcer: Announcer;
  readonly #news: NetlinkNews;
  #wanted: VipPlans = NO_VIPS;
  #reconciles = false;
  readonly #standing = new Map<string, Standing>();
  /** Interfaces that went down, or away, since the last look began. */
  #lostLinks = new Set<number>();
  /** Addresses that are to come back whoever took them. */
  #excused = new Set<string>();
  readonly #putBackAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();
  #isOpen = true;

  private constructor(options: VipKeeperOptions, own: OwnVips) {
    this.#options = options;
    this.#own = own;
    this.#troubles = new ToldOnce((name, cause) => {
      const what = cause instanceof Error ? cause.message : "Cannot keep VIPs";
      options.onTrouble(new Error(`${what} (counted as ${name})`, { cause }));
    });
    this.#announcer = new Announcer((name, error) => this.#troubles.count(name, error));
    this.#news = new NetlinkNews(
      (message) => {
        const lost = lostLinkIn(message);
        if (lost !== undefined) this.#lostLinks.add(lost);
        this.#lookLater(SETTLE_MS);
      },
      () => this.#lookLater(SETTLE_MS),
      ADDRESS_GROUPS,
    );
  }

  static async open(options: VipKeeperOptions): Promise<VipKeeper> {
    return new VipKeeper(options, await OwnVips.read(options.note));
  }

  /** Resolves after the look that this needs. `reconciles`: what other hands take away comes back at once. */
  want(vips: VipPlans, reconciles: boolean): Promise<void> {
    this.#wanted = vips;
    this.#reconciles = reconciles;
    return this.#look();
  }

  /** What other hands took away comes back. */
  restore(): Promise<void> {
    for (const text of this.#wanted.keys()) this.#excused.add(text);
    return this.#look();
  }

  status(): VipStatus[] {
    return [...this.#wanted].map(([text, plan]) => {
      const standing = this.#standing.get(text);
      return {
        plan,
        stand: standing?.stand,
        since: standing?.since,
        isOwn: this.#own.get(text) !== undefined,
        why: standing?.why,
        announcedAt: this.#announcer.lastAt(text),
      };
    });
  }

  /** What Sluice added goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#news[Symbol.dispose]();
    this.#announcer[Symbol.dispose]();
    await this.#last;
    try {
      const { addresses } = await this.#host.read();
      this.#removeOwn(addresses, () => true);
    } catch (error) {
      this.#troubles.count(troubleName("vips", error), error);
    }
    await this.#own.write();
    this.#host[Symbol.dispose]();
  }

  #lookLater(ms: number): void {
    if (!this.#isOpen || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, ms).unref();
  }

  /** One after the other. */
  #look(): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (!this.#isOpen) return;
      try {
        await this.#lookOnce();
      } catch (error) {
        this.#troubles.count(troubleName("vips", error), error);
        this.#lookLater(RETRY_MS);
      }
    });
    return this.#last;
  }

  async #lookOnce(): Promise<void> {
    const lostBefore = this.#lostLinks;
    this.#lostLinks = new Set();
    let snapshot = await this.#host.read();
    if (this.#removeOwn(snapshot.addresses, (own) => !this.#isWanted(own, snapshot))) {
      await this.#own.write();
      snapshot = await this.#host.read();
    }
    // One that went down and up again while it was read. Also the next look shall know: this one may have read before it.
    this.#news.catchUp();
    const lost = new Set([...lostBefore, ...this.#lostLinks]);
    for (const text of this.#standing.keys()) if (!this.#wanted.has(text)) this.#forget(text);
    const missing: Missing[] = [];
    for (const plan of this.#wanted.values()) {
      const found = this.#see(plan, snapshot, lost);
      if (found !== undefined) missing.push(found);
    }
    await this.#own.willAdd(missing);
    for (const each of missing) this.#add(each);
    await this.#own.write();
  }

  /** Whether it stands as it is wanted, or has its interface still. */
  #isWanted(own: OwnVip, { links }: HostSnapshot): boolean {
    const plan = this.#wanted.get(own.address);
    return (
      plan !== undefined &&
      isAsWanted(own, plan) &&
      links.get(own.interface)?.index === own.interfaceIndex
    );
  }

  /** What stands of one that is wanted, told if that is new; how it is to be added, if it is. */
  #see(plan: VipPlan, snapshot: HostSnapshot, lost: ReadonlySet<number>): Missing | undefined {
    const text = plan.address.toString();
    const link = snapshot.links.get(plan.interfaceName);
    const before = this.#standing.get(text);
    if (link === undefined) return this.#settle(plan, "no-interface", link);
    const isThere = snapshot.addresses.some(
      (each) => each.interfaceIndex === link.index && each.address.equals(plan.address),
    );
    if (isThere && link.isUp) {
      this.#excused.delete(text);
      this.#settle(plan, "there", link);
      this.#announceIfNew(plan, link, before);
      return undefined;
    }
    if (!link.isUp) return this.#settle(plan, "interface-down", link);
    const wasThere = before?.stand === "there" || before?.stand === "taken-away";
    const isSameLink = before?.link?.index === link.index && !lost.has(link.index);
    if (!wasThere || !isSameLink) return { plan, interfaceIndex: link.index, link, what: "added" };
    if (!this.#reconciles && !this.#excused.has(text)) {
      this.#own.forget(text);
      return this.#settle(plan, "taken-away", link);
    }
    // Two that each think the address theirs shall not make a storm of it.
    const sinceMs = performance.now() - (this.#putBackAt.get(text) ?? Number.NEGATIVE_INFINITY);
    if (sinceMs < RETRY_MS) {
      this.#lookLater(RETRY_MS - sinceMs);
      return this.#settle(plan, "taken-away", link);
    }
    this.#putBackAt.set(text, performance.now());
    return { plan, interfaceIndex: link.index, link, what: "put-back" };
  }

  #add({ plan, interfaceIndex, link, what }: Missing): void {
    const text = plan.address.toString();
    try {
      this.#host.add(plan, interfaceIndex);
    } catch (error) {
      this.#own.forget(text);
      if (!(error instanceof SystemCallError)) throw error;
      this.#lookLater(error.code === "EEXIST" ? SETTLE_MS : RETRY_MS);
      // Somebody else was faster: the next look finds it there.
      if (error.code !== "EEXIST") this.#settle(plan, "refused", link, error.message);
      return;
    }
    this.#excused.delete(text);
    const before = this.#standing.get(text);
    this.#settle(plan, "there", link);
    this.#options.onNews({ what, vip: formatVip(plan), why: undefined });
    this.#announceIfNew(plan, link, before);
  }

  #settle(plan: VipPlan, stand: VipStand, link: HostLink | undefined, why?: string): undefined {
    const text = plan.address.toString();
    const before = this.#standing.get(text);
    const isSame = before?.stand === stand && before.why === why;
    this.#standing.set(text, { plan, stand, since: isSame ? before.since : new Date(), link, why });
    if (stand !== "there") this.#announcer.end(text);
    if (!isSame && stand !== "there") {
      this.#options.onNews({ what: stand, vip: formatVip(plan), why });
    }
  }

  /** Neighbours are told when it came, when its interface came up, and when that has another address or is another. */
  #announceIfNew(plan: VipPlan, link: HostLink, before: Standing | undefined): void {
    const { announcing } = plan;
    const text = plan.address.toString();
    if (announcing === undefined || !link.hasCarrier) {
      this.#announcer.end(text);
      return;
    }
    const was = before?.stand === "there" && before.plan === plan ? before.link : undefined;
    const isSame = was?.hasCarrier === true && was.index === link.index && was.mac === link.mac;
    if (!isSame) this.#announcer.begin({ address: plan.address, link, announcing });
  }

  #forget(text: string): void {
    this.#standing.delete(text);
    this.#announcer.end(text);
    this.#putBackAt.delete(text);
  }

  /** Removes those of Sluice's own that are `unwanted`; whether there were any. */
  #removeOwn(addresses: readonly HostAddress[], unwanted: (own: OwnVip) => boolean): boolean {
    const leaving = this.#own.lastFirst().filter(unwanted);
    const gone = new Set(leaving.map(({ address }) => address));
    const others = addresses.filter(({ address }) => !gone.has(address.toString()));
    for (const own of leaving) this.#remove(own, others);
    return leaving.length > 0;
  }

  /** `others`: what stays. */
  #remove(own: OwnVip, others: readonly HostAddress[]): void {
    const place = placeOf(own);
    const text = own.address;
    const vip = `${text}/${own.prefixLength} on ${own.interface}`;
    try {
      this.#host.remove(place);
      this.#options.onNews({ what: "removed", vip, why: undefined });
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      if (!GONE.has(error.code)) {
        this.#troubles.count(troubleName("vip-remove", error), error);
        this.#lookLater(RETRY_MS);
        return;
      }
    }
    this.#own.forget(text);
    this.#forget(text);
    // __inet_del_ifa(): without promote_secondaries the first address of a network takes the others along.
    const network = { address: place.address, length: own.prefixLength };
    for (const each of others) {
      const mayHaveGone =
        each.isSecondary &&
        each.interfaceIndex === own.interfaceIndex &&
        each.prefixLength === own.prefixLength &&
        prefixContains(network, each.address);
      if (mayHaveGone) this.#putBack(each);
    }
  }

  #putBack(address: HostAddress): void {
    const text = address.address.toString();
    this.#excused.add(text);
    if (this.#own.get(text) !== undefined) return;
    try {
      this.#host.putBack(address);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      if (error.code !== "EEXIST") this.#troubles.count(troubleName("vip-put-back", error), error);
    }
  }
}

interface Missing {
  readonly plan: VipPlan;
  readonly interfaceIndex: number;
  readonly link: HostLink;
  readonly what: "added" | "put-back";
}

/** It is not there any more, or its interface is not. */
const GONE: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "ENODEV", "ENXIO", "ESRCH"]);
