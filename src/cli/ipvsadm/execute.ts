/** Carries a command out through the daemon's API. */
import { ApiError, type Client } from "../../api/client.ts";
import type { Info } from "../../api/messages.ts";
import type { Change } from "../../api/routes.ts";
import type { WireServiceStatus } from "../../control/wire.ts";
import { FAULTS, type FaultCode } from "../../ipvs/desired/errors.ts";
import type { Command, TableListing } from "./command.ts";
import { Failure } from "./failure.ts";
import type { Names } from "./naming.ts";
import { endpointPrinter } from "./printed-names.ts";
import { renderConnections } from "./render-connections.ts";
import { renderServices } from "./render-services.ts";
import { renderRules } from "./save.ts";

export interface Session {
  readonly client: Client;
  readonly info: Info;
  readonly names: Names;
  /** Resolves when more may be written. */
  readonly write: (text: string) => Promise<void>;
}

/** Everything but help, version and restore, which need no daemon or many commands. */
export type Executable = Exclude<Command, { kind: "help" | "version" | "restore" }>;

/** Throws Failure when the daemon refuses. */
export async function execute(command: Executable, session: Session): Promise<void> {
  try {
    await give(command, session);
  } catch (error) {
    throw asFailure(error, command);
  }
}

/** Those that change something. */
type Changing = Exclude<
  Executable,
  { kind: `list-${string}` | "start-daemon" | "stop-daemon" | "save" }
>;

export function isChanging(command: Executable): command is Changing {
  const { kind } = command;
  return !(kind.startsWith("list-") || kind.endsWith("-daemon") || kind === "save");
}

export function changeOf(command: Changing): Change {
  switch (command.kind) {
    case "add-service":
      return { name: "addService", params: {}, body: command.service };
    case "edit-service": {
      const params = { service: command.service.key };
      return { name: "editService", params, body: command.service };
    }
    case "delete-service":
      return { name: "deleteService", params: { service: command.service }, body: undefined };
    case "flush":
      return { name: "flush", params: {}, body: undefined };
    case "add-server": {
      const { service, destination } = command;
      return { name: "addDestination", params: { service }, body: destination };
    }
    case "edit-server": {
      const { service, destination } = command;
      const params = { service, destination: destination.endpoint };
      return { name: "editDestination", params, body: destination };
    }
    case "delete-server": {
      const { service, destination } = command;
      return { name: "deleteDestination", params: { service, destination }, body: undefined };
    }
    case "zero":
      return command.service === undefined
        ? { name: "zero", params: {}, body: undefined }
        : { name: "zeroService", params: { service: command.service }, body: undefined };
    case "set":
      return { name: "setTimeouts", params: {}, body: command.timeouts };
  }
}

async function give(command: Executable, session: Session): Promise<unknown> {
  const { client } = session;
  if (isChanging(command)) return client.change(changeOf(command));
  switch (command.kind) {
    case "list-services":
      return listServices(command, session);
    case "list-connections": {
      const print = endpointPrinter(session.names, command.isNumeric);
      return writeAll(renderConnections(client.connections(), command, print), session);
    }
    case "list-timeouts": {
      const { tcp, tcpFin, udp } = await client.call("getTimeouts", {}, undefined);
      return session.write(`Timeout (tcp tcpfin udp): ${tcp} ${tcpFin} ${udp}\n`);
    }
    case "list-daemons":
      // None ever runs.
      return undefined;
    case "start-daemon":
      throw new Failure("Connection synchronisation is not part of Sluice", 255, {
        isFinal: false,
      });
    case "stop-daemon":
      throw new Failure("No daemon is running", 255, { isFinal: false });
    case "save": {
      const { services } = await client.call("listServices", {}, undefined);
      const print = endpointPrinter(session.names, command.isNumeric);
      return writeAll(renderRules(services, print), session);
    }
  }
}

async function listServices(listing: TableListing, session: Session): Promise<void> {
  const services = await servicesFor(listing, session);
  const print = endpointPrinter(session.names, listing.isNumeric);
  await writeAll(renderServices(services, listing, session.info, print), session);
}

async function servicesFor(
  { service }: TableListing,
  { client }: Session,
): Promise<readonly WireServiceStatus[]> {
  if (service !== undefined) return [await client.call("getService", { service }, undefined)];
  const { services } = await client.call("listServices", {}, undefined);
  return services;
}

/** Written together: a line alone would cost a system call. */
const CHUNK_LENGTH = 32 * 1024;

async function writeAll(parts: AsyncIterable<string>, { write }: Session): Promise<void> {
  let text = "";
  for await (const part of parts) {
    text += part;
    if (text.length < CHUNK_LENGTH) continue;
    await write(text);
    text = "";
  }
  if (text !== "") await write(text);
}

/** A refusal in ipvsadm's words. A listing that fails exits with 1 and at once, all else with 255. */
export function asFailure(error: unknown, { kind }: Executable): unknown {
  if (error instanceof Failure) return error;
  const isListing = kind.startsWith("list-");
  if (error instanceof ApiError) {
    const message = Object.hasOwn(FAULTS, error.code)
      ? FAULTS[error.code as FaultCode].ipvsadm
      : error.message;
    return new Failure(message, isListing ? 1 : 255, { isFinal: isListing });
  }
  return error;
}
