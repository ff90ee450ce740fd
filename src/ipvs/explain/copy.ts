/**
 * A director beside the one at work, in which a packet may be tried: the services that it may come to as they stand, with
 * their schedulers' state and their destinations' load, and the connections and templates that it may meet. What becomes of
 * the packet there is what would become of it, and nobody's connection is touched.
 *
 * Not carried over is what a defence against attacks draws lots by, and what room a full table has.
 */
import type { Instant } from "../../base/clock.ts";
import { type ConnectionTable, NO_CONNECTION } from "../connections/connection-table.ts";
import { Binding, Flow } from "../connections/flow.ts";
import { type DesiredState, EMPTY_STATE } from "../desired/desired-state.ts";
import type { ServicePlan } from "../desired/service.ts";
import { ServiceMap } from "../desired/service-map.ts";
import { Director } from "../director.ts";
import type { Host } from "../host.ts";
import type { Packet } from "../packets/packet.ts";
import type { Destination } from "../services/destination.ts";
import type { VirtualService } from "../services/virtual-service.ts";
import { answeredFlow, flowOf } from "../tracking/ends-of.ts";
import { Templates } from "../tracking/persistence.ts";

/** More than one packet needs. */
const ROOM = 64;

export interface Met {
  /** The connection whose packet it is, in the copy; or NO_CONNECTION. */
  readonly connection: number;
  /** Its client's template for the service, in the copy; or NO_CONNECTION. */
  readonly template: number;
}

export interface DirectorCopy extends Met {
  readonly director: Director;
  /** The service that would be asked for a new connection; undefined when there is none. */
  readonly service: VirtualService | undefined;
  /** What the copy follows. */
  readonly state: DesiredState;
}

/** `host` is asked as the director at work asks it, but must not count the question as a packet. */
export function copyFor(live: Director, packet: Packet, host: Host, now: Instant): DirectorCopy {
  const { services, connections } = live;
  const service = services.find(packet);
  const found = meet(live, packet, service, now);
  const ids = withControls(connections.table, Object.values(found));
  const wanted = new Set(
    ids.map((id) => services.destination(connections.table.destinationId(id))),
  );

  const copy = new Director({ host, limit: ROOM, hashKey: [1, 2] });
  const plans = plansOf(service, wanted);
  const state = stateOf(live, plans.now);
  copy.apply(stateOf(live, plans.withRemoved));
  const counterpart = counterparts(live, copy, wanted);
  const copied = new Map(ids.map((id) => [id, copyRecord(live, copy, id, counterpart, now)]));
  for (const id of ids) {
    const control = copied.get(connections.table.control(id));
    if (control !== undefined) copy.connections.table.setControl(copied.get(id)!, control);
  }
  copy.apply(state);
  const shown = service === undefined ? undefined : copy.services.get(service.keyText);
  for (const each of copy.services.services()) {
    const original = services.get(each.keyText)!;
    for (const destination of original.destinations) counterpart(destination).loadAs(destination);
    each.scheduleAs(original, counterpart);
  }
  const idIn = (id: number): number => copied.get(id) ?? NO_CONNECTION;
  return {
    director: copy,
    service: shown,
    state,
    connection: idIn(found.connection),
    template: idIn(found.template),
  };
}

/** What of the table the packet may meet. */
function meet(
  { connections, services }: Director,
  packet: Packet,
  service: VirtualService | undefined,
  now: Instant,
): Met & { readonly answered: number } {
  const { table } = connections;
  const known = (id: number): number => {
    if (id === NO_CONNECTION || !services.destination(table.destinationId(id)).isGone) return id;
    return NO_CONNECTION;
  };
  const templates = new Templates(table);
  const persistence = service?.plan.persistence;
  const isTemplated =
    service !== undefined &&
    persistence !== undefined &&
    templates.identify(packet, packet, service);
  return {
    connection: known(table.findByClient(flowOf(new Flow(), packet), now)),
    answered: known(table.findByReply(answeredFlow(new Flow(), packet), now)),
    template: isTemplated ? templates.find(packet, service, persistence, now) : NO_CONNECTION,
  };
}

/** These, and what controls them; controls come first. */
function withControls(table: ConnectionTable, ids: readonly number[]): readonly number[] {
  const all = new Set<number>();
  const add = (id: number): void => {
    if (id === NO_CONNECTION || all.has(id)) return;
    add(table.control(id));
    all.add(id);
  };
  for (const id of ids) add(id);
  return [...all];
}

