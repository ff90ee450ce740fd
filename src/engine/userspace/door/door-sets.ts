/** The sets of the door's tables, what is in them, and what leads from one state of them to another. */
import type { Family } from "../../../net/address.ts";
import type { DoorEndpoint, DoorRules } from "./door-rules.ts";
import { FAMILIES, type Stand, tableName, WORDS } from "./door-words.ts";

/** The sets with the type of their elements; ADDRESS is the family's. */
// biome-ignore format: a table
export const SETS = {
  services:         "ADDRESS . inet_proto . inet_service",
  everyPort:        "ADDRESS . inet_proto",
  serviceFragments: "ADDRESS . inet_proto",
  marks:            "mark",
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

/** On the wire there are no marks, and nothing that the host sends. */
const NOT_AT: Readonly<Record<Stand, readonly SetName[]>> = {
  hooks: [],
  wire: [
    "marks",
    "localReplies",
    "localEveryPort",
    "localServers",
    "localDirect",
    "forwardedErrors",
  ],
};

export const SETS_AT: Readonly<Record<Stand, readonly SetName[]>> = {
  hooks: setsAt("hooks"),
  wire: setsAt("wire"),
};

function setsAt(stand: Stand): SetName[] {
  return (Object.keys(SETS) as SetName[]).filter((name) => !NOT_AT[stand].includes(name));
}

/** The elements of each set of one table, as text. */
export type TableElements = Readonly<Record<SetName, ReadonlySet<string>>>;

export type DoorElements = Readonly<Record<Family, TableElements>>;

export function elementsOf(rules: DoorRules): DoorElements {
  return { inet: tableElements(rules, "inet"), inet6: tableElements(rules, "inet6") };
}

function tableElements(rules: DoorRules, family: Family): TableElements {
  const ofFamily = (endpoints: readonly DoorEndpoint[]): DoorEndpoint[] =>
    endpoints.filter(({ address }) => address.family === family);
  const services = ofFamily(rules.services);
  const replies = ofFamily(rules.replies);
  const localReplies = ofFamily(rules.localReplies);
  const marks = rules.marks.filter((mark) => mark.family === family);
  const icmp = new Set([WORDS[family].icmp === "icmp" ? "icmp" : "ipv6-icmp"]);
  const none = new Set<string>();
  return {
    services: texts(services.filter(hasPort)),
    everyPort: texts(services.filter(hasNoPort)),
    serviceFragments: texts(services.map((endpoint) => ({ ...endpoint, port: undefined }))),
    marks: new Set(marks.map(({ mark }) => `0x${mark.toString(16).padStart(8, "0")}`)),
    replies: texts(replies.filter(hasPort)),
    replyEveryPort: texts(replies.filter(hasNoPort)),
    replyFragments: texts(replies.map((endpoint) => ({ ...endpoint, port: undefined }))),
    errors: services.length + marks.length + replies.length > 0 ? icmp : none,
    // About requests to masqueraded servers, and about replies to what a mark brought.
    forwardedErrors: marks.length + replies.length > 0 ? icmp : none,
    localReplies: texts(localReplies.filter(hasPort)),
    localEveryPort: texts(localReplies.filter(hasNoPort)),
    localServers: new Set(localReplies.map(({ address }) => `${address}`)),
    localDirect: new Set(
      ofFamily(rules.localDirect)
        .filter(hasPort)
        .map(({ address, port }) => `${address} . ${port}`),
    ),
  };
}

export const NO_ELEMENTS: DoorElements = elementsOf({
  services: [],
  replies: [],
  marks: [],
  localReplies: [],
  localDirect: [],
});

/** A few elements of one set to be added or deleted. */
export interface Change {
  readonly verb: "add" | "delete";
  readonly family: Family;
  readonly set: SetName;
  readonly elements: readonly string[];
}

/** What leads from one state of the sets to another: additions first, so that at no time too little is taken. */
export function changesBetween(before: DoorElements, after: DoorElements, stand: Stand): Change[] {
  const names = SETS_AT[stand];
  const changes = (verb: Change["verb"], from: DoorElements, to: DoorElements): Change[] =>
    FAMILIES.flatMap((family) =>
      names.map((set) => ({
        verb,
        family,
        set,
        elements: [...to[family][set]].filter((text) => !from[family][set].has(text)),
      })),
    ).filter(({ elements }) => elements.length > 0);
  return [...changes("add", before, after), ...changes("delete", after, before)];
}

export function withChanges(before: DoorElements, changes: readonly Change[]): DoorElements {
  const after: Record<Family, Record<string, ReadonlySet<string>>> = {
    inet: { ...before.inet },
    inet6: { ...before.inet6 },
  };
  for (const { verb, family, set, elements } of changes) {
    const texts = new Set(after[family][set]);
    for (const text of elements) {
      if (verb === "add") texts.add(text);
      else texts.delete(text);
    }
    after[family][set] = texts;
  }
  return after as DoorElements;
}

export function commandFor({ verb, family, set, elements }: Change, stand: Stand): string {
  return `${verb} element ${tableName(family, stand)} ${set} { ${elements.join(", ")} }`;
}

function hasPort({ port }: DoorEndpoint): boolean {
  return port !== undefined;
}

function hasNoPort({ port }: DoorEndpoint): boolean {
  return port === undefined;
}

function texts(endpoints: readonly DoorEndpoint[]): ReadonlySet<string> {
  return new Set(
    endpoints.map(
      ({ address, protocol, port }) =>
        `${address} . ${protocol}${port === undefined ? "" : ` . ${port}`}`,
    ),
  );
}
