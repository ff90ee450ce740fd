/** What would become of a client's first packet: asked in a copy of the director (ipvs/explain/). */
import { withPauses } from "../base/pauses.ts";
import type { Control } from "../control/control.ts";
import {
  QUESTION_SCHEMA,
  QUESTION_WITH_SERVICE_SCHEMA,
  type Question,
} from "../control/wire-schema.ts";
import { explainReason } from "../engine/reason-words.ts";
import type { DesiredState } from "../ipvs/desired/desired-state.ts";
import { LbError } from "../ipvs/desired/errors.ts";
import type { Endpoint, Protocol, ServiceKey } from "../ipvs/desired/service.ts";
import { formatServiceKey } from "../ipvs/desired/service.ts";
import { reconciling } from "../ipvs/desired/wanted.ts";
import { changedBy, narrowed } from "../ipvs/explain/what-if.ts";
import { Address } from "../net/address.ts";
import type { Port } from "../net/port.ts";
import { readLine, readWantedAfter } from "./configuration.ts";
import type { ExplainReply } from "./messages.ts";
import { BadRequest } from "./problem.ts";
import { readAs, readService } from "./reading.ts";

/** Where a client's packet comes from if nobody says: one of Linux' own (net.ipv4.ip_local_port_range). */
const CLIENT_PORT = 40_000;

/** As now, or with what single changes the question names. */
export function explainTo(control: Control, key: ServiceKey, body: unknown): Promise<ExplainReply> {
  return answer(control, key, readAs(QUESTION_SCHEMA, body), undefined);
}

/** As if what the lines of `request` want were in force: the question, then the settings, then a service a line. */
export async function explainWith(control: Control, request: Request): Promise<ExplainReply> {
  const { first: question, wanted } = await readWantedAfter(request, (line) =>
    readLine(QUESTION_WITH_SERVICE_SCHEMA, line, 1),
  );
  const key = readService(question.service);
  const after = await withPauses(reconciling(control.state, wanted, Date.now()));
  return answer(control, key, question, after);
}

async function answer(
  control: Control,
  key: ServiceKey,
  question: Question,
  wanted: DesiredState | undefined,
): Promise<ExplainReply> {
  const { engine } = control;
  if (engine.explain === undefined) {
    throw new BadRequest(`The engine ${engine.name} cannot tell what would become of a packet`);
  }
  if (!(wanted ?? control.state).services.has(formatServiceKey(key))) {
    throw new LbError({ code: "no-such-service", service: key });
  }
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
  const packet = { protocol, client, to, mark };
  const after = wanted && control.wouldBe(wanted);
  const { interfaceName, ...explanation } = await engine.explain(
    packet,
    after === undefined && changes.length === 0
      ? undefined
      : (now) => changedBy(after === undefined ? now : narrowed(after, packet, now), key, changes),
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
