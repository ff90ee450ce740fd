/** Which rules the guard needs: for services, for connections, and while one gives way to the other. */
import type { DesiredState } from "../../ipvs/desired-state.ts";
import type { Destination } from "../../ipvs/destination.ts";
import type { Endpoint, ServicePlan } from "../../ipvs/service.ts";
import { ANY_PORT } from "../../net/port.ts";
import type { GuardEndpoint, GuardRules } from "./guard-rules.ts";
import { LANE_EXIT } from "./host-lane.ts";

const FTP_PORT = 21;

/** Before any service: what comes back by the lane is the host's. */
export const BASE_RULES: GuardRules = {
  services: [],
  replies: [],
  exemptInterfaces: [LANE_EXIT],
};

/** What these services need: their own packets, and those of the servers that the host would forward untranslated. */
export function rulesForServices({ services }: DesiredState): GuardRules {
  return collect(
    [...services.values()].map((plan) => {
      const masqueraded = plan.destinations.filter(
        ({ forwarding }) => forwarding.kind === "masquerade",
      );
      return [plan, masqueraded.map(({ endpoint }) => endpoint)] as const;
    }),
  );
}

/** What connections to these need, were they masqueraded: a connection keeps its method, whatever comes after. */
export function rulesForConnectionsTo(destinations: Iterable<Destination>): GuardRules {
  return collect([...destinations].map(({ service, plan }) => [service.plan, [plan.endpoint]]));
}

export function union(one: GuardRules, other: GuardRules): GuardRules {
  return {
    ...BASE_RULES,
    services: [...byText([...one.services, ...other.services]).values()],
    replies: [...byText([...one.replies, ...other.replies]).values()],
  };
}

export function intersection(one: GuardRules, other: GuardRules): GuardRules {
  return {
    ...BASE_RULES,
    services: common(one.services, other.services),
    replies: common(one.replies, other.replies),
  };
}

/** Whether two rules are the same, if one contains the other. */
export function isSameSize(one: GuardRules, other: GuardRules): boolean {
  return (
    one.services.length === other.services.length && one.replies.length === other.replies.length
  );
}

function collect(parts: readonly (readonly [ServicePlan, readonly Endpoint[]])[]): GuardRules {
  const services: GuardEndpoint[] = [];
  const replies: GuardEndpoint[] = [];
  for (const [{ key, persistence }, servers] of parts) {
    // A firewall mark is set by netfilter itself, which this engine cannot see: nothing is taken for it.
    if (key.kind === "mark") continue;
    const { protocol, endpoint } = key;
    // The data connections of a persistent FTP service come to any port, too.
    const isAnyPort = endpoint.port === FTP_PORT && persistence !== undefined;
    const withPort = ({ address, port }: Endpoint): GuardEndpoint => ({
      protocol,
      address,
      port: isAnyPort || port === ANY_PORT ? undefined : port,
    });
    services.push(withPort(endpoint));
    replies.push(...servers.map(withPort));
  }
  return {
    ...BASE_RULES,
    services: [...byText(services).values()],
    replies: [...byText(replies).values()],
  };
}

function common(one: readonly GuardEndpoint[], other: readonly GuardEndpoint[]): GuardEndpoint[] {
  const others = byText(other);
  return one.filter((each) => others.has(textOf(each)));
}

function byText(endpoints: readonly GuardEndpoint[]): Map<string, GuardEndpoint> {
  return new Map(endpoints.map((each) => [textOf(each), each]));
}

function textOf({ protocol, address, port }: GuardEndpoint): string {
  return `${protocol} ${address} ${port}`;
}
