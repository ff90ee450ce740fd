/** The connection table: `ipvsadm -L -c`, in the order in which the engine has it. */
import type { WireConnection } from "../../control/wire.ts";
import type { Protocol } from "../../ipvs/desired/service.ts";
import type { ConnectionListing } from "./command.ts";
import type { PrintEndpoint } from "./printed-names.ts";

const TITLE = "IPVS connection entries\n";

export async function* renderConnections(
  connections: AsyncIterable<WireConnection>,
  { withPersistenceData }: ConnectionListing,
  print: PrintEndpoint,
): AsyncGenerator<string> {
  const columns = ["state".padEnd(11), "source".padEnd(18), "virtual".padEnd(18)];
  const last = withPersistenceData
    ? ["destination".padEnd(18), "pe name".padEnd(16), "pe_data"]
    : ["destination"];
  yield `${TITLE}pro expire ${[...columns, ...last].join(" ")}\n`;
  for await (const connection of connections) {
    yield await renderConnection(connection, withPersistenceData, print);
  }
}

async function renderConnection(
  connection: WireConnection,
  withPersistenceData: boolean,
  print: PrintEndpoint,
): Promise<string> {
  const { protocol, state, persistenceEngine } = connection;
  const service = SERVICE_PROTOCOL[protocol];
  const columns = [
    protocol.padEnd(3),
    formatExpiry(connection.expiresInMs).padEnd(6),
    state.padEnd(11),
    (await print(connection.client, service)).padEnd(18),
    (await print(connection.virtual, service)).padEnd(18),
  ];
  const destination = await print(connection.destination, service);
  if (!withPersistenceData || persistenceEngine === null) {
    return `${[...columns, destination].join(" ")}\n`;
  }
  const { name, data } = persistenceEngine;
  return `${[...columns, destination.padEnd(16), name.padEnd(18), data].join(" ")}\n`;
}

const SERVICE_PROTOCOL: Readonly<Record<WireConnection["protocol"], Protocol | undefined>> = {
  TCP: "tcp",
  UDP: "udp",
  SCTP: "sctp",
  IP: undefined,
};

/** `MM:SS`; there may be more than 99 minutes. */
function formatExpiry(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${String(minutes).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}
