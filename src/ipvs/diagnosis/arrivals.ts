/**
 * How far the first packets of clients came: counted where they arrive, and again where the director takes them. Between
 * the two stand the host's firewall and its other checks.
 */
import type { Protocol, ServiceKey } from "../desired/service.ts";

/** Packets of one address, protocol and port that may begin a connection, since they were first seen lately. */
export interface Seen {
  readonly arrived: number;
  readonly taken: number;
  /** Of `taken`, from clients on the host itself. */
  readonly fromHere: number;
}

/** By endpointText(). */
export type SeenPackets = ReadonlyMap<string, Seen>;

/** A SYN and its first two repetitions. */
const SUSPICIOUS = 3;

interface Account {
  readonly taken: number;
  /** Arrivals when the last one was taken. */
  readonly base: number;
  /** Arrivals since, as of the last two looks: counts are not read at one moment. */
  readonly vanished: number;
  readonly vanishedBefore: number;
  readonly fromHere: number;
}

export class Arrivals {
  #accounts: ReadonlyMap<string, Account> = new Map();

  /** Takes over what has been counted by now. */
  note(seen: SeenPackets): void {
    const accounts = new Map<string, Account>();
    for (const [text, now] of seen) accounts.set(text, next(this.#accounts.get(text), now));
    this.#accounts = accounts;
  }

  /** First packets of which none was taken since the last that was; 0 when that says nothing yet. */
  vanished(key: EndpointKey): number {
    const account = this.#accounts.get(textOf(key));
    if (account === undefined || account.vanishedBefore < SUSPICIOUS) return 0;
    return account.vanished;
  }

  comesFromHere(key: EndpointKey): boolean {
    return (this.#accounts.get(textOf(key))?.fromHere ?? 0) > 0;
  }
}

type EndpointKey = Extract<ServiceKey, { readonly kind: "endpoint" }>;

export function endpointText(protocol: Protocol, address: string, port: number): string {
  return `${protocol} ${address} ${port}`;
}

function textOf({ protocol, endpoint }: EndpointKey): string {
  return endpointText(protocol, endpoint.address.toString(), endpoint.port);
}

function next(before: Account | undefined, { arrived, taken, fromHere }: Seen): Account {
  // Fewer than before: what was counted was forgotten meanwhile, and is counted anew.
  if (before === undefined || taken < before.taken || arrived < before.base) {
    const base = taken === 0 ? 0 : arrived;
    return { taken, base, vanished: arrived - base, vanishedBefore: 0, fromHere };
  }
  const base = taken > before.taken ? arrived : before.base;
  const vanished = arrived - base;
  return { taken, base, vanished, vanishedBefore: Math.min(before.vanished, vanished), fromHere };
}
