/** `ipvsadm` on a simulated host: its own words, carried out on the director that stands there. */

import type { Command } from "../../cli/ipvsadm/command.ts";
import { complain, Failure } from "../../cli/ipvsadm/failure.ts";
import { informationFor } from "../../cli/ipvsadm/information.ts";
import type { Names } from "../../cli/ipvsadm/naming.ts";
import { parse } from "../../cli/ipvsadm/parse.ts";
import { endpointPrinter } from "../../cli/ipvsadm/printed-names.ts";
import { renderConnections } from "../../cli/ipvsadm/render-connections.ts";
import { renderServices } from "../../cli/ipvsadm/render-services.ts";
import { renderRules } from "../../cli/ipvsadm/save.ts";
import {
  connectionToWire,
  destinationFromWire,
  keyFromWire,
  serviceFromWire,
  statusToWire,
  type WireConnection,
  type WireEndpoint,
  type WireServiceKey,
  type WireServiceStatus,
} from "../../control/wire.ts";
import type { HashKey } from "../../ipvs/connections/flow-hash.ts";
import {
  addDestination,
  addService,
  type DesiredState,
  deleteDestination,
  deleteService,
  editDestination,
  editService,
  flush,
  setTimeouts,
} from "../../ipvs/desired/desired-state.ts";
import { FAULTS, LbError } from "../../ipvs/desired/errors.ts";
import { formatServiceKey } from "../../ipvs/desired/service.ts";
import { connectionStatuses, serviceStatus } from "../../ipvs/status.ts";
import { Address } from "../../net/address.ts";
import { toPort } from "../../net/port.ts";
import type { Standing } from "../../simnet/director/standing.ts";
import type { Host } from "../../simnet/host/host.ts";
import type { Context, Program } from "../../simnet/shell/program.ts";
import { settled, type Work } from "../../simnet/time/waiting.ts";
import { directorOn } from "./director.ts";

const CONNECTIONS_MAX = 1_000_000;
const HEADING = { ipvsVersion: "1.2.1", connectionTableSize: 4096 } as const;
const PORTS: Readonly<Record<string, number>> = { domain: 53, http: 80, https: 443, ssh: 22 };

/** There is no DNS: numbers are as good as names. */
const NAMES: Names = {
  addressOf: async () => undefined,
  hostOf: async () => undefined,
  portOf: (service) => PORTS[service],
  serviceOf: (port) => Object.keys(PORTS).find((name) => PORTS[name] === port),
};

/** `hashKeyOf`: for the director that stands on a host as soon as ipvsadm is called there. */
export function ipvsadm(hashKeyOf: (host: Host) => HashKey): Program {
  return (words, context) => perform(words, context, hashKeyOf);
}

function* perform(
  words: readonly string[],
  context: Context,
  hashKeyOf: (host: Host) => HashKey,
): Work<number> {
  const { out, err } = context;
  const information = informationFor(words);
  if (information !== undefined) {
    out.write(information);
    return 0;
  }
  const standing = directorOn(context.host, hashKeyOf);
  standing.catchUp();
  try {
    out.write(yield* settled(obey(words, standing, context)));
    return 0;
  } catch (error) {
    return complain(error, (text) => err.write(text));
  }
}

async function obey(
  words: readonly string[],
  standing: Standing,
  context: Context,
): Promise<string> {
  const command = await parse(words, NAMES);
  try {
    return await carryOut(command, standing, context);
  } catch (error) {
    if (!(error instanceof LbError)) throw error;
    const isListing = command.kind.startsWith("list-");
    const { ipvsadm: message } = FAULTS[error.fault.code];
    throw new Failure(message, isListing ? 1 : 255, { isFinal: isListing });
  }
}

async function carryOut(command: Command, standing: Standing, { host }: Context): Promise<string> {
  switch (command.kind) {
    case "help":
    case "version":
    case "list-daemons":
      return "";
    case "list-services": {
      const services = servicesFor(command.service, standing);
      const print = endpointPrinter(NAMES, command.isNumeric);
      return together(renderServices(services, command, HEADING, print));
    }
    case "list-connections": {
      const print = endpointPrinter(NAMES, command.isNumeric);
      const now = host.agenda.now();
      const { statuses } = connectionStatuses(
        standing.director.connections,
        now,
        -1,
        CONNECTIONS_MAX,
      );
      return together(renderConnections(each(statuses.map(connectionToWire)), command, print));
    }
    case "list-timeouts": {
      const { tcp, tcpFin, udp } = standing.desired.timeouts;
      return `Timeout (tcp tcpfin udp): ${tcp} ${tcpFin} ${udp}\n`;
    }
    case "save": {
      const print = endpointPrinter(NAMES, command.isNumeric);
      return together(renderRules(servicesFor(undefined, standing), print));
    }
    case "zero":
      standing.director.zero(command.service && keyFromWire(command.service));
      return "";
    case "restore":
      throw new Failure("Nothing can be restored here", 255, { isFinal: true });
    case "start-daemon":
      throw new Failure("Connection synchronisation is not part of Sluice", 255, {
        isFinal: false,
      });
    case "stop-daemon":
      throw new Failure("No daemon is running", 255, { isFinal: false });
    default: {
      const next = change(standing.desired, command);
      standing.apply(next);
      host.tellChange("services", words(command));
      return "";
    }
  }
}

type Changing = Extract<
  Command,
  {
    kind:
      | "add-service"
      | "edit-service"
      | "delete-service"
      | "flush"
      | "add-server"
      | "edit-server"
      | "delete-server"
      | "set";
  }
>;

function change(state: DesiredState, command: Changing): DesiredState {
  switch (command.kind) {
    case "add-service":
      return addService(state, serviceFromWire(command.service));
    case "edit-service":
      return editService(state, serviceFromWire(command.service));
    case "delete-service":
      return deleteService(state, keyFromWire(command.service));
    case "flush":
      return flush(state);
    case "add-server":
      return addDestination(
        state,
        keyFromWire(command.service),
        destinationFromWire(command.destination),
      );
    case "edit-server":
      return editDestination(
        state,
        keyFromWire(command.service),
        destinationFromWire(command.destination),
      );
    case "delete-server":
      return deleteDestination(
        state,
        keyFromWire(command.service),
        endpointOf(command.destination),
      );
    case "set":
      return setTimeouts(state, command.timeouts);
  }
}

function words(command: Changing): string {
  if (command.kind === "flush" || command.kind === "set") return command.kind;
  const { service } = command;
  return `${command.kind} ${formatServiceKey(keyFromWire("key" in service ? service.key : service))}`;
}

function endpointOf({ address, port }: WireEndpoint) {
  return { address: Address.parse(address)!, port: toPort(port) };
}

function servicesFor(
  wanted: WireServiceKey | undefined,
  { director }: Standing,
): readonly WireServiceStatus[] {
  const all = [...director.services.services()];
  if (wanted === undefined) return all.map((service) => statusToWire(serviceStatus(service)));
  const key = keyFromWire(wanted);
  const found = all.find(({ keyText }) => keyText === formatServiceKey(key));
  if (found === undefined) throw new LbError({ code: "no-such-service", service: key });
  return [statusToWire(serviceStatus(found))];
}

async function* each(all: readonly WireConnection[]): AsyncGenerator<WireConnection> {
  yield* all;
}

async function together(parts: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const part of parts) text += part;
  return text;
}
