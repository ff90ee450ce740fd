/** The sets of the door's tables, what is in them, and what leads from one state of them to another. */
import { Tally } from "../../../base/tally.ts";
import type { Family } from "../../../net/address.ts";
import type { DoorEndpoint, DoorRules } from "./door-rules.ts";
import { FAMILIES, type Place, type Stand, tableName, WORDS } from "./door-words.ts";
import { withoutOverlapped } from "./range-elements.ts";

/** Of one transaction: a longer one does not fit a netlink message of an unprivileged user's. */
const ELEMENTS_PER_TRANSACTION = 1_000;

/** The sets with the type of their elements; ADDRESS is the family's. */
// biome-ignore format: a table
export const SETS = {
  services:         "ADDRESS . inet_proto . inet_service",
  everyPort:        "ADDRESS . inet_proto",
  serviceFragments: "ADDRESS . inet_proto",
  marks:            "mark",
  ranges:           "ADDRESS . inet_proto . inet_service : mark; flags interval",
  replies:          "ADDRESS . inet_proto . inet_service",
  replyEveryPort:   "ADDRESS . inet_proto",
  replyFragments:   "ADDRESS . inet_proto",
  errors:           "inet_proto",
  forwardedErrors:  "inet_proto",
  localReplies:     "ADDRESS . inet_proto . inet_service",
  localEveryPort:   "ADDRESS . inet_proto",
  localServers:     "ADDRESS",
  localDirect:      "ADDRESS . inet_service",
} as const;

type SetName = keyof typeof SETS;

/** About what the host's own servers send. */
export const LOCAL_SETS = [
  "localReplies",
  "localEveryPort",
  "localServers",
  "localDirect",
] as const satisfies readonly SetName[];

/** On the wire there are no marks, and nothing that the host sends. */
const NOT_AT: Readonly<Record<Stand, readonly SetName[]>> = {
  hooks: [],
  wire: ["marks", "ranges", "forwardedErrors", ...LOCAL_SETS],
};

export const SETS_AT: Readonly<Record<Stand, readonly SetName[]>> = {
  hooks: setsAt("hooks"),
  wire: setsAt("wire"),
};

function setsAt(stand: Stand): SetName[] {
  return (Object.keys(SETS) as SetName[]).filter((name) => !NOT_AT[stand].includes(name));
}

/** A few elements of one set to be added or deleted. */
export interface Change {
  readonly verb: "add" | "delete";
  readonly family: Family;
  readonly set: SetName;
  readonly elements: readonly string[];
}

interface Difference {
  readonly added: readonly string[];
  readonly deleted: readonly string[];
}

/** One set: what shall be in it, with everybody's share, what is in it, and where the two may differ. */
class Contents {
  readonly wanted = new Tally<string>();
  readonly present = new Set<string>();
  readonly open = new Set<string>();

  /** Adds or takes away a share of each. */
  want(verb: Change["verb"], elements: readonly string[]): void {
    for (const text of elements) if (this.wanted[verb](text)) this.open.add(text);
  }

  difference(): Difference {
    const { wanted, present, open } = this;
    const added: string[] = [];
    const deleted: string[] = [];
    for (const text of open) {
      if (wanted.has(text) === present.has(text)) open.delete(text);
      else if (wanted.has(text)) added.push(text);
      else deleted.push(text);
    }
    return { added, deleted };
  }

  /** Whatever is open, others may have to give way, or come back. */
  rangeDifference(): Difference {
    const { wanted, present, open } = this;
    if (open.size === 0) return { added: [], deleted: [] };
    const standing = withoutOverlapped(wanted.keys());
    const added = [...standing].filter((text) => !present.has(text));
    const deleted = [...present].filter((text) => !standing.has(text));
    if (added.length + deleted.length === 0) open.clear();
    return { added, deleted };
  }
}

/** What shall be in the sets, what is, and what leads from one to the other: at the cost of what differs. */
export class DoorContents {
  readonly #sets: Readonly<Record<Family, Readonly<Record<SetName, Contents>>>>;

  constructor() {
    const names = Object.keys(SETS) as SetName[];
    const sets = () =>
      Object.fromEntries(names.map((name) => [name, new Contents()])) as Record<SetName, Contents>;
    this.#sets = { inet: sets(), inet6: sets() };
  }

  /** From now on what these rules need shall be there, too, and what those need no more. */
  want(added: DoorRules, removed: DoorRules): void {
    for (const [verb, rules] of [["add", added] as const, ["delete", removed] as const]) {
      for (const family of FAMILIES) {
        for (const [set, elements] of Object.entries(elementsOf(rules, family))) {
          this.#sets[family][set as SetName].want(verb, elements);
        }
      }
    }
  }

