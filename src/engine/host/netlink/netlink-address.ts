/** Addresses and their families as netlink messages bear them. */
import { ADDRESS_LENGTH, Address, type Family } from "../../../net/address.ts";

const AF_INET = 2;
const AF_INET6 = 10;

export function familyOf(number: number | undefined): Family | undefined {
  if (number === AF_INET) return "inet";
  return number === AF_INET6 ? "inet6" : undefined;
}

export function familyNumber(family: Family): number {
  return family === "inet" ? AF_INET : AF_INET6;
}

/** Undefined when there are no bytes, or too few. */
export function addressIn(bytes: Uint8Array | undefined, family: Family): Address | undefined {
  if (bytes === undefined || bytes.length < ADDRESS_LENGTH[family]) return undefined;
  return Address.fromBytes(bytes, 0, family);
}

export function unspecified(family: Family): Address {
  return family === "inet" ? Address.inet(0) : Address.inet6(0, 0, 0, 0);
}

/** struct ifaddrmsg, with which RTM_NEWADDR begins. */
export const ADDRESS_HEADER_LENGTH = 8;
/** struct rtmsg, with which RTM_NEWROUTE begins. */
export const ROUTE_HEADER_LENGTH = 12;
