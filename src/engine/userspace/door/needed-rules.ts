/** What the door must take: for services, and for connections. */

import type {
  DestinationPlan,
  Endpoint,
  Protocol,
  ServiceKey,
  ServicePlan,
} from "../../../ipvs/desired/service.ts";
import type { Destination } from "../../../ipvs/services/destination.ts";
import type { Address } from "../../../net/address.ts";
import { ANY_PORT } from "../../../net/port.ts";
import type { DoorEndpoint, DoorMark, DoorRules } from "./door-rules.ts";

const FTP_PORT = 21;

/** One thing that the door must take. */
export type NeededRule =
  | { readonly kind: "service" | "reply"; readonly endpoint: DoorEndpoint }
  | { readonly kind: "mark"; readonly mark: DoorMark }
  /** A service with a server that gets its packets without NAT: matters where that is the host itself. */
  | { readonly kind: "direct"; readonly endpoint: DoorEndpoint; readonly server: Address };

/** By their text, so that what several need is one. */
export type NeededRules = ReadonlyMap<string, NeededRule>;

type Entry = [text: string, rule: NeededRule];

/** What a mark may stand for. */
const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp"];

/** A plan never changes: what it needs is found out once. */
const knownOfServices = new WeakMap<ServicePlan, NeededRules>();
const knownOfConnections = new WeakMap<ServicePlan, WeakMap<DestinationPlan, NeededRules>>();

/** As the door takes them; each with whether its server is the host itself. */
export function doorRules(rules: Iterable<{ rule: NeededRule; isLocal: boolean }>): DoorRules {
  const services: DoorEndpoint[] = [];
  const replies: DoorEndpoint[] = [];
  const marks: DoorMark[] = [];
  const local: NeededRule[] = [];
  for (const { rule, isLocal } of rules) {
    if (rule.kind === "service") services.push(rule.endpoint);
    if (rule.kind === "reply") replies.push(rule.endpoint);
    if (rule.kind === "mark") marks.push(rule.mark);
    if (isLocal) local.push(rule);
  }
  return { services, replies, marks, ...localRules(local) };
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

/** What a service needs: its own packets, and those of the servers that the host would forward untranslated. */
export function rulesForService(plan: ServicePlan): NeededRules {
  let rules = knownOfServices.get(plan);
  if (rules === undefined) {
    const masqueraded = plan.destinations.filter(
      ({ forwarding }) => forwarding.kind === "masquerade",
    );
    const servers = masqueraded.map(({ endpoint }) => endpoint);
    rules = new Map([...rulesFor(plan, servers), ...directServers(plan)]);
    knownOfServices.set(plan, rules);
  }
  return rules;
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
        : rulesFor(service.plan, [plan.endpoint]),
    );
    known.set(plan, rules);
  }
  return rules;
}

function directServers({ key, destinations }: ServicePlan): Entry[] {
  if (key.kind === "mark" || key.protocol !== "tcp") return [];
  const endpoint = doorEndpoint(key.protocol, key.endpoint);
  const direct = destinations.filter(({ forwarding }) => forwarding.kind !== "masquerade");
  return direct.map(({ endpoint: { address: server } }) => [
    `direct ${textOf(endpoint)} to ${server}`,
    { kind: "direct", endpoint, server },
  ]);
}

function rulesFor(plan: ServicePlan, servers: readonly Endpoint[]): Entry[] {
  const { key, persistence } = plan;
  if (key.kind === "mark") return rulesForMark(key, persistence !== undefined, servers);
  const { protocol, endpoint } = key;
  // The data connections of a persistent FTP service come to any port, too.
  const isAnyPort = endpoint.port === FTP_PORT && persistence !== undefined;
  const taken = ({ address, port }: Endpoint): Endpoint => ({
    address,
    port: isAnyPort ? ANY_PORT : port,
  });
  return [
    endpointRule("service", protocol, taken(endpoint)),
    ...servers.map((server) => endpointRule("reply", protocol, taken(server))),
  ];
}

/** With persistence a packet keeps the port that it came for: ip_vs_sched_persist(). */
function rulesForMark(key: MarkKey, isPersistent: boolean, servers: readonly Endpoint[]): Entry[] {
  const replies = servers.flatMap(({ address, port }) =>
    repliesFor({ address, port: isPersistent ? ANY_PORT : port }),
  );
  return [...replies, markRule(key)];
}

/** The service may have had persistence when the connections began. */
function rulesForMarkedConnections(key: MarkKey, server: Endpoint): Entry[] {
  return [...repliesFor(server), ...repliesFor({ ...server, port: ANY_PORT }), markRule(key)];
}

function repliesFor(server: Endpoint): Entry[] {
  return PROTOCOLS.map((protocol) => endpointRule("reply", protocol, server));
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
