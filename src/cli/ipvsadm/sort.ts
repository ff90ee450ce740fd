/**
 * The order of listings: ipvsadm's, which subtracts 32-bit numbers and looks at the sign. So 224.0.0.1 comes before
 * 10.0.0.1. Where differences wrap around, the order is not transitive and what comes out depends on how it is sorted
 * and on the order before: newest first, as the kernel lists, and by merging, as C's qsort() does.
 */
import type { WireDestination, WireServiceKey, WireServiceStatus } from "../../control/wire.ts";
import { Address } from "../../net/address.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";

/** From the oldest first, as the API lists, to the kernel's: services at addresses before marks, newest first. */
export function kernelOrder(services: readonly WireServiceStatus[]): WireServiceStatus[] {
  const isMark = ({ key }: WireServiceStatus) => Number(key.kind === "mark");
  return services.toReversed().toSorted((a, b) => isMark(a) - isMark(b));
}

/** From the oldest first, as the API lists. */
export function sortServices(services: readonly WireServiceStatus[]): WireServiceStatus[] {
  return mergeSort(kernelOrder(services).map(withService), compareServices).map(
    ({ service }) => service,
  );
}

/** From the oldest first, as the API lists. */
export function sortDestinations<Destination extends WireDestination>(
  destinations: readonly Destination[],
): Destination[] {
  return mergeSort(destinations.toReversed(), compareDestinations);
}

/** glibc's msort_with_tmp(): the smaller half first, equal items in their order. */
function mergeSort<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): Item[] {
  const sorted = [...items];
  sortPart(sorted, 0, sorted.length, [], compare);
  return sorted;
}

/** Sorts the items from `start` to before `end` where they are; `left` is room for half of them. */
function sortPart<Item>(
  items: Item[],
  start: number,
  end: number,
  left: Item[],
  compare: (a: Item, b: Item) => number,
): void {
  const count = end - start;
  if (count <= 1) return;
  const half = count >> 1;
  const middle = start + half;
  sortPart(items, start, middle, left, compare);
  sortPart(items, middle, end, left, compare);
  for (let index = 0; index < half; index++) left[index] = items[start + index]!;
  let [i, j, to] = [0, middle, start];
  while (i < half && j < end) {
    items[to++] = compare(left[i]!, items[j]!) <= 0 ? left[i++]! : items[j++]!;
  }
  while (i < half) items[to++] = left[i++]!;
}

/** A service with its address in words: parsed once, and not with each comparison. */
interface Sortable {
  readonly service: WireServiceStatus;
  readonly key: WireServiceKey;
  readonly words: readonly number[];
}

function withService(service: WireServiceStatus): Sortable {
  const { key } = service;
  return { service, key, words: key.kind === "mark" ? [] : addressWords(key.endpoint.address) };
}

/** By mark (services without one are first), family, protocol, address, port. */
function compareServices(
  { key: a, words: left }: Sortable,
  { key: b, words: right }: Sortable,
): number {
  if (a.kind === "mark" || b.kind === "mark") {
    const byMark = ((a.kind === "mark" ? a.mark : 0) - (b.kind === "mark" ? b.mark : 0)) | 0;
    if (byMark !== 0 || a.kind !== "mark" || b.kind !== "mark") return byMark;
    return a.family.length - b.family.length;
  }
  return (
    left.length - right.length ||
    IP_PROTOCOL[a.protocol] - IP_PROTOCOL[b.protocol] ||
    compareWords(left, right, left.length) ||
    a.endpoint.port - b.endpoint.port
  );
}

/** By address, as the family of the first says, then port; families are not told apart. */
function compareDestinations(a: WireDestination, b: WireDestination): number {
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
