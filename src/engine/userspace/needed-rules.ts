/** Which rules the guard needs: for services, for connections, and while one gives way to the other. */
import type { DesiredState } from "../../ipvs/desired-state.ts";
import type { Destination } from "../../ipvs/destination.ts";
import type { Endpoint, Protocol, ServicePlan } from "../../ipvs/service.ts";
import type { Address } from "../../net/address.ts";
import { ANY_PORT, type Port } from "../../net/port.ts";
import type { GuardEndpoint, GuardRules } from "./guard-rules.ts";
import { LANE_EXIT } from "./host-lane.ts";

const FTP_PORT = 21;

type Endpoints = ReadonlyMap<string, GuardEndpoint>;

/** Endpoints by their text, so that rules can be compared and joined. */
export interface NeededRules {
  readonly services: Endpoints;
  readonly replies: Endpoints;
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>();
export const NOTHING: NeededRules = { services: NONE, replies: NONE };

/** A plan never changes: what it needs is found out once, and not at every command about some other service. */
const known = new WeakMap<ServicePlan, NeededRules>();

/** As the guard takes them; what comes back by the lane is the host's in any case. */
export function guardRules({ services, replies }: NeededRules): GuardRules {
  return {
    services: [...services.values()],
    replies: [...replies.values()],
    exemptInterfaces: [LANE_EXIT],
  };
}

/** What these services need: their own packets, and those of the servers that the host would forward untranslated. */
export function rulesForServices({ services }: DesiredState): NeededRules {
  return together([...services.values()].map(rulesForService));
}

/** What connections to these need, were they masqueraded: a connection keeps its method, whatever comes after. */
export function rulesForConnectionsTo(destinations: Iterable<Destination>): NeededRules {
  return together(
    [...destinations].map(({ service, plan }) => rulesFor(service.plan, [plan.endpoint])),
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

export function sizeOf({ services, replies }: NeededRules): number {
  return services.size + replies.size;
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
  // A mark that netfilter sets a packet socket cannot see.
  if (key.kind === "mark") return NOTHING;
  const { protocol, endpoint } = key;
  // The data connections of a persistent FTP service come to any port, too.
  const isAnyPort = endpoint.port === FTP_PORT && persistence !== undefined;
  const rule = ({ address, port }: Endpoint): [string, GuardEndpoint] =>
    endpointRule(protocol, address, isAnyPort ? ANY_PORT : port);
  return { services: new Map([rule(endpoint)]), replies: new Map(servers.map(rule)) };
}

function together(rules: readonly NeededRules[]): NeededRules {
  const services = new Map<string, GuardEndpoint>();
  const replies = new Map<string, GuardEndpoint>();
  for (const each of rules) {
    for (const [text, endpoint] of each.services) services.set(text, endpoint);
    for (const [text, endpoint] of each.replies) replies.set(text, endpoint);
  }
  return { services, replies };
}

function filter(one: NeededRules, other: NeededRules, isWanted: boolean): NeededRules {
  const those = <Rule>(
    ours: ReadonlyMap<string, Rule>,
    theirs: ReadonlyMap<string, Rule>,
  ): ReadonlyMap<string, Rule> =>
    new Map([...ours].filter(([text]) => theirs.has(text) === isWanted));
  return {
    services: those(one.services, other.services),
    replies: those(one.replies, other.replies),
  };
}
