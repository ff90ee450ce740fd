/** Changes that are proposed: nothing is done before somebody has seen what they would do, and says so. */
import { formatEndpointId, formatServiceId } from "../../../src/api/ids.ts";
import type { WireWantedService } from "../../../src/control/wanted-wire.ts";
import type { WireEndpoint, WireForwarding, WireServiceKey } from "../../../src/control/wire.ts";
import { Store } from "../frame/store.ts";

export type Proposal = { readonly service: WireServiceKey } & (
  | { readonly kind: "weight"; readonly destination: WireEndpoint; readonly weight: number }
  | { readonly kind: "remove"; readonly destination: WireEndpoint }
  | {
      readonly kind: "add";
      readonly destination: WireEndpoint;
      readonly weight: number;
      readonly forwarding: WireForwarding;
    }
  | { readonly kind: "scheduler"; readonly scheduler: string }
);

export const draft = new Store<readonly Proposal[]>([]);

/** Takes the place of what was proposed about the same thing before. */
export function stage(proposal: Proposal): void {
  const about = subjectOf(proposal);
  draft.set([...draft.value.filter((each) => subjectOf(each) !== about), proposal]);
}

export function unstage(proposal: Proposal): void {
  draft.set(draft.value.filter((each) => each !== proposal));
}

function subjectOf(proposal: Proposal): string {
  const service = formatServiceId(proposal.service);
  return proposal.kind === "scheduler"
    ? service
    : `${service} ${formatEndpointId(proposal.destination)}`;
}

export function sayProposal(proposal: Proposal): string {
  const service = formatServiceId(proposal.service);
  switch (proposal.kind) {
    case "weight":
      return `${service}: ${formatEndpointId(proposal.destination)} weighs ${proposal.weight}`;
    case "remove":
      return `${service}: ${formatEndpointId(proposal.destination)} goes`;
    case "add":
      return `${service}: ${formatEndpointId(proposal.destination)} comes, weight ${proposal.weight}`;
    case "scheduler":
      return `${service}: scheduler ${proposal.scheduler}`;
  }
}

/** `services` as they are wanted, with the proposals in them. */
export function propose(
  services: readonly WireWantedService[],
  proposals: readonly Proposal[],
): WireWantedService[] {
  return services.map((service) =>
    proposals
      .filter((each) => formatServiceId(each.service) === formatServiceId(service.key))
      .reduce(proposeOne, service),
  );
}

function proposeOne(service: WireWantedService, proposal: Proposal): WireWantedService {
  if (proposal.kind === "scheduler") return { ...service, scheduler: proposal.scheduler };
  const id = formatEndpointId(proposal.destination);
  const isIt = (each: { readonly endpoint: WireEndpoint }): boolean =>
    formatEndpointId(each.endpoint) === id;
  const { destinations } = service;
  switch (proposal.kind) {
    case "weight":
      return {
        ...service,
        destinations: destinations.map((each) =>
          isIt(each) ? { ...each, weight: proposal.weight } : each,
        ),
      };
    case "remove":
      return { ...service, destinations: destinations.filter((each) => !isIt(each)) };
    case "add": {
      const { destination: endpoint, forwarding, weight } = proposal;
      const added = { endpoint, forwarding, weight, upperThreshold: 0, lowerThreshold: 0 };
      return { ...service, destinations: [...destinations.filter((each) => !isIt(each)), added] };
    }
  }
}
