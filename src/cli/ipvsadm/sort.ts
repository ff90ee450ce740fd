/**
 * The order of listings: ipvsadm's, which subtracts 32-bit numbers and looks at the sign. So 224.0.0.1 comes before
 * 10.0.0.1, and where the differences wrap around the order is not even transitive.
 */
import type { WireDestination, WireServiceKey } from "../../control/wire.ts";
import { Address } from "../../net/address.ts";

const PROTOCOL_NUMBER = { tcp: 6, udp: 17, sctp: 132 } as const;

/** By mark (services without one are first), family, protocol, address, port. */
export function compareServices(a: WireServiceKey, b: WireServiceKey): number {
  if (a.kind === "mark" || b.kind === "mark") {
    const byMark = ((a.kind === "mark" ? a.mark : 0) - (b.kind === "mark" ? b.mark : 0)) | 0;
    if (byMark !== 0 || a.kind !== "mark" || b.kind !== "mark") return byMark;
    return a.family.length - b.family.length;
  }
  const [left, right] = [addressWords(a.endpoint.address), addressWords(b.endpoint.address)];
  return (
    left.length - right.length ||
    PROTOCOL_NUMBER[a.protocol] - PROTOCOL_NUMBER[b.protocol] ||
    compareWords(left, right, left.length) ||
    a.endpoint.port - b.endpoint.port
  );
}

/** By address, as the family of the first says, then port; families are not told apart. */
export function compareDestinations(a: WireDestination, b: WireDestination): number {
  const [left, right] = [addressWords(a.endpoint.address), addressWords(b.endpoint.address)];
  return compareWords(left, right, left.length) || a.endpoint.port - b.endpoint.port;
}

function compareWords(a: readonly number[], b: readonly number[], length: number): number {
  for (let index = 0; index < length; index++) {
    const difference = ((a[index] ?? 0) - (b[index] ?? 0)) | 0;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** One word or four. */
function addressWords(text: string): readonly number[] {
  const address = Address.parse(text)!;
  if (address.family === "inet") return [address.w3];
  return [address.w0, address.w1, address.w2, address.w3];
}
