/**
 * Brings drains to their end: when a server's last connection has ended, or its time is over, the connections that remain
 * are ended if that was asked for, and the server goes or stays.
 *
 * Which servers are drained stands in the desired state, so that a daemon which starts anew goes on with it; the end of
 * their time is counted by a clock that nobody sets.
 */

import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import { type DrainedServer, drainedOf, endDrain } from "../ipvs/desired/drain.ts";
import { formatEndpoint, formatServiceKey } from "../ipvs/desired/service.ts";
import { serviceChanges } from "../ipvs/desired/service-changes.ts";
import { ServiceMap } from "../ipvs/desired/service-map.ts";
import type { ConnectionFilter } from "../ipvs/inquiry/filter.ts";
import { ownDoing } from "./author.ts";
import type { Control } from "./control.ts";

const INTERVAL_MS = 1_000;
const MILLISECONDS = 1_000;

/** A drain has ended, because its last connection did or its time was over. */
export interface EndedDrain {
  readonly server: DrainedServer;
  /** Connections that were left. */
  readonly connections: number;
}

export interface DrainWatchOptions {
  readonly onEnd: (ended: EndedDrain) => void;
  readonly onError: (error: unknown) => void;
  readonly intervalMs?: number;
}

interface Watched {
  readonly server: DrainedServer;
  /** By performance.now(). */
  readonly endsAt: number;
}

export class DrainWatch implements Disposable {
  readonly #control: Control;
  readonly #options: DrainWatchOptions;
  readonly #subscription: Disposable;
  #services: DesiredState["services"] = ServiceMap.of(new Map());
  /** By service, then by server. */
  readonly #watched = new Map<string, Map<string, Watched>>();
  #timer: NodeJS.Timeout | undefined;
  #isOpen = true;

  constructor(control: Control, options: DrainWatchOptions) {
    this.#control = control;
    this.#options = options;
    this.#follow(control.state);
    this.#subscription = control.onChange((state) => this.#follow(state));
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    this.#subscription[Symbol.dispose]();
    clearTimeout(this.#timer);
  }

  #follow(state: DesiredState): void {
    for (const { keyText, after } of serviceChanges(this.#services, state.services)) {
      const before = this.#watched.get(keyText);
      this.#watched.delete(keyText);
      if (after === undefined) continue;
      const servers = new Map<string, Watched>();
      for (const server of drainedOf(after)) {
        if (server.destination.drain.isOver) continue;
        const at = formatEndpoint(server.destination.endpoint);
        servers.set(at, watched(server, before?.get(at)));
      }
      if (servers.size > 0) this.#watched.set(keyText, servers);
    }
    this.#services = state.services;
    if (this.#watched.size > 0) this.#lookLater();
  }

  #lookLater(): void {
    if (!this.#isOpen || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#look(), this.#options.intervalMs ?? INTERVAL_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      await this.#endDue();
    } catch (error) {
      if (this.#isOpen) this.#options.onError(error);
    }
    this.#timer = undefined;
    if (this.#watched.size > 0) this.#lookLater();
  }

  async #endDue(): Promise<void> {
    const counts = new Map<string, number>();
    for (const { plan, destinations } of await this.#control.engine.services()) {
      const keyText = formatServiceKey(plan.key);
      if (!this.#watched.has(keyText)) continue;
      for (const { plan: server, activeConnections, inactiveConnections } of destinations) {
        const at = `${keyText} ${formatEndpoint(server.endpoint)}`;
        counts.set(at, activeConnections + inactiveConnections);
      }
    }
    const all = [...this.#watched.values()].flatMap((servers) => [...servers.values()]);
    for (const { server, endsAt } of all) {
      const { service, destination } = server;
      const at = `${formatServiceKey(service)} ${formatEndpoint(destination.endpoint)}`;
      const connections = counts.get(at) ?? 0;
      if (!this.#isOpen || (connections > 0 && performance.now() < endsAt)) continue;
      await this.#end(server, connections);
    }
  }

  async #end(server: DrainedServer, connections: number): Promise<void> {
    const { isForced } = server.destination.drain;
    if (isForced && connections > 0) {
      for await (const _ of this.#control.engine.endConnections(connectionsOf(server)));
    }
    await this.#control.change((state) => endDrain(state, server), ownDoing("the end of a drain"));
    this.#options.onEnd({ server, connections });
  }
}

/** Those that a drain waits for. */
export function connectionsOf({ service, destination }: DrainedServer): ConnectionFilter {
  const { address, port } = destination.endpoint;
  // Of one for every port, each connection has its own.
  const serverPort = port === 0 ? undefined : port;
  return { service, server: address, serverPort, isTemplate: false };
}

function watched(server: DrainedServer, before: Watched | undefined): Watched {
  const { since, timeoutSeconds } = server.destination.drain;
  if (before?.server.destination.drain.since === since) return { ...before, server };
  if (timeoutSeconds === undefined) return { server, endsAt: Number.POSITIVE_INFINITY };
  const whole = timeoutSeconds * MILLISECONDS;
  const left = Math.min(Math.max(since + whole - Date.now(), 0), whole);
  return { server, endsAt: performance.now() + left };
}
