/**
 * Addresses as text: dotted quads, and RFC 4291 section 2.2 for IPv6, written as RFC 5952 wants it.
 *
 * Strict: an octet has no leading zero, because "010" is 8 to one program and 10 to the next; an IPv6 address has no zone.
 */
export type Words = readonly [w0: number, w1: number, w2: number, w3: number];

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const GROUPS = 8;

/** The address as a signed word, or undefined when `text` is no dotted quad. */
export function parseInet(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let word = 0;
  for (const part of parts) {
    if (!OCTET.test(part) || Number(part) > 255) return undefined;
    word = (word << 8) | Number(part);
  }
  return word;
}

export function parseInet6(text: string): Words | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const isShortened = halves.length === 2;
  const head = parseGroups(halves[0]!, !isShortened);
  const tail = isShortened ? parseGroups(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = GROUPS - head.length - tail.length;
  // "::" stands for one group of zeros or more.
  if (isShortened ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  const word = (index: number): number => (groups[index]! << 16) | groups[index + 1]!;
  return [word(0), word(2), word(4), word(6)];
}

/** The groups between colons; only the last ones of an address may be a dotted quad, which makes two of them. */
function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const word = isLast && index === parts.length - 1 ? parseInet(part) : undefined;
    if (word === undefined) return undefined;
    groups.push(word >>> 16, word & 0xffff);
  }
  return groups;
}

export function formatInet(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** RFC 5952: lower case, no leading zeros, the first of the longest runs of two or more zero groups as "::". */
export function formatInet6(words: Words): string {
  const [w0, w1, w2, w3] = words;
  if (w0 === 0 && w1 === 0) {
    // RFC 5952 section 5: dotted where the prefix says that IPv4 is inside. IPv4-mapped and IPv4-compatible, as
    // glibc's inet_ntop() does, whose output ipvsadm shows.
    if (w2 === 0xffff) return `::ffff:${formatInet(w3)}`;
    if (w2 === 0 && w3 >>> 16 !== 0) return `::${formatInet(w3)}`;
  }
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const { start, length } = longestZeroRun(groups);
  const hex = (part: readonly number[]): string =>
    part.map((group) => group.toString(16)).join(":");
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: index - length + 1, length };
  }
  return longest;
}
