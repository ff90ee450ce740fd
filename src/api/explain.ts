/** What would become of a client's first packet: asked in a copy of the director (ipvs/explain/). */
import type { Control } from "../control/control.ts";
import { QUESTION_SCHEMA } from "../control/wire-schema.ts";
import { explainReason } from "../engine/reason-words.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import type { Endpoint, Protocol, ServiceKey } from "../ipvs/desired/service.ts";
import { formatServiceKey } from "../ipvs/desired/service.ts";
import { changedBy } from "../ipvs/explain/what-if.ts";
import { Address } from "../net/address.ts";
import type { Port } from "../net/port.ts";
import type { ExplainReply } from "./messages.ts";
import { BadRequest } from "./problem.ts";
import { readAs } from "./reading.ts";

/** Where a client's packet comes from if nobody says: one of Linux' own (net.ipv4.ip_local_port_range). */
const CLIENT_PORT = 40_000;

export async function explainTo(
  control: Control,
  key: ServiceKey,
  body: unknown,
): Promise<ExplainReply> {
  const { engine, state } = control;
  if (engine.explain === undefined) {
    throw new BadRequest(`The engine ${engine.name} cannot tell what would become of a packet`);
  }
  if (!state.services.has(formatServiceKey(key))) {
    throw new LbError({ code: "no-such-service", service: key });
  }
  const question = readAs(QUESTION_SCHEMA, body);
  const given = endpointFrom(question.client);
  const client = { ...given, port: given.port === 0 ? (CLIENT_PORT as Port) : given.port };
  const asked = question.to === null ? undefined : endpointFrom(question.to);
  const { to, protocol } = aimOf(key, asked, question.protocol);
  if (client.address.family !== to.address.family) {
    throw new BadRequest(
      `A client ${client.address} cannot send to ${to.address}: they are of different families`,
    );
  }
  const mark = key.kind === "mark" ? key.mark : 0;
  const changes = question.whatIf.map(({ server, weight }) => ({
    server: endpointFrom(server),
    weight: weight ?? undefined,
  }));
  const { interfaceName, ...explanation } = await engine.explain(
    { protocol, client, to, mark },
    changes.length === 0 ? undefined : (now) => changedBy(now, key, changes),
  );
  return {
    ...explanation,
    means: explainReason(explanation.reason),
    interface: interfaceName ?? null,
  };
}

/** Where the packet goes to, and as what. */
function aimOf(
  key: ServiceKey,
  asked: Endpoint | undefined,
  protocol: Protocol | null,
): { readonly to: Endpoint; readonly protocol: Protocol } {
  if (key.kind === "mark") {
    if (asked !== undefined && asked.port !== 0) return { to: asked, protocol: protocol ?? "tcp" };
    throw new BadRequest(
      "A firewall mark's packets go to any address: say which and to which port, as 192.0.2.1:80",
    );
  }
  const { address, port } = key.endpoint;
  const to = { address, port: port === 0 ? (asked?.port ?? port) : port };
  if (to.port !== 0) return { to, protocol: key.protocol };
  throw new BadRequest(`The service is for any port: say which, as ${address}:80`);
}

function endpointFrom({
  address,
  port,
}: {
  readonly address: string;
  readonly port: number;
}): Endpoint {
  return { address: Address.parse(address)!, port: port as Port };
}
