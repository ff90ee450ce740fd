/** Addresses that Sluice itself adds to an interface, so that services have them, and announces. */
import type { Address } from "../../net/address.ts";
import { LbError } from "./errors.ts";

/** How neighbours are told where an address is: gratuitous ARP (RFC 5227 section 3), unsolicited NA (RFC 4861 7.2.6). */
export interface Announcing {
  /** Messages in one go. */
  readonly count: number;
  /** After so long as many once more; 0: not. */
  readonly againMs: number;
  /** From one to the next for as long as the address is there; 0: none. */
  readonly refreshMs: number;
}

export interface VipPlan {
  readonly address: Address;
  readonly prefixLength: number;
  readonly interfaceName: string;
  /** What `ip` and `ifconfig` show it by; IPv4 alone has labels. */
  readonly label: string | undefined;
  /** Undefined: neighbours find out by themselves. */
  readonly announcing: Announcing | undefined;
}

/** By the address's text, in the order in which they were added. */
export type VipPlans = ReadonlyMap<string, VipPlan>;

export const NO_VIPS: VipPlans = new Map();

/** As keepalived: garp_master_repeat, garp_master_delay, garp_master_refresh. */
export const ANNOUNCING_DEFAULT: Announcing = { count: 5, againMs: 5_000, refreshMs: 0 };

/** IFNAMSIZ without the terminating 0. */
export const INTERFACE_NAME_LENGTH_MAX = 15;
/** dev_valid_name(). */
const INTERFACE_NAME = /^(?!\.{1,2}$)[^/:\s\0]+$/;

/** The next ones; the same object when nothing is different. Throws LbError to refuse. */
export function withVips(
  before: VipPlans,
  wanted: readonly VipPlan[],
  keepsOthers: boolean,
): VipPlans {
  const named = new Map<string, VipPlan>();
  for (const plan of wanted) {
    checkVip(plan);
    const text = plan.address.toString();
    if (named.has(text)) throw invalid(plan, "it is there twice");
    const known = before.get(text);
    named.set(text, known !== undefined && isSameVip(known, plan) ? known : plan);
  }
  const next = new Map([...before].filter(([text]) => keepsOthers || named.has(text)));
  for (const [text, plan] of named) next.set(text, plan);
  const isSame =
    next.size === before.size && [...next].every(([text, plan]) => before.get(text) === plan);
  return isSame ? before : next;
}

export function formatVip({ address, prefixLength, interfaceName }: VipPlan): string {
  return `${address.toString()}/${prefixLength} on ${interfaceName}`;
}

/** What one may be told of it besides its address. */
export function vipFacts(plan: VipPlan): Readonly<Record<string, string>> {
  const { prefixLength, interfaceName, label, announcing } = plan;
  return {
    prefix: `/${prefixLength}`,
    interface: interfaceName,
    ...(label === undefined ? {} : { label }),
    announce: formatAnnouncing(announcing),
  };
}

export function isSameVip(one: VipPlan, other: VipPlan): boolean {
  return (
    one.address.equals(other.address) &&
    JSON.stringify(vipFacts(one)) === JSON.stringify(vipFacts(other))
  );
}

function formatAnnouncing(announcing: Announcing | undefined): string {
  if (announcing === undefined) return "no";
  const { count, againMs, refreshMs } = announcing;
  const again = againMs === 0 ? "" : `, again after ${againMs} ms`;
  return `${count} at once${again}${refreshMs === 0 ? "" : `, one every ${refreshMs} ms`}`;
}

function checkVip(plan: VipPlan): void {
  const { address, prefixLength, interfaceName, label } = plan;
  if (!address.isUnicast) throw invalid(plan, "it is not a unicast address");
  if (address.family === "inet6" && address.isLinkLocal) {
    throw invalid(plan, "it is a link-local address, which each host has of its own");
  }
  const bits = address.family === "inet" ? 32 : 128;
  if (!Number.isInteger(prefixLength) || prefixLength < 1 || prefixLength > bits) {
    throw invalid(plan, `its prefix /${prefixLength} is not in /1 to /${bits}`);
  }
  for (const [what, name] of [
    ["interface", interfaceName],
    ["label", label],
  ] as const) {
    if (name === undefined) continue;
    const isName =
      name.length <= INTERFACE_NAME_LENGTH_MAX &&
      (what === "label" ? INTERFACE_NAME.test(name.replace(":", "")) : INTERFACE_NAME.test(name));
    if (!isName) {
      throw invalid(
        plan,
        `${JSON.stringify(name)} is no name of ${what === "label" ? "a label" : "an interface"}: expected 1 to ${INTERFACE_NAME_LENGTH_MAX} characters without space and slash`,
      );
    }
  }
  if (label !== undefined && address.family === "inet6") {
    throw invalid(plan, "it is IPv6, which has no labels");
  }
}

function invalid({ address }: VipPlan, why: string): LbError {
  return new LbError({ code: "invalid-vip", vip: address.toString(), why });
}
