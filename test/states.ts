/** Desired states as text, for tests that are about what services do and not about how they are configured. */
import {
  addDestination,
  addService,
  type DesiredState,
  EMPTY_STATE,
} from "../src/ipvs/desired-state.ts";
import type { SchedulerName } from "../src/ipvs/schedulers/index.ts";
import type {
  DestinationPlan,
  Endpoint,
  Forwarding,
  Protocol,
  ServiceKey,
} from "../src/ipvs/service.ts";
import { toPort } from "../src/net/port.ts";
import { address } from "./builders.ts";

/** What a test says of a service; left out: round robin, no persistence, no destinations. */
export interface ServiceFacts {
  readonly scheduler?: SchedulerName;
  readonly persistent?: boolean;
  readonly onePacket?: boolean;
  /** `10.1.0.11:80 route w2`: method and weight as destination() reads them. */
  readonly to?: readonly string[];
}

const METHODS: Readonly<Record<string, Forwarding>> = {
  route: { kind: "route" },
  masquerade: { kind: "masquerade" },
  tunnel: { kind: "tunnel", encapsulation: "ipip" },
};

const ALL_ONES = 0xffff_ffff;

/** Services by their text, `tcp 192.0.2.100:80`, with what a test says of them. */
export function state(services: Readonly<Record<string, ServiceFacts>>): DesiredState {
  return Object.entries(services).reduce(
    (before, [text, { scheduler, persistent, onePacket, to }]) => {
      const key = serviceKey(text);
      const netmask = text.includes("[") ? 128 : ALL_ONES;
      const made = addService(before, {
        key,
        scheduler: scheduler ?? "rr",
        schedulerFlags: 0,
        onePacket: onePacket ?? false,
        persistence: persistent ? { timeoutSeconds: 300, netmask } : undefined,
        persistenceEngine: undefined,
      });
      return (to ?? []).reduce((now, line) => addDestination(now, key, destination(line)), made);
    },
    EMPTY_STATE,
  );
}

/** `udp [2001:db8::100]:53` */
export function serviceKey(text: string): ServiceKey {
  const [protocol, at = ""] = text.split(" ");
  return { kind: "endpoint", protocol: protocol as Protocol, endpoint: endpoint(at) };
}

/** `10.1.0.11:80 masquerade w2`; by default "route" and weight 1. */
export function destination(text: string): Omit<DestinationPlan, "revision"> {
  const [at = "", ...words] = text.split(" ");
  const weight = words.find((word) => /^w\d+$/.test(word)) ?? "w1";
  const method = words.find((word) => Object.hasOwn(METHODS, word)) ?? "route";
  return {
    endpoint: endpoint(at),
    forwarding: METHODS[method]!,
    weight: Number(weight.slice(1)),
    upperThreshold: 0,
    lowerThreshold: 0,
  };
}

function endpoint(text: string): Endpoint {
  const [, bracketed, bare, port] = /^(?:\[(.+)\]|(.+)):(\d+)$/.exec(text) ?? [];
  return { address: address(bracketed ?? bare ?? text), port: toPort(Number(port)) };
}
