/**
 * Takes the services' packets away from the host's own stack, by a table of nftables that lives as long as we do.
 *
 * docs/decisions/0002: the table belongs to a child process. When that is lost, another takes its place.
 */
import type { Family } from "../../net/address.ts";
import {
  GUARD_SETS,
  type GuardRules,
  type GuardSetName,
  ICMP_ERRORS,
  NO_RULES,
} from "./guard-rules.ts";
import { type NftError, NftSession } from "./nft-session.ts";

/**
 * Before connection tracking puts fragments together (-400), so that a fragment is one here whether the host tracks
 * connections or not; and so before raw (-300) and all filters.
 */
const PRIORITY = -450;

const RETRY_MS = 1_000;

const FAMILIES = ["inet", "inet6"] as const;

const PARTS: Readonly<Record<GuardSetName, readonly string[]>> = {
  to: ["inet_proto", "inet_service"],
  toAnyPort: ["inet_proto"],
  from: ["inet_proto", "inet_service"],
  fromAnyPort: ["inet_proto"],
  services: [],
  servers: [],
};

/** How nft says it, by family. */
const WORDS = {
  inet: { ip: "ip", address: "ipv4_addr", isFragment: "ip frag-off & 0x3fff != 0", icmp: "icmp" },
  inet6: { ip: "ip6", address: "ipv6_addr", isFragment: "exthdr frag exists", icmp: "icmpv6" },
} as const satisfies Record<Family, object>;

export interface HostGuardEvents {
  /** The table is gone: until onRestored the services' packets reach the host's own stack, too. */
  onLost(error: Error): void;
  onRestored(): void;
}

export class HostGuard implements AsyncDisposable {
  readonly #table = `sluice_${process.pid}`;
  /** Packets that come in here were handed back, and are the host's. */
  readonly #laneInterface: string;
  readonly #events: HostGuardEvents;
  #session: NftSession | undefined;
  #rules = NO_RULES;
  #last: Promise<unknown> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #isOpen = true;

  private constructor(laneInterface: string, events: HostGuardEvents) {
    this.#laneInterface = laneInterface;
    this.#events = events;
  }

  /** Makes the table, empty. Throws an NftError when it cannot. */
  static async open(laneInterface: string, events: HostGuardEvents): Promise<HostGuard> {
    const guard = new HostGuard(laneInterface, events);
    await guard.#start(NO_RULES);
    return guard;
  }

  /** Makes the table follow `rules`, in one transaction: all or, when it throws, nothing changed. */
  update(rules: GuardRules): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#session === undefined) {
        await this.#start(rules);
        this.#events.onRestored();
      } else {
        const commands = difference(this.#table, this.#rules, rules);
        if (commands.length > 0) await this.#session.run(commands.join("; "));
      }
      this.#rules = rules;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    clearTimeout(this.#retry);
    await this.#inTurn(async () => this.#session?.[Symbol.asyncDispose]());
  }

  async #start(rules: GuardRules): Promise<void> {
    const session: NftSession = new NftSession((error) => this.#lost(session, error));
    try {
      const commands = [
        ...creation(this.#table, this.#laneInterface),
        ...difference(this.#table, NO_RULES, rules),
      ];
      await session.run(commands.join("; "));
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    this.#session = session;
  }

  /** A session that is not in use yet has a caller who is told otherwise. */
  #lost(session: NftSession, error: NftError): void {
    if (session !== this.#session) return;
    this.#session = undefined;
    this.#events.onLost(error);
    this.#restore();
  }

  #restore(): void {
    // Only an nft that cannot be started fails here; it is tried until it can.
    this.update(this.#rules).catch(() => {
      if (!this.#isOpen) return;
      this.#retry = setTimeout(() => this.#restore(), RETRY_MS);
      this.#retry.unref();
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function creation(table: string, laneInterface: string): string[] {
  const sets = FAMILIES.flatMap((family) =>
    GUARD_SETS.map((name) => {
      const type = [WORDS[family].address, ...PARTS[name]].join(" . ");
      return `add set inet ${table} ${setName(family, name)} { type ${type}; }`;
    }),
  );
  return [
    `add table inet ${table} { flags owner; }`,
    ...sets,
    `add chain inet ${table} taken { type filter hook prerouting priority ${PRIORITY}; policy accept; }`,
    `add rule inet ${table} taken iifname { "lo", "${laneInterface}" } accept`,
    ...FAMILIES.flatMap(takingRules).map((rule) => `add rule inet ${table} taken ${rule} drop`),
  ];
}

function takingRules(family: Family): string[] {
  const { ip, isFragment, icmp } = WORDS[family];
  const set = (name: GuardSetName): string => `@${setName(family, name)}`;
  return [
    `${ip} daddr . meta l4proto . th dport ${set("to")}`,
    `${ip} daddr . meta l4proto ${set("toAnyPort")}`,
    `${ip} saddr . meta l4proto . th sport ${set("from")}`,
    `${ip} saddr . meta l4proto ${set("fromAnyPort")}`,
    `${ip} daddr ${set("services")} ${isFragment}`,
    `${ip} saddr ${set("servers")} ${isFragment}`,
    `${ip} saddr ${set("servers")} ${icmp} type { ${ICMP_ERRORS[family].join(", ")} }`,
  ];
}

/** Removals first: an element cannot be added twice, and each is in one of both. */
function difference(table: string, before: GuardRules, after: GuardRules): string[] {
  return FAMILIES.flatMap((family) =>
    GUARD_SETS.flatMap((name) => {
      const [had, wants] = [before[family][name], after[family][name]];
      const set = `inet ${table} ${setName(family, name)}`;
      return [
        ...change(
          `delete element ${set}`,
          [...had].filter((each) => !wants.has(each)),
        ),
        ...change(
          `add element ${set}`,
          [...wants].filter((each) => !had.has(each)),
        ),
      ];
    }),
  );
}

function change(command: string, elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`${command} { ${elements.join(", ")} }`];
}

function setName(family: Family, name: GuardSetName): string {
  return `${family}_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
}