  isWanted(family: Family, set: SetName): boolean {
    return this.#sets[family][set].wanted.size > 0;
  }

  /** The sets are empty again: all of it has to be added. */
  emptied(): void {
    for (const family of FAMILIES) {
      for (const contents of Object.values(this.#sets[family])) {
        contents.present.clear();
        contents.open.clear();
        for (const text of contents.wanted.keys()) contents.open.add(text);
      }
    }
  }

  /**
   * What is still to be done: additions first, so that at no time too little is taken. Of ranges, which may not have ports in
   * common, deletions.
   */
  changes(stand: Stand, families = FAMILIES): Change[] {
    const additions: Change[] = [];
    const deletions: Change[] = [];
    for (const family of families) {
      for (const set of SETS_AT[stand]) {
        const contents = this.#sets[family][set];
        const { added, deleted } =
          set === "ranges" ? contents.rangeDifference() : contents.difference();
        const addition: Change = { verb: "add", family, set, elements: added };
        const deletion: Change = { verb: "delete", family, set, elements: deleted };
        if (set === "ranges") additions.push(deletion, addition);
        else {
          additions.push(addition);
          deletions.push(deletion);
        }
      }
    }
    return [...additions, ...deletions].filter(({ elements }) => elements.length > 0);
  }

  /** They are done. */
  done(changes: readonly Change[]): void {
    for (const { verb, family, set, elements } of changes) {
      const { present } = this.#sets[family][set];
      for (const text of elements) present[verb](text);
    }
  }
}

/** What each set of a family's table needs for these rules; what several need comes several times. */
function elementsOf(rules: DoorRules, family: Family): Readonly<Record<SetName, string[]>> {
  const ofFamily = (endpoints: readonly DoorEndpoint[]): DoorEndpoint[] =>
    endpoints.filter(({ address }) => address.family === family);
  const services = ofFamily(rules.services);
  const replies = ofFamily(rules.replies);
  const localReplies = ofFamily(rules.localReplies);
  const marks = rules.marks.filter((mark) => mark.family === family);
  const icmp = WORDS[family].icmp === "icmp" ? "icmp" : "ipv6-icmp";
  const times = (count: number): string[] => Array.from({ length: count }, () => icmp);
  return {
    services: texts(services.filter(hasPort)),
    everyPort: texts(services.filter(hasNoPort)),
    serviceFragments: texts(services.map((endpoint) => ({ ...endpoint, port: undefined }))),
    marks: marks.map(({ mark }) => markText(mark)),
    ranges: rules.ranges.flatMap(({ range: { protocol, address, first, last }, mark }) =>
      address.family === family
        ? `${address} . ${protocol} . ${first}-${last} : ${markText(mark)}`
        : [],
    ),
    replies: texts(replies.filter(hasPort)),
    replyEveryPort: texts(replies.filter(hasNoPort)),
    replyFragments: texts(replies.map((endpoint) => ({ ...endpoint, port: undefined }))),
    errors: times(services.length + marks.length + replies.length),
    // About requests to masqueraded servers, and about replies to what a mark brought.
    forwardedErrors: times(marks.length + replies.length),
    localReplies: texts(localReplies.filter(hasPort)),
    localEveryPort: texts(localReplies.filter(hasNoPort)),
    localServers: localReplies.map(({ address }) => `${address}`),
    localDirect: ofFamily(rules.localDirect)
      .filter(hasPort)
      .map(({ address, port }) => `${address} . ${port}`),
  };
}

export function commandFor({ verb, family, set, elements }: Change, place: Place): string {
  return `${verb} element ${tableName(family, place)} ${set} { ${elements.join(", ")} }`;
}

/** In digits that nft does not take for a name. */
function markText(mark: number): string {
  return `0x${mark.toString(16).padStart(8, "0")}`;
}

function hasPort({ port }: DoorEndpoint): boolean {
  return port !== undefined;
}

function hasNoPort({ port }: DoorEndpoint): boolean {
  return port === undefined;
}

function texts(endpoints: readonly DoorEndpoint[]): string[] {
  return endpoints.map(
    ({ address, protocol, port }) =>
      `${address} . ${protocol}${port === undefined ? "" : ` . ${port}`}`,
  );
}

/** The changes in portions that one transaction can hold. */
export function transactionsOf(changes: readonly Change[]): Change[][] {
  const transactions: Change[][] = [];
  let room = 0;
  for (const change of changes) {
    for (let from = 0; from < change.elements.length; ) {
      if (room === 0) {
        transactions.push([]);
        room = ELEMENTS_PER_TRANSACTION;
      }
      const elements = change.elements.slice(from, from + room);
      transactions.at(-1)!.push({ ...change, elements });
      from += elements.length;
      room -= elements.length;
    }
  }
  return transactions;
}
