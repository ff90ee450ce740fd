/**
 * Elements of the map that gives ranges of ports their marks: such as `10.0.0.1 . tcp . 8000-8010 : 0x00000007`.
 *
 * nft refuses two that have ports in common. While one range takes the place of another both are wanted for a moment.
 */

const ELEMENT = /^(\S+ \. \S+) \. (\d+)-(\d+) : /;

interface Block {
  readonly text: string;
  readonly first: number;
  readonly last: number;
}

/** Of those that have ports in common the later: it is what holds from now on. */
export function withoutOverlapped(texts: Iterable<string>): ReadonlySet<string> {
  const known = new Map<string, Block[]>();
  const standing = new Set<string>();
  for (const text of [...texts].toReversed()) {
    const [, place = text, first = "", last = ""] = ELEMENT.exec(text) ?? [];
    const block = { text, first: Number(first), last: Number(last) };
    const others = known.get(place) ?? [];
    known.set(place, others);
    if (others.some((each) => each.first <= block.last && block.first <= each.last)) continue;
    others.push(block);
    standing.add(text);
  }
  return standing;
}
