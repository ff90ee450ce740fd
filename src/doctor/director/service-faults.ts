/** What a service's own settings lead to. */
import { advice, commands, type Finding } from "../finding.ts";
import type { DirectorFacts } from "./facts.ts";
import type { ExaminedService } from "./service.ts";

/** Browsers and pools keep connections idle for as long as this, servers too (nginx 75 s, HAProxy 60 s, IIS 120 s). */
const IDLE_S = 120;
const TCP_DEFAULT_S = 900;
/** Fewer may be together by chance. */
const CONNECTIONS_MIN = 4;

export function* serviceFaults(facts: DirectorFacts): Generator<Finding> {
  const { told } = facts;
  for (const service of told.services) {
    yield* withoutServers(service);
    yield* oneClient(facts, service);
  }
  const { timeouts } = told;
  const hasTcp = told.services.some(({ protocol }) => protocol === "tcp");
  if (timeouts !== undefined && hasTcp && timeouts.tcp < IDLE_S) {
    yield {
      code: "timeout-short",
      about: "TCP connections",
      says: `a connection is forgotten when it is idle for ${timeouts.tcp} s`,
      evidence: `'ipvsadm -l --timeout' has ${timeouts.tcp} for TCP; clients and servers keep connections idle for up to ${IDLE_S} s and longer`,
      leadsTo:
        "who goes on after a pause meets a director that knows nothing of it: RST, or a hang behind a firewall",
      remedy: commands(`ipvsadm --set ${TCP_DEFAULT_S} 0 0`),
    };
  }
}

function* withoutServers({ name, servers }: ExaminedService): Generator<Finding> {
  if (servers.some(({ weight }) => weight > 0)) return;
  const leadsTo = "every new request is refused: the port is unreachable";
  yield servers.length === 0
    ? {
        code: "no-servers",
        about: name,
        says: "it has no server",
        evidence: "'ipvsadm -ln' lists none",
        leadsTo,
        remedy: advice("'ipvsadm -a'"),
      }
    : {
        code: "all-weights-0",
        about: name,
        says: "every server has weight 0, which gets no new connections",
        evidence: servers
          .map(({ address, weight }) => `${address.toString()} ${weight}`)
          .join(", "),
        leadsTo,
        remedy: advice(
          "give one of them a weight ('ipvsadm -e ... -w 1'), or end its drain ('sluice undrain')",
        ),
      };
}

/** Persistence is no mistake. That somebody looks at it from one client alone is what makes it look like one. */
function* oneClient(
  { told, interfaces }: DirectorFacts,
  service: ExaminedService,
): Generator<Finding> {
  const { persistenceSeconds, vip, port, servers, name } = service;
  if (persistenceSeconds === undefined || vip === undefined) return;
  if (servers.filter(({ weight }) => weight > 0).length < 2) return;
  const here = interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => `${address}`));
  const own = told.connections.filter(
    ({ virtual, client }) =>
      virtual.address === vip.toString() && virtual.port === port && !here.includes(client.address),
  );
  // A template is kept of each client, with port 0: of those that came before there was persistence there is none.
  const kept = new Set(own.flatMap(({ client }) => (client.port === 0 ? [client.address] : [])));
  const [only] = kept;
  const count = own.filter(({ client }) => client.port !== 0 && client.address === only).length;
  if (only === undefined || kept.size > 1 || count < CONNECTIONS_MIN) return;
  yield {
    code: "one-client",
    about: name,
    says: `it keeps a client on its server for ${persistenceSeconds} s, and there is one client`,
    evidence: `persistent ${persistenceSeconds}; the one template is of ${only}, as ${count} connections are`,
    leadsTo:
      "all requests go to one server, whatever the scheduler: it looks as if nothing were balanced",
    remedy: advice("test from several clients, or without -p"),
  };
}
