/** What the door must take: for services, and for connections. */

import { formatRange, isSameRange } from "../../../ipvs/desired/port-range.ts";
import type {
  DestinationPlan,
  Endpoint,
  Protocol,
  ServiceKey,
  ServicePlan,
} from "../../../ipvs/desired/service.ts";
import type { Destination } from "../../../ipvs/services/destination.ts";
import type { Address } from "../../../net/address.ts";
import { ANY_PORT, FTP_PORT } from "../../../net/port.ts";
import type { DoorEndpoint, DoorMark, DoorRange, DoorRules } from "./door-rules.ts";

/** One thing that the door must take. */
export type NeededRule =
  | { readonly kind: "service" | "reply"; readonly endpoint: DoorEndpoint }
  | { readonly kind: "mark"; readonly mark: DoorMark }
  | { readonly kind: "range"; readonly range: DoorRange }
  /** A service with a server that gets its packets without NAT: matters where that is the host itself. */
  | { readonly kind: "direct"; readonly endpoint: DoorEndpoint; readonly server: Address };

/** By their text, so that what several need is one. */
export type NeededRules = ReadonlyMap<string, NeededRule>;

type Entry = [text: string, rule: NeededRule];

/** What a mark may stand for. */
const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp"];

/** A plan never changes: what connections need is found out once. */
const knownOfConnections = new WeakMap<ServicePlan, WeakMap<DestinationPlan, NeededRules>>();

/** As the door takes them; each with whether its server is the host itself. */
export function doorRules(rules: Iterable<{ rule: NeededRule; isLocal: boolean }>): DoorRules {
  const services: DoorEndpoint[] = [];
  const replies: DoorEndpoint[] = [];
  const marks: DoorMark[] = [];
  const ranges: DoorRange[] = [];
  const local: NeededRule[] = [];
  for (const { rule, isLocal } of rules) {
    if (rule.kind === "service") services.push(rule.endpoint);
    if (rule.kind === "reply") replies.push(rule.endpoint);
    if (rule.kind === "mark") marks.push(rule.mark);
    if (rule.kind === "range") ranges.push(rule.range);
    if (isLocal) local.push(rule);
  }
  return { services, replies, marks, ranges, ...localRules(local) };
}

/** What is taken because these rules' servers are the host itself. */
export function localRules(
  rules: Iterable<NeededRule>,
): Pick<DoorRules, "localReplies" | "localDirect"> {
  const localReplies: DoorEndpoint[] = [];
  const localDirect: DoorEndpoint[] = [];
  for (const rule of rules) {
    if (rule.kind === "reply") localReplies.push(rule.endpoint);
    if (rule.kind === "direct") localDirect.push(rule.endpoint);
  }
  return { localReplies, localDirect };
}

/** The server whose replies a rule is about. */
export function serverOf(rule: NeededRule): Address | undefined {
  if (rule.kind === "direct") return rule.server;
  return rule.kind === "reply" ? rule.endpoint.address : undefined;
}

/** What is needed from now on, and what no more; what several need is there as often. */
export interface RuleChanges {
  readonly coming: readonly Entry[];
  readonly going: readonly Entry[];
}

/** Between two plans of a service, or one that comes or goes: at the cost of the servers that differ. */
export function ruleChanges(
  before: ServicePlan | undefined,
  after: ServicePlan | undefined,
): RuleChanges {
  const isAnother =
    before === undefined ||
    after === undefined ||
    isPersistent(before) !== isPersistent(after) ||
    !isSameRange(before.range, after.range);
  if (isAnother) {
    return {
      coming: after === undefined ? [] : rulesForService(after),
      going: before === undefined ? [] : rulesForService(before),
    };
  }
  const { added, removed } = difference(before.destinations, after.destinations);
  return { coming: rulesForServers(after, added), going: rulesForServers(before, removed) };
}

/** What is between what both have at their beginnings and at their ends. */
function difference<Item>(
  before: readonly Item[],
  after: readonly Item[],
): { readonly added: readonly Item[]; readonly removed: readonly Item[] } {
  const shorter = Math.min(before.length, after.length);
  let first = 0;
  while (first < shorter && before[first] === after[first]) first++;
  let last = 0;
  while (last < shorter - first && before.at(-1 - last) === after.at(-1 - last)) last++;
  return {
    added: after.slice(first, after.length - last),
    removed: before.slice(first, before.length - last),
  };
}

