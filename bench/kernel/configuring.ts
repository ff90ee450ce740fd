/** Many services put in force at once, and one server's weight changed among them. */
import { KernelFlows } from "../../src/engine/kernel/kernel-flows.ts";
import { type DesiredState, EMPTY_STATE } from "../../src/ipvs/desired/desired-state.ts";
import { Director } from "../../src/ipvs/director.ts";
import { Address } from "../../src/net/address.ts";
import { median } from "../median.ts";
import { hostFor } from "./flows.ts";
import { withServers } from "./openings.ts";

const ROUNDS = 5;
const CHANGES = 51;
const SERVICES = 1_000;
const SERVERS = 10;
const LIMIT = 65_536;
const FIRST_SERVICE = 0x0a03_0000;

export interface ConfiguringFigures {
  readonly applyMs: number;
  readonly changeMs: number;
}

/** Medians. */
export function measureConfiguring(): ConfiguringFigures {
  const state = manyServices();
  const applied: number[] = [];
  const changed: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    using flows = new KernelFlows({ connectionsMax: LIMIT, opensOnWire: true });
    const host = hostFor(Address.inet(FIRST_SERVICE));
    const director = new Director({ host, limit: LIMIT, hashKey: [1, 2], offload: flows });
    applied.push(timeOf(() => director.apply(state)));
    for (let change = 0; change < CHANGES; change++) {
      const next = withWeight(state, (change * 7) % SERVICES, 2 + change);
      changed.push(timeOf(() => director.apply(next)));
      director.apply(state);
    }
  }
  return { applyMs: median(applied), changeMs: median(changed) };
}

function manyServices(): DesiredState {
  let state = EMPTY_STATE;
  for (let index = 0; index < SERVICES; index++) {
    const service = Address.inet(FIRST_SERVICE + index);
    state = withServers(state, { service, port: 80 }, "wlc", SERVERS);
  }
  return state;
}

/** The first server of a service has another weight. */
function withWeight(state: DesiredState, index: number, weight: number): DesiredState {
  const services = new Map(state.services);
  const [name, service] = [...services][index]!;
  const [first, ...others] = service.destinations;
  services.set(name, { ...service, destinations: [{ ...first!, weight }, ...others] });
  return { ...state, services };
}

function timeOf(action: () => void): number {
  const begun = performance.now();
  action();
  return performance.now() - begun;
}
