/** What a host's tables hold at a moment, as plain data: for who draws it. */

import type { Instant } from "../base/clock.ts";
import type { DirectorSnapshot } from "./director/snapshot.ts";
import type { Host } from "./host/host.ts";
import type { ScopeName } from "./host/interface.ts";

export interface InterfaceSnapshot {
  readonly name: string;
  readonly kind: "loopback" | "ethernet" | "tunnel";
  readonly mac: string;
  readonly mtu: number;
  readonly isUp: boolean;
  readonly addresses: readonly {
    readonly address: string;
    readonly prefixLength: number;
    readonly label: string;
    readonly scope: ScopeName;
  }[];
}

export interface HostSnapshot {
  readonly name: string;
  readonly interfaces: readonly InterfaceSnapshot[];
  readonly neighbours: readonly {
    readonly address: string;
    readonly interface: string;
    readonly mac: string | undefined;
    readonly state: string;
  }[];
  readonly routes: readonly {
    readonly to: string;
    readonly type: string;
    readonly table: string;
    readonly via: string | undefined;
    readonly interface: string;
    readonly source: string | undefined;
  }[];
  readonly sockets: readonly {
    readonly protocol: "tcp" | "udp";
    readonly state: string;
    readonly local: string;
    readonly peer: string;
  }[];
  /** Those that are not what a fresh host has. */
  readonly settings: readonly { readonly path: string; readonly value: string }[];
  /** Undefined where no director is. */
  readonly director: DirectorSnapshot | undefined;
}

export function snapshotOf(host: Host, now: Instant): HostSnapshot {
  const connections = host.tcp.connections.map(({ ends, state }) => ({
    protocol: "tcp" as const,
    state,
    local: `${ends.local}:${ends.localPort}`,
    peer: `${ends.peer}:${ends.peerPort}`,
  }));
  const listeners = [...host.tcp.listeners].map(({ address, port }) => ({
    protocol: "tcp" as const,
    state: "LISTEN",
    local: `${address ?? "*"}:${port}`,
    peer: "*",
  }));
  const datagrams = [...host.udp.sockets].map(({ address, port }) => ({
    protocol: "udp" as const,
    state: "UNCONN",
    local: `${address ?? "*"}:${port}`,
    peer: "*",
  }));
  return {
    name: host.name,
    interfaces: host.interfaces.map(({ name, kind, mac, mtu, isUp, addresses }) => ({
      name,
      kind,
      mac,
      mtu,
      isUp,
      addresses: addresses.map(({ address, prefixLength, label, scope }) => ({
        address: `${address}`,
        prefixLength,
        label,
        scope,
      })),
    })),
    neighbours: host.neighbours.list().map(({ address, interface: card, mac, state }) => ({
      address: `${address}`,
      interface: card.name,
      mac,
      state,
    })),
    routes: host.routes.entries.map(({ prefix, type, table, gateway, source, ...route }) => ({
      to: `${prefix.address}/${prefix.length}`,
      type,
      table,
      via: gateway?.toString(),
      interface: route.interface.name,
      source: source?.toString(),
    })),
    sockets: [...listeners, ...datagrams, ...connections],
    settings: host.settings.changed(),
    director: host.director?.snapshot(now),
  };
}
