/** Changes that are proposed: nothing is done before somebody has seen what they would do, and says so. */
import { formatEndpointId, formatServiceId } from "../../../src/api/ids.ts";
import type { WireWantedService } from "../../../src/control/wanted-wire.ts";
import type { WireEndpoint, WireForwarding, WireServiceKey } from "../../../src/control/wire.ts";
import type { Speaker } from "../frame/speaker.ts";
import { Store } from "../frame/store.ts";
import { forwardingName } from "./rows.ts";
import type { Word } from "./vocabulary.ts";

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
  | {
      readonly kind: "service";
      readonly scheduler: string;
      /** Undefined: not persistent. */
      readonly persistentSeconds: number | undefined;
    }
  | { readonly kind: "remove-service" }
);

export const draft = new Store<readonly Proposal[]>([]);

/** Takes the place of what was proposed about the same thing before. */
export function stage(proposal: Proposal): void {
  const about = subjectOf(proposal);
  draft.set([...draft.value.filter((each) => subjectOf(each) !== about), proposal]);
}

export function unstage(proposal: Proposal): void {
  const left = draft.value.filter((each) => each !== proposal);
  // With a new service goes what was to be in it.
  const id = proposal.kind === "service" ? formatServiceId(proposal.service) : undefined;
  draft.set(left.filter((each) => formatServiceId(each.service) !== id));
}

function subjectOf(proposal: Proposal): string {
  const service = formatServiceId(proposal.service);
  if ("destination" in proposal) return `${service} ${formatEndpointId(proposal.destination)}`;
  return proposal.kind === "scheduler" ? `${service} scheduler` : service;
}

export function sayProposal(proposal: Proposal, say: Speaker<Word>): string {
  const service = formatServiceId(proposal.service);
  const server = "destination" in proposal ? formatEndpointId(proposal.destination) : "";
  switch (proposal.kind) {
    case "weight":
      return say("weighs", { service, server, weight: proposal.weight });
    case "remove":
      return say("goes", { service, server });
    case "add": {
      const { weight } = proposal;
      const forwarding = forwardingName(proposal.forwarding);
      return say("comes", { service, server, weight, forwarding });
    }
    case "scheduler":
      return say("schedulerTo", { service, scheduler: proposal.scheduler });
    case "service":
      return say("serviceComes", { service, scheduler: proposal.scheduler });
    case "remove-service":
      return say("serviceGoes", { service });
  }
}

/** `services` as they are wanted, with the proposals in them. */
export function propose(
  services: readonly WireWantedService[],
  proposals: readonly Proposal[],
): WireWantedService[] {
  const idOf = ({ key }: WireWantedService): string => formatServiceId(key);
  const going = new Set(
    proposals.flatMap(({ kind, service }) =>
      kind === "remove-service" ? [formatServiceId(service)] : [],
    ),
  );
  const kept = services.filter((service) => !going.has(idOf(service)));
  const there = new Set(kept.map(idOf));
  // Somebody else may have added it meanwhile: then it stays as it is.
  const added = proposals.flatMap((each) =>
    each.kind === "service" && !there.has(formatServiceId(each.service)) ? [newService(each)] : [],
  );
  return [...kept, ...added].map((service) =>
    proposals
      .filter((each) => formatServiceId(each.service) === idOf(service))
      .reduce(proposeOne, service),
  );
}

type NewService = Extract<Proposal, { kind: "service" }>;

function newService({ service: key, scheduler, persistentSeconds }: NewService): WireWantedService {
  const isInet6 = key.kind === "mark" ? key.family === "inet6" : key.endpoint.address.includes(":");
  const whole = isInet6 ? { prefixLength: 128 } : { netmask: "255.255.255.255" };
  const persistence =
    persistentSeconds === undefined ? null : { timeoutSeconds: persistentSeconds, ...whole };
  return {
    key,
    scheduler,
    schedulerFlags: [],
    onePacket: false,
    persistence,
    persistenceEngine: null,
    destinations: [],
  };
}

function proposeOne(service: WireWantedService, proposal: Proposal): WireWantedService {
  if (proposal.kind === "scheduler") return { ...service, scheduler: proposal.scheduler };
  if (proposal.kind === "service" || proposal.kind === "remove-service") return service;
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
