/** Which rules the guard needs: for services, for connections, and while one gives way to the other. */
import type { DesiredState } from "../../ipvs/desired-state.ts";
import type { Destination } from "../../ipvs/destination.ts";
import { formatMarkRule, type MarkRule } from "../../ipvs/mark-rule.ts";
import type { Endpoint, Protocol, ServiceKey, ServicePlan } from "../../ipvs/service.ts";
import type { Address } from "../../net/address.ts";
import { ANY_PORT, type Port } from "../../net/port.ts";
import type { GuardEndpoint, GuardRules } from "./guard-rules.ts";
import { LANE_EXIT } from "./host-lane.ts";

const FTP_PORT = 21;

type Endpoints = ReadonlyMap<string, GuardEndpoint>;

type Marks = ReadonlyMap<string, MarkRule>;

/** Endpoints and mark rules by their text, so that rules can be compared and joined. */
export interface NeededRules {
  readonly services: Endpoints;
  readonly replies: Endpoints;
  readonly marks: Marks;
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>();
export const NOTHING: NeededRules = { services: NONE, replies: NONE, marks: NONE };

/** What a mark may stand for. */
const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp"];

/** A plan never changes: what it needs is found out once, and not at every command about some other service. */
const known = new WeakMap<ServicePlan, NeededRules>();

/** As the guard takes them; what comes back by the lane is the host's in any case. */
export function guardRules({ services, replies, marks }: NeededRules): GuardRules {
  return {
    services: [...services.values()],
    replies: [...replies.values()],
    marks: [...marks.values()],
    exemptInterfaces: [LANE_EXIT],
  };
}

/** What these services need: their own packets, and those of the servers that the host would forward untranslated. */
export function rulesForServices({ services, markRules }: DesiredState): NeededRules {
  const plans = [...services.values()];
  return together([
    ...plans.map(rulesForService),
    ...plans.map((plan) => marksFor(plan, markRules)),
  ]);
}

/**
 * What connections to these need, were they masqueraded: a connection keeps its method, whatever comes after. Of mark
 * rules those of `known` that brought such connections: without them the host would see a connection's next packet.
 */
export function rulesForConnectionsTo(
  destinations: Iterable<Destination>,
  known: NeededRules,
): NeededRules {
  return together(
    [...destinations].map(({ service, plan }) =>
      service.plan.key.kind === "mark"
        ? rulesForMarkedConnections(service.plan, plan.endpoint, [...known.marks.values()])
        : rulesFor(service.plan, [plan.endpoint]),
    ),
  );
}

/** `one` itself when it has all of `other`. */
export function union(one: NeededRules, other: NeededRules): NeededRules {
  return sizeOf(difference(other, one)) === 0 ? one : together([one, other]);
}

/** What `one` has and `other` has not. */
export function difference(one: NeededRules, other: NeededRules): NeededRules {
  return filter(one, other, false);
}

export function intersection(one: NeededRules, other: NeededRules): NeededRules {
  return filter(one, other, true);
}

export function sizeOf({ services, replies, marks }: NeededRules): number {
  return services.size + replies.size + marks.size;
}

/** What the service of a mark needs: the rules that give the mark, and its masqueraded servers' replies. */
function marksFor({ key, persistence, destinations }: ServicePlan, all: readonly MarkRule[]) {
  const rules = rulesGiving(key, all);
  if (rules.length === 0) return NOTHING;
  const protocols = PROTOCOLS.filter((protocol) =>
    rules.some((rule) => rule.protocol === "any" || rule.protocol === protocol),
  );
  const replies = destinations
    .filter(({ forwarding }) => forwarding.kind === "masquerade")
    .flatMap(({ endpoint: { address, port } }) =>
      // With persistence a packet keeps the port that it came for: ip_vs_sched_persist().
      protocols.map((protocol) => endpointRule(protocol, address, persistence ? ANY_PORT : port)),
    );
  return { services: NONE, replies: new Map(replies), marks: byText(rules) };
}

/** The service may have had persistence, and rules of other protocols, when the connections began. */
function rulesForMarkedConnections(
  { key }: ServicePlan,
  { address, port }: Endpoint,
  known: readonly MarkRule[],
): NeededRules {
  const replies = PROTOCOLS.flatMap((protocol) => [
    endpointRule(protocol, address, port),
    endpointRule(protocol, address, ANY_PORT),
  ]);
  return { services: NONE, replies: new Map(replies), marks: byText(rulesGiving(key, known)) };
}

function rulesGiving(key: ServiceKey, rules: readonly MarkRule[]): MarkRule[] {
  if (key.kind !== "mark") return [];
  return rules.filter(({ family, mark }) => family === key.family && mark === key.mark);
}

function byText(rules: readonly MarkRule[]): Marks {
  return new Map(rules.map((rule) => [formatMarkRule(rule), rule]));
}

/** With its text. Port 0 is any. */
function endpointRule(protocol: Protocol, address: Address, port: Port): [string, GuardEndpoint] {
  const guarded = port === ANY_PORT ? undefined : port;
  return [`${protocol} ${address} ${guarded}`, { protocol, address, port: guarded }];
}

function rulesForService(plan: ServicePlan): NeededRules {
  let rules = known.get(plan);
  if (rules === undefined) {
    const masqueraded = plan.destinations.filter(
      ({ forwarding }) => forwarding.kind === "masquerade",
    );
    const servers = masqueraded.map(({ endpoint }) => endpoint);
    rules = rulesFor(plan, servers);
    known.set(plan, rules);
  }
  return rules;
}

function rulesFor({ key, persistence }: ServicePlan, servers: readonly Endpoint[]): NeededRules {
  // A mark that netfilter sets this engine cannot see: without rules of its own nothing is taken.
  if (key.kind === "mark") return NOTHING;
  const { protocol, endpoint } = key;
  // The data connections of a persistent FTP service come to any port, too.
  const isAnyPort = endpoint.port === FTP_PORT && persistence !== undefined;
  const rule = ({ address, port }: Endpoint): [string, GuardEndpoint] =>
    endpointRule(protocol, address, isAnyPort ? ANY_PORT : port);
  return { services: new Map([rule(endpoint)]), replies: new Map(servers.map(rule)), marks: NONE };
}

function together(rules: readonly NeededRules[]): NeededRules {
  const services = new Map<string, GuardEndpoint>();
  const replies = new Map<string, GuardEndpoint>();
  const marks = new Map<string, MarkRule>();
  for (const each of rules) {
    for (const [text, endpoint] of each.services) services.set(text, endpoint);
    for (const [text, endpoint] of each.replies) replies.set(text, endpoint);
    for (const [text, rule] of each.marks) marks.set(text, rule);
  }
  return { services, replies, marks };
}

function filter(one: NeededRules, other: NeededRules, isWanted: boolean): NeededRules {
  const those = <Rule>(
    ours: ReadonlyMap<string, Rule>,
    theirs: ReadonlyMap<string, Rule>,
  ): ReadonlyMap<string, Rule> =>
    new Map([...ours].filter(([text]) => theirs.has(text) === isWanted));
  return {
    marks: those(one.marks, other.marks),
    services: those(one.services, other.services),
    replies: those(one.replies, other.replies),
  };
}