/**
 * The services' plans: as they are, and before that with those destinations that were removed and still have connections.
 */
function plansOf(
  service: VirtualService | undefined,
  wanted: ReadonlySet<Destination>,
): Readonly<Record<"now" | "withRemoved", ReadonlyMap<string, ServicePlan>>> {
  const now = new Map<string, ServicePlan>();
  const withRemoved = new Map<string, ServicePlan>();
  const add = ({ keyText, plan }: VirtualService): void => {
    now.set(keyText, plan);
    if (!withRemoved.has(keyText)) withRemoved.set(keyText, plan);
  };
  if (service !== undefined) add(service);
  for (const destination of wanted) {
    if (destination.isBypass || destination.isOrphan) continue;
    const { service: its, plan } = destination;
    if (destination.isAvailable) {
      add(its);
      continue;
    }
    const known = withRemoved.get(its.keyText) ?? its.plan;
    withRemoved.set(its.keyText, { ...known, destinations: [...known.destinations, plan] });
  }
  return { now, withRemoved };
}

function stateOf(
  { connections, sysctls }: Director,
  plans: ReadonlyMap<string, ServicePlan>,
): DesiredState {
  const services = ServiceMap.of(plans);
  return { ...EMPTY_STATE, services, timeouts: connections.progress.timeouts, sysctls };
}

/** Each destination's in the copy; of those that only a scheduler remembers, one that is made for it. */
function counterparts(
  live: Director,
  copy: Director,
  wanted: ReadonlySet<Destination>,
): (of: Destination) => Destination {
  const known = new Map<Destination, Destination>();
  let shadows = 0;
  return (of) => {
    const before = known.get(of);
    if (before !== undefined) return before;
    const found = find(of);
    known.set(of, found);
    return found;
  };

  function find(of: Destination): Destination {
    if (of === live.services.bypass[4]) return copy.services.bypass[4];
    if (of === live.services.bypass[6]) return copy.services.bypass[6];
    // Of removed ones those are there that connections go to; another may have its key, that was added since.
    const same = of.isAvailable || wanted.has(of) ? copy.services.byKey().get(of.key) : undefined;
    if (same !== undefined) return same;
    const { address } = of;
    const removed = copy.services.orphan({ key: --shadows, address });
    removed.plan = of.plan;
    removed.loadAs(of);
    return removed;
  }
}

function copyRecord(
  live: Director,
  copy: Director,
  id: number,
  counterpart: (of: Destination) => Destination,
  now: Instant,
): number {
  const { table } = live.connections;
  const destination = counterpart(live.services.destination(table.destinationId(id)));
  const flow = flowFrom(table, id);
  const binding = bindingFrom(table, id);
  binding.destinationId = destination.id;
  const to = copy.connections.table;
  const copied = to.add(flow, binding, now, table.timeoutMs(id));
  to.setState(copied, table.state(id));
  to.setInPackets(copied, table.inPackets(id));
  copy.connections.enterCopy(copied, destination);
  return copied;
}

function flowFrom(table: ConnectionTable, id: number): Flow {
  const flow = new Flow();
  flow.family = table.family(id);
  flow.protocol = table.protocol(id);
  flow.client0 = table.client(id, 0);
  flow.client1 = table.client(id, 1);
  flow.client2 = table.client(id, 2);
  flow.client3 = table.client(id, 3);
  flow.clientPort = table.clientPort(id);
  flow.virtual0 = table.virtual(id, 0);
  flow.virtual1 = table.virtual(id, 1);
  flow.virtual2 = table.virtual(id, 2);
  flow.virtual3 = table.virtual(id, 3);
  flow.virtualPort = table.virtualPort(id);
  const data = table.data(id) ?? "";
  flow.dataBytes = Uint8Array.from(data, (character) => character.charCodeAt(0));
  flow.dataLength = data.length;
  return flow;
}

function bindingFrom(table: ConnectionTable, id: number): Binding {
  const binding = new Binding();
  binding.family = table.destinationFamily(id);
  binding.destination0 = table.destination(id, 0);
  binding.destination1 = table.destination(id, 1);
  binding.destination2 = table.destination(id, 2);
  binding.destination3 = table.destination(id, 3);
  binding.destinationPort = table.destinationPort(id);
  binding.destinationKey = table.destinationKey(id);
  binding.flags = table.flags(id);
  binding.mark = table.mark(id);
  return binding;
}