function isPersistent({ persistence }: ServicePlan): boolean {
  return persistence !== undefined;
}

/** What a service needs: its own packets, and those of the servers that the host would forward untranslated. */
export function rulesForService(plan: ServicePlan): readonly Entry[] {
  return [ruleForItself(plan), ...rangeRule(plan), ...rulesForServers(plan, plan.destinations)];
}

function rulesForServers(plan: ServicePlan, servers: readonly DestinationPlan[]): Entry[] {
  return servers.flatMap(({ endpoint, forwarding }) =>
    forwarding.kind === "masquerade" ? repliesOf(plan, endpoint) : directServer(plan, endpoint),
  );
}

/** What connections to it need, were they masqueraded: a connection keeps its method, whatever comes after. */
export function rulesForConnectionsTo({ service, plan }: Destination): NeededRules {
  const known = knownOfConnections.get(service.plan) ?? new WeakMap<DestinationPlan, NeededRules>();
  knownOfConnections.set(service.plan, known);
  let rules = known.get(plan);
  if (rules === undefined) {
    rules = new Map(
      service.plan.key.kind === "mark"
        ? rulesForMarkedConnections(service.plan.key, plan.endpoint)
        : [ruleForItself(service.plan), ...repliesOf(service.plan, plan.endpoint)],
    );
    known.set(plan, rules);
  }
  return rules;
}

function directServer({ key }: ServicePlan, { address: server }: Endpoint): Entry[] {
  if (key.kind === "mark" || key.protocol !== "tcp") return [];
  const endpoint = doorEndpoint(key.protocol, key.endpoint);
  return [[`direct ${textOf(endpoint)} to ${server}`, { kind: "direct", endpoint, server }]];
}

function ruleForItself(plan: ServicePlan): Entry {
  const { key } = plan;
  if (key.kind === "mark") return markRule(key);
  return endpointRule("service", key.protocol, takenOf(plan, key.endpoint));
}

/** What a masqueraded server sends. */
function repliesOf(plan: ServicePlan, server: Endpoint): Entry[] {
  const { key } = plan;
  if (key.kind === "endpoint") {
    return [endpointRule("reply", key.protocol, takenOf(plan, server))];
  }
  // With persistence a packet keeps the port that it came for: ip_vs_sched_persist().
  return repliesFor(isPersistent(plan) ? { ...server, port: ANY_PORT } : server);
}

/** The data connections of a persistent FTP service come to any port, too. */
function takenOf(plan: ServicePlan, at: Endpoint): Endpoint {
  const { key } = plan;
  const isAnyPort = key.kind === "endpoint" && key.endpoint.port === FTP_PORT && isPersistent(plan);
  return isAnyPort ? { address: at.address, port: ANY_PORT } : at;
}

/** The service may have had persistence when the connections began. */
function rulesForMarkedConnections(key: MarkKey, server: Endpoint): Entry[] {
  return [...repliesFor(server), ...repliesFor({ ...server, port: ANY_PORT }), markRule(key)];
}

function repliesFor(server: Endpoint): Entry[] {
  return PROTOCOLS.map((protocol) => endpointRule("reply", protocol, server));
}

function rangeRule({ key, range }: ServicePlan): Entry[] {
  if (key.kind !== "mark" || range === undefined) return [];
  const rule = { kind: "range" as const, range: { range, mark: key.mark } };
  return [[`range ${formatRange(range)} ${key.mark}`, rule]];
}

type MarkKey = Extract<ServiceKey, { kind: "mark" }>;

function markRule({ family, mark }: MarkKey): Entry {
  return [`mark ${family} ${mark}`, { kind: "mark", mark: { family, mark } }];
}

function endpointRule(kind: "service" | "reply", protocol: Protocol, at: Endpoint): Entry {
  const endpoint = doorEndpoint(protocol, at);
  return [`${kind} ${textOf(endpoint)}`, { kind, endpoint }];
}

/** Port 0 is any. */
function doorEndpoint(protocol: Protocol, { address, port }: Endpoint): DoorEndpoint {
  return { protocol, address, port: port === ANY_PORT ? undefined : port };
}

function textOf({ protocol, address, port }: DoorEndpoint): string {
  return `${protocol} ${address} ${port}`;
}
