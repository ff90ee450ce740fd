/** Whether the director reaches its servers, and they answer. */
import { advice, commands, type Finding } from "../finding.ts";
import type { DirectorFacts, ServerSeen } from "./facts.ts";

export function* serverFaults({ servers, isForwarding }: DirectorFacts): Generator<Finding> {
  const notForwarding = new Set<string>();
  for (const seen of servers) {
    const { server } = seen;
    const { family } = server.address;
    if (server.forwarding.kind === "masquerade" && !isForwarding[family]) notForwarding.add(family);
    yield* faultsOf(seen);
  }
  for (const family of notForwarding) {
    const knob = family === "inet" ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
    yield {
      code: "not-forwarding",
      about: `${family === "inet" ? "IPv4" : "IPv6"} services with -m`,
      says: "this host does not forward packets",
      evidence: `${knob}=0`,
      leadsTo: "requests reach the servers, and what they answer goes no further than here",
      remedy: commands(`sysctl -w ${knob}=1`),
    };
  }
}

function* faultsOf({
  service,
  server,
  route,
  hasNeighbour,
  answer,
}: ServerSeen): Generator<Finding> {
  const address = server.address.toString();
  const about = `${service.name} -> ${address}`;
  const { vip } = service;
  if (route.kind === "none") {
    yield {
      code: "no-route",
      about,
      says: `no route leads to ${address}`,
      evidence: `'ip route get ${address}' finds none`,
      leadsTo: "requests for this server are dropped",
      remedy: advice("add a route to it"),
    };
    return;
  }
  if (route.kind === "local") return;
  if (server.forwarding.kind === "route" && route.hasGateway) {
    yield {
      code: "not-on-link",
      about,
      says: `${address} is behind the router ${route.nextHop.toString()}, where direct routing does not reach`,
      evidence: `'ip route get ${address}' has via ${route.nextHop.toString()}`,
      leadsTo: `packets, still for ${String(vip)}, go to the router's MAC address, and it sends them back or drops them`,
      remedy: advice("use tunnels (-i), or give the server an address on this host's own wire"),
    };
    return;
  }
  if (hasNeighbour === false) {
    const who = route.hasGateway ? `the gateway ${route.nextHop.toString()}` : address;
    yield {
      code: "neighbour-silent",
      about,
      says: `${who} does not answer on ${route.interfaceName}`,
      evidence: `asked twice who has ${route.nextHop.toString()}: nobody`,
      leadsTo: "requests for this server are dropped, and clients hang",
      remedy: advice("see that it is up, and on that wire"),
    };
    return;
  }
  // With weight 0 it is asked not to serve.
  if (answer === undefined || answer === "open" || server.weight === 0) return;
  const at = server.forwarding.kind === "masquerade" ? `${address}:${server.port}` : service.name;
  const look =
    server.forwarding.kind === "masquerade"
      ? `on ${address}: 'sluice doctor --server ${String(vip)}:${server.port} --nat'`
      : `on ${address}: 'sluice doctor --server ${String(vip)}:${service.port}${server.forwarding.kind === "tunnel" ? " --tunnel" : ""}'`;
  if (answer === "refused") {
    yield {
      code: "server-refuses",
      about,
      says: `${address} refuses connections to ${at}`,
      evidence: "a SYN that went the way of clients' packets was answered by RST",
      leadsTo: "requests that go to this server are refused",
      remedy: advice(look),
    };
  } else {
    yield {
      code: "server-silent",
      about,
      says: `${address} does not answer for ${at}, though it is on the wire`,
      evidence: "two SYNs that went the way of clients' packets were not answered",
      leadsTo: "requests that go to this server hang in SYN_RECV",
      remedy: advice(look),
    };
  }
}
