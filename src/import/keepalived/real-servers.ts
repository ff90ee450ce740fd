/** keepalived's real_server blocks. */
import type { ForwardingContent } from "../../configuration/schema.ts";
import { Address } from "../../net/address.ts";
import type { RealServer, VirtualServerKey } from "../model.ts";
import type { Notes } from "../told.ts";
import { checkDefaultsOf, readChecker } from "./checkers.ts";
import { REAL_SERVER, type VirtualServerValues } from "./keys.ts";
import type { Mailing } from "./mail.ts";
import { type ReadBlock, readBlock } from "./read-keys.ts";
import { scriptsOf } from "./scripts.ts";
import type { Statement } from "./statements.ts";
import { integerIn } from "./values.ts";

/** With the port that the statement has: only masquerading changes a packet's, but checks go there. */
export interface ReadServer extends RealServer {
  readonly servesPort: number | undefined;
}

interface Context {
  readonly trackFiles: ReadonlyMap<string, string>;
  readonly mailing: Mailing;
  readonly notes: Notes;
}

export const NO_MAIL =
  "no mail is sent: notification_email and smtp_server are not both in global_defs";

export function isTunnel(forwarding: ForwardingContent): boolean {
  return forwarding === "tunnel" || typeof forwarding === "object";
}

/** Each of them once. */
export function readRealServers(
  { values, blocks }: ReadBlock<VirtualServerValues>,
  method: ForwardingContent,
  context: Context,
): readonly ReadServer[] {
  const servers = new Map<string, ReadServer>();
  for (const statement of blocks) {
    const server = readRealServer(statement, values, method, context);
    if (server === undefined) continue;
    const key = `${server.address} ${server.servesPort}`;
    if (servers.has(key)) {
      context.notes.dropped(statement.at, statement.text, "it is there already");
    } else servers.set(key, server);
  }
  return [...servers.values()];
}

function readRealServer(
  { at, text, words: [, addressWord = "nothing", portWord], block }: Statement,
  above: Partial<VirtualServerValues>,
  method: ForwardingContent,
  { trackFiles, mailing, notes }: Context,
): ReadServer | undefined {
  const address = Address.parse(addressWord)?.toString();
  const port = portWord === undefined ? undefined : integerIn(portWord, 0, 0xffff);
  if (address === undefined || (port !== undefined && "why" in port)) {
    const why =
      port !== undefined && "why" in port
        ? `port: ${port.why}`
        : `expected an IPv4 or IPv6 address, got ${addressWord}`;
    notes.dropped(at, text, why);
    return undefined;
  }
  const read = readBlock(block ?? [], REAL_SERVER, notes);
  const { values, blocks } = read;
  const inherited = {
    checks: { ...checkDefaultsOf(above), ...checkDefaultsOf(values) },
    virtualHost: values.virtualHost ?? above.virtualHost,
    trackFiles,
  };
  if (mailing.mail === undefined && values.isMailed === true) {
    notes.note(read.places.isMailed!, "smtp_alert", NO_MAIL);
  }
  const forwarding = values.method ?? method;
  const servesPort = port?.value as number | undefined;
  return {
    at,
    text,
    address,
    port: forwarding === "masquerade" ? servesPort : undefined,
    servesPort,
    forwarding,
    weight: values.weight ?? above.weight ?? 1,
    upperThreshold: values.upperThreshold ?? 0,
    lowerThreshold: values.lowerThreshold ?? 0,
    isInhibited: values.isInhibited ?? above.isInhibited ?? false,
    // Not as its virtual server's: check_data.c.
    isMailed: values.isMailed ?? mailing.tellsServers,
    scripts: scriptsOf(read, { up: "notifyUp", down: "notifyDown" }),
    checks: blocks.flatMap((checker) => readChecker(checker, inherited, notes)),
  };
}

/** As it is with these keys: where packets keep their port, only checks go to the one that it was said to have. */
export function servingAt(
  { servesPort, ...server }: ReadServer,
  keys: readonly VirtualServerKey[],
  notes: Notes,
): RealServer {
  const isOwn = servesPort !== undefined && server.forwarding !== "masquerade";
  const differs = keys.some((key) => key.kind === "mark" || key.port !== servesPort);
  if (!isOwn || !differs) return server;
  if (keys.some((key) => key.kind === "endpoint" && key.port !== servesPort)) {
    const why = "only NAT changes a packet's port: this one is where checks go";
    notes.note(server.at, server.text, why);
  }
  const checks = server.checks.map((check) => ({
    ...check,
    connection: { ...check.connection, port: check.connection.port ?? servesPort },
  }));
  return { ...server, checks };
}
