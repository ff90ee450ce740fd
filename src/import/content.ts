/** Virtual servers of other balancers as what a sluice.yaml says. */
import type {
  DestinationContent,
  FileContent,
  HealthContent,
  PoolContent,
  ServiceContent,
} from "../configuration/schema.ts";
import { type CheckFields, checkContents } from "./check-content.ts";
import { CheckNames } from "./check-names.ts";
import type { ImportedServers, RealServer, VirtualServer, VirtualServerKey } from "./model.ts";
import { notifyContent } from "./notify-content.ts";
import type { Notes } from "./told.ts";

export function serversContent(imported: ImportedServers, notes: Notes): FileContent {
  const { virtualServers, timeouts } = imported;
  const unique = withoutRepeated(virtualServers, notes);
  const placed = unique.map((server) => place(server, notes));
  const names = new CheckNames(placed.flatMap(placesOf));
  const pools = new Map<string, PoolContent>();
  const services = placed.flatMap((each) => servicesOf(each, names, pools));
  const checks = names.content();
  const notify = notifyContent(unique, notes);
  return {
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    ...(notify === undefined ? {} : { notify }),
    ...(Object.keys(checks).length === 0 ? {} : { checks: checks as FileContent["checks"] }),
    ...(pools.size === 0 ? {} : { pools: Object.fromEntries(pools) }),
    services,
  };
}

/** A virtual server, with the checks that all of its real servers have, or each its own. */
interface Placed {
  readonly server: VirtualServer;
  readonly shared: readonly CheckFields[] | undefined;
  readonly own: readonly (readonly CheckFields[])[];
}

function place(server: VirtualServer, notes: Notes): Placed {
  const own = server.realServers.map((each) =>
    each.checks.flatMap((check) => checkContents(check, each, server.keys, notes)),
  );
  const [first = [], ...others] = own;
  const isShared = others.every((each) => JSON.stringify(each) === JSON.stringify(first));
  return { server, shared: isShared ? first : undefined, own };
}

function placesOf({ shared, own }: Placed): (readonly CheckFields[])[] {
  return shared === undefined ? [...own] : [shared];
}

/** Two that are for the same packets cannot be both. */
function withoutRepeated(servers: readonly VirtualServer[], notes: Notes): VirtualServer[] {
  const known = new Set<string>();
  return servers.flatMap((server) => {
    const keys = server.keys.filter((key) => {
      const text =
        key.kind === "mark"
          ? `${key.family} ${key.mark}`
          : `${server.protocol} ${key.address} ${key.port}`;
      const isNew = !known.has(text);
      if (!isNew)
        notes.dropped(server.at, server.text, `${text} is there already: the first counts`);
      known.add(text);
      return isNew;
    });
    return keys.length === 0 ? [] : [{ ...server, keys }];
  });
}

function servicesOf(
  { server, shared, own }: Placed,
  names: CheckNames,
  pools: Map<string, PoolContent>,
): ServiceContent[] {
  const checks = shared === undefined ? {} : names.keysFor(shared);
  const defaults = defaultsOf(server.realServers);
  const destinations = server.realServers.map((each, index) => ({
    ...destinationContent(each, server, defaults.forwarding !== undefined),
    ...(shared === undefined ? names.keysFor(own[index]!, true) : {}),
  }));
  const among = { ...(defaults.forwarding === undefined ? {} : { defaults }), ...checks };
  const health = healthContent(server);
  const common = { ...serviceContent(server), ...(health === undefined ? {} : { health }) };
  if (server.keys.length === 1) {
    return [{ ...keyContent(server.keys[0]!, server.protocol), ...common, ...among, destinations }];
  }
  const pool = unusedName(server.name ?? "servers", pools);
  pools.set(pool, { ...among, destinations });
  return server.keys.map((key) => ({ ...keyContent(key, server.protocol), ...common, pool }));
}

function unusedName(name: string, pools: ReadonlyMap<string, PoolContent>): string {
  let [unused, count] = [name, 1];
  while (pools.has(unused)) unused = `${name}-${++count}`;
  return unused;
}

function keyContent(
  key: VirtualServerKey,
  protocol: VirtualServer["protocol"],
): Partial<ServiceContent> {
  if (key.kind === "endpoint") return { protocol, vip: key.address, port: key.port };
  return { mark: key.mark, ...(key.family === "inet" ? {} : { family: key.family }) };
}

function serviceContent(server: VirtualServer): Partial<ServiceContent> {
  const { scheduler, flags, isOnePacket, persistence, persistenceEngine } = server;
  return {
    scheduler,
    ...(flags.length === 0 ? {} : { flags: [...flags] }),
    ...(isOnePacket ? { onePacket: true } : {}),
    ...(persistence === undefined ? {} : { persistence }),
    ...(persistenceEngine === undefined ? {} : { persistenceEngine }),
  };
}

function defaultsOf(servers: readonly RealServer[]): Pick<DestinationContent, "forwarding"> {
  const [first] = servers;
  const text = JSON.stringify(first?.forwarding);
  const isShared = servers.every(({ forwarding }) => JSON.stringify(forwarding) === text);
  return isShared && first !== undefined ? { forwarding: first.forwarding } : {};
}

/** Then it need not be said. */
function isServicePort(port: number, { keys }: VirtualServer): boolean {
  return keys.every((key) => key.kind === "endpoint" && key.port === port);
}

function isInhibited({ realServers }: VirtualServer): boolean {
  return realServers.every((each) => each.isInhibited);
}

function destinationContent(
  server: RealServer,
  service: VirtualServer,
  isForwardingShared: boolean,
): DestinationContent {
  const { address, port, forwarding, weight, upperThreshold, lowerThreshold } = server;
  return {
    address,
    ...(port === undefined || isServicePort(port, service) ? {} : { port }),
    ...(isForwardingShared ? {} : { forwarding }),
    weight,
    ...(upperThreshold === 0 ? {} : { upperThreshold }),
    ...(lowerThreshold === 0 ? {} : { lowerThreshold }),
    ...(server.isInhibited && !isInhibited(service) ? { onFailure: "inhibit" as const } : {}),
  };
}

function healthContent(server: VirtualServer): HealthContent | undefined {
  const { quorum, hysteresis, sorry } = server;
  const health: HealthContent = {
    ...(isInhibited(server) ? { onFailure: "inhibit" } : {}),
    ...(quorum === 1 ? {} : { quorum }),
    ...(hysteresis === 0 ? {} : { hysteresis }),
    ...(sorry === undefined
      ? {}
      : {
          sorry: {
            address: sorry.address,
            ...(sorry.port === undefined ? {} : { port: sorry.port }),
            forwarding: sorry.forwarding,
            ...(sorry.isInhibited ? { standing: true } : {}),
          },
        }),
  };
  return Object.keys(health).length === 0 ? undefined : health;
}
