/** Which of a host's addresses: the kernel's choices, net/ipv4/devinet.c. */
import type { Address } from "../../net/address.ts";
import {
  type InterfaceAddress,
  isInNetworkOf,
  type NetworkInterface,
  SCOPE,
  type ScopeName,
} from "./interface.ts";

/**
 * inet_select_addr(): the first primary address of `via` that shares the network with `towards`, else its first primary
 * one, else one of another interface. Only those whose scope reaches as far as `scope`.
 */
export function selectAddress(
  interfaces: readonly NetworkInterface[],
  via: NetworkInterface,
  towards: Address | undefined,
  scope: ScopeName,
): Address | undefined {
  let first: Address | undefined;
  for (const each of via.inet) {
    if (each.isSecondary || localScope(each) > SCOPE[scope]) continue;
    if (towards === undefined || isInNetworkOf(towards, each)) return each.address;
    first ??= each.address;
  }
  if (first !== undefined) return first;
  for (const other of interfaces) {
    for (const { address, isSecondary, scope: own } of other.inet) {
      if (!isSecondary && own !== "link" && SCOPE[own] <= SCOPE[scope]) return address;
    }
  }
  return undefined;
}

/**
 * inet_confirm_addr(): whether `local` is an address of the interfaces given, reaching as far as `scope`, in one network
 * with `asker` where there is one.
 */
export function confirmsAddress(
  interfaces: readonly NetworkInterface[],
  asker: Address | undefined,
  local: Address,
  scope: ScopeName,
): boolean {
  return interfaces.some((each) => confirmsOn(each, asker, local, scope));
}

/** confirm_addr_indev(), where the local address is given. */
function confirmsOn(
  { inet }: NetworkInterface,
  asker: Address | undefined,
  local: Address,
  scope: ScopeName,
): boolean {
  let isThere = false;
  let isSame = false;
  for (const each of inet) {
    if (each.address.equals(local) && localScope(each) <= SCOPE[scope]) isThere = true;
    isSame ||= isInNetworkOf(local, each) && (asker === undefined || isInNetworkOf(asker, each));
    if (isThere && isSame) return true;
  }
  return false;
}

/** An address is the host's own as far as it is the host's: no scope is narrower there than "host". */
function localScope({ scope }: InterfaceAddress): number {
  return Math.min(SCOPE[scope], SCOPE.host);
}
