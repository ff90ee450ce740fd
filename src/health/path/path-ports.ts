/**
 * Which local ports belong to which path. A reply comes from the VIP, whichever server sent it: only the port that it goes
 * to tells which. And what is sent to a server tells by its port alone which VIP is meant. So paths that have the VIP or
 * the server in common have different ports; all others may have the same.
 */
import { type PathWithPorts, type PortRange, pathName, type VipPath } from "./vip-path.ts";

/**
 * Of each path, taken in turns: what an earlier probe left (a server that never closes its side) is not in the way of the
 * next. Fewer when one VIP has thousands of servers.
 */
const PORTS_EACH = 4;

export interface PortsGiven {
  readonly paths: readonly PathWithPorts[];
  /** For which there was no port left. */
  readonly refused: readonly VipPath[];
}

/** Whoever had ports keeps as many of them as it may have. `isTaken`: others use it on this host. */
export function givePorts(
  wanted: readonly VipPath[],
  before: ReadonlyMap<string, PathWithPorts>,
  range: PortRange,
  isTaken: (port: number) => boolean,
): PortsGiven {
  // An identifier of ICMP and a port do not meet.
  const [pings, others] = [true, false].map((isPing) =>
    givenAmong(
      wanted.filter((path) => (path.isPing === true) === isPing),
      before,
      range,
      isTaken,
    ),
  );
  return {
    paths: [...others!.paths, ...pings!.paths],
    refused: [...others!.refused, ...pings!.refused],
  };
}

function givenAmong(
  wanted: readonly VipPath[],
  before: ReadonlyMap<string, PathWithPorts>,
  range: PortRange,
  isTaken: (port: number) => boolean,
): PortsGiven {
  const ports: number[] = [];
  for (let port = range.first; port <= range.last; port++) if (!isTaken(port)) ports.push(port);
  const once = new Map(wanted.map((path) => [pathName(path), path]));
  const each = portsEach([...once.values()], ports.length);
  const users = new Users(ports);
  const given = new Map<string, number[]>();
  for (const [name, path] of once) {
    const own = before.get(name)?.ports.filter((port) => !isTaken(port)) ?? [];
    given.set(name, users.keep(path, own.slice(0, each)));
  }
  const paths: PathWithPorts[] = [];
  const refused: VipPath[] = [];
  for (const [name, path] of once) {
    const own = given.get(name)!;
    const all = [...own, ...users.take(path, each - own.length)];
    if (all.length === 0) refused.push(path);
    else paths.push({ ...path, ports: all });
  }
  return { paths, refused };
}

/** So many that those with the most in common have enough. */
function portsEach(paths: readonly VipPath[], ports: number): number {
  const most = (of: (path: VipPath) => string): number => {
    const sizes = [...Map.groupBy(paths, of).values()].map(({ length }) => length);
    return sizes.reduce((max, size) => Math.max(max, size), 0);
  };
  const rivals = most(({ vip }) => vip.toString()) + most(({ server }) => server.toString()) - 1;
  return Math.max(1, Math.min(PORTS_EACH, Math.floor(ports / Math.max(1, rivals))));
}

/** Who has which ports already. */
class Users {
  readonly #ports: readonly number[];
  readonly #used = new Map<string, Set<number>>();
  /** Where a VIP's search goes on: what is before was looked at. */
  readonly #next = new Map<string, number>();

  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  keep({ vip, server }: VipPath, ports: readonly number[]): number[] {
    const [ofVip, ofServer] = [this.#usedBy(`vip ${vip}`), this.#usedBy(`server ${server}`)];
    const kept = ports.filter((port) => !ofVip.has(port) && !ofServer.has(port));
    for (const port of kept) {
      ofVip.add(port);
      ofServer.add(port);
    }
    return kept;
  }

  /** So many that are free, or fewer. */
  take(path: VipPath, count: number): number[] {
    const taken: number[] = [];
    const vip = path.vip.toString();
    let at = this.#next.get(vip) ?? 0;
    for (let seen = 0; taken.length < count && seen < this.#ports.length; seen++) {
      taken.push(...this.keep(path, [this.#ports[at]!]));
      at = (at + 1) % this.#ports.length;
    }
    this.#next.set(vip, at);
    return taken;
  }

  #usedBy(user: string): Set<number> {
    let used = this.#used.get(user);
    if (used === undefined) {
      used = new Set();
      this.#used.set(user, used);
    }
    return used;
  }
}
