/** What an operator thinks of doing, tried in a copy: weights that a service's servers would have, and servers that would go. */
import { type DesiredState, deleteDestination, editDestination } from "../desired/desired-state.ts";
import { LbError } from "../desired/errors.ts";
import { type Endpoint, formatServiceKey, type ServiceKey } from "../desired/service.ts";
import { ServiceMap } from "../desired/service-map.ts";

export interface WhatIf {
  /** Port 0: whatever its port. */
  readonly server: Endpoint;
  /** Undefined: it is gone. */
  readonly weight: number | undefined;
}

/** Of all services those that a packet to this address, with this mark, may come to, or meets now: others make no difference to it. */
export function narrowed(
  state: DesiredState,
  { to, mark }: { readonly to: Endpoint; readonly mark: number },
  now: DesiredState,
): DesiredState {
  const services = new Map(
    [...state.services].filter(([keyText, { key }]) => {
      if (now.services.has(keyText)) return true;
      return key.kind === "mark" ? key.mark === mark : key.endpoint.address.equals(to.address);
    }),
  );
  return { ...state, services: ServiceMap.of(services) };
}

/** The next state. Throws LbError when the service has no such server. */
export function changedBy(
  state: DesiredState,
  key: ServiceKey,
  changes: readonly WhatIf[],
): DesiredState {
  let next = state;
  for (const { server, weight } of changes) {
    const plan = next.services.get(formatServiceKey(key));
    const meant = (plan?.destinations ?? []).filter(
      ({ endpoint }) =>
        endpoint.address.equals(server.address) &&
        (server.port === 0 || server.port === endpoint.port),
    );
    if (meant.length === 0) {
      throw new LbError({ code: "no-such-destination", service: key, at: server });
    }
    for (const destination of meant) {
      next =
        weight === undefined
          ? deleteDestination(next, key, destination.endpoint)
          : editDestination(next, key, { ...destination, weight });
    }
  }
  return next;
}
