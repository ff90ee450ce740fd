/** What the door must take: for services, for connections, and while one gives way to the other. */
import type { DesiredState } from "../../../ipvs/desired-state.ts";
import type { Destination } from "../../../ipvs/destination.ts";
import type { Endpoint, Protocol, ServiceKey, ServicePlan } from "../../../ipvs/service.ts";
import type { Address } from "../../../net/address.ts";
import { ANY_PORT, type Port } from "../../../net/port.ts";
import type { DoorEndpoint, DoorMark, DoorRules } from "./door-rules.ts";

const FTP_PORT = 21;

type Endpoints = ReadonlyMap<string, DoorEndpoint>;

type Marks = ReadonlyMap<string, DoorMark>;

/** Endpoints and marks by their text, so that what is needed can be compared and joined. */
export interface NeededRules {
  readonly services: Endpoints;
  readonly replies: Endpoints;
  readonly marks: Marks;
  /** Services, each with a server that gets its packets without NAT, as text; the service's endpoint, and that server. */
  readonly direct: ReadonlyMap<string, DirectServer>;
}

export interface DirectServer {
  readonly service: DoorEndpoint;
  readonly server: Address;
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>();
export const NOTHING: NeededRules = { services: NONE, replies: NONE, marks: NONE, direct: NONE };

/** What a mark may stand for. */
const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp"];

/** A plan never changes: what it needs is found out once, and not at every command about some other service. */
const known = new WeakMap<ServicePlan, NeededRules>();

/** As the door takes them. `isLocal`: an address is the host's own. */
export function doorRules(
  { services, replies, marks, direct }: NeededRules,
  isLocal: (address: Address) => boolean,
): DoorRules {
  return {
    services: [...services.values()],
    replies: [...replies.values()],
    marks: [...marks.values()],
    localReplies: [...replies.values()].filter(({ address }) => isLocal(address)),
    localDirect: [...direct.values()]
      .filter(({ server }) => isLocal(server))
      .map(({ service }) => service),
  };
}

/** What these services need: their own packets, and those of the servers that the host would forward untranslated. */
export function rulesForServices({ services }: DesiredState): NeededRules {
  return together([...services.values()].map(rulesForService));
}

/** What connections to these need, were they masqueraded: a connection keeps its method, whatever comes after. */
export function rulesForConnectionsTo(destinations: Iterable<Destination>): NeededRules {
  return together(
    [...destinations].map(({ service, plan }) =>
      service.plan.key.kind === "mark"
        ? rulesForMarkedConnections(service.plan.key, plan.endpoint)
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

export function sizeOf({ services, replies, marks, direct }: NeededRules): number {
  return services.size + replies.size + marks.size + direct.size;
}

function rulesForService(plan: ServicePlan): NeededRules {
  let rules = known.get(plan);
  if (rules === undefined) {
    const masqueraded = plan.destinations.filter(
      ({ forwarding }) => forwarding.kind === "masquerade",
    );
    const servers = masqueraded.map(({ endpoint }) => endpoint);
    rules = { ...rulesFor(plan, servers), direct: directServers(plan) };
    known.set(plan, rules);
  }
  return rules;
}

function directServers({ key, destinations }: ServicePlan): ReadonlyMap<string, DirectServer> {
  if (key.kind === "mark" || key.protocol !== "tcp") return NONE;
  const { address, port } = key.endpoint;
  const [text, service] = endpointRule(key.protocol, address, port);
  const direct = destinations.filter(({ forwarding }) => forwarding.kind !== "masquerade");
  return new Map(
    direct.map(({ endpoint }) => [
      `${text} to ${endpoint.address}`,
      { service, server: endpoint.address },
    ]),
  );
}

function rulesFor(plan: ServicePlan, servers: readonly Endpoint[]): NeededRules {
  const { key, persistence } = plan;
  if (key.kind === "mark") return rulesForMark(key, persistence !== undefined, servers);
  const { protocol, endpoint } = key;
  // The data connections of a persistent FTP service come to any port, too.
  const isAnyPort = endpoint.port === FTP_PORT && persistence !== undefined;
  const rule = ({ address, port }: Endpoint): [string, DoorEndpoint] =>
    endpointRule(protocol, address, isAnyPort ? ANY_PORT : port);
  const services = new Map([rule(endpoint)]);
  return { ...NOTHING, services, replies: new Map(servers.map(rule)) };
}

/** With persistence a packet keeps the port that it came for: ip_vs_sched_persist(). */
function rulesForMark(
  key: MarkKey,
  isPersistent: boolean,
  servers: readonly Endpoint[],
): NeededRules {
  const replies = servers.flatMap(({ address, port }) =>
    PROTOCOLS.map((protocol) => endpointRule(protocol, address, isPersistent ? ANY_PORT : port)),
  );
  return { ...NOTHING, replies: new Map(replies), marks: markRule(key) };
}

/** The service may have had persistence when the connections began. */
function rulesForMarkedConnections(key: MarkKey, { address, port }: Endpoint): NeededRules {
  const replies = PROTOCOLS.flatMap((protocol) => [
    endpointRule(protocol, address, port),
    endpointRule(protocol, address, ANY_PORT),
  ]);
  return { ...NOTHING, replies: new Map(replies), marks: markRule(key) };
}

type MarkKey = Extract<ServiceKey, { kind: "mark" }>;

function markRule({ family, mark }: MarkKey): Marks {
  return new Map([[`${family} ${mark}`, { family, mark }]]);
}

/** With its text. Port 0 is any. */
function endpointRule(protocol: Protocol, address: Address, port: Port): [string, DoorEndpoint] {
  const taken = port === ANY_PORT ? undefined : port;
  return [`${protocol} ${address} ${taken}`, { protocol, address, port: taken }];
}

function together(rules: readonly NeededRules[]): NeededRules {
  const services = new Map<string, DoorEndpoint>();
  const replies = new Map<string, DoorEndpoint>();
  const marks = new Map<string, DoorMark>();
  const direct = new Map<string, DirectServer>();
  for (const each of rules) {
    for (const [text, server] of each.direct) direct.set(text, server);
    for (const [text, endpoint] of each.services) services.set(text, endpoint);
    for (const [text, endpoint] of each.replies) replies.set(text, endpoint);
    for (const [text, mark] of each.marks) marks.set(text, mark);
  }
  return { services, replies, marks, direct };
}

function filter(one: NeededRules, other: NeededRules, isWanted: boolean): NeededRules {
  const those = <Rule>(
    ours: ReadonlyMap<string, Rule>,
    theirs: ReadonlyMap<string, Rule>,
  ): ReadonlyMap<string, Rule> =>
    new Map([...ours].filter(([text]) => theirs.has(text) === isWanted));
  return {
    marks: those(one.marks, other.marks),
    direct: those(one.direct, other.direct),
    services: those(one.services, other.services),
    replies: those(one.replies, other.replies),
  };
}
