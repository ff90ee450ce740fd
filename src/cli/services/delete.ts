/** `sluice delete`: removes a service, or a server. */

import { formatServiceId } from "../../api/ids.ts";
import type { Change } from "../../api/routes.ts";
import type { WireDestinationStatus, WireServiceStatus } from "../../control/wire.ts";
import { readFlags } from "../arguments.ts";
import { everyServer } from "../every-server.ts";
import { nameOf, pickServers, pickService } from "../pick-servers.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";
import { standing } from "./words.ts";

const HELP = `Usage: sluice delete [--dry-run] [--json] SERVICE|SERVICE/SERVER

Removes a service with its servers, or a server from a service, now: the packets of its connections are dropped from then
on. sluice drain --then remove lets them end first. SERVICE is an id (tcp:10.0.0.1:80, fwmark:7) or a name in the file that
was applied; SERVER an address, with or without its port.

      --dry-run   changes nothing, and prints what would go
      --json      one JSON object: { deleted: [{ what, connections }] }
  -h, --help      this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 it could not be done, 2 wrong arguments.
`;

interface Going {
  readonly what: string;
  readonly connections: number;
  readonly change: Change;
}

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("delete", around, async (client) => {
    const { flags, words } = readFlags(args, ["dry-run", "json"]);
    if (flags.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const [word, ...more] = words;
    if (word === undefined || more.length > 0) {
      throw new UsageError("expected one service, or one server of a service");
    }
    const { services, names } = await standing(client);
    const going = word.includes("/")
      ? pickServers(word, (await everyServer(client)).services, names).map(
          (picked): Going => ({
            what: nameOf(picked),
            connections: connectionsOf([picked.destination]),
            change: {
              name: "deleteDestination",
              params: { service: picked.service.key, destination: picked.destination.endpoint },
              body: undefined,
            },
          }),
        )
      : [serviceGoing(pickService(word, services, names))];
    if (!flags["dry-run"]) {
      const refusals = await client.changes(going.map(({ change }) => change));
      for (const refusal of refusals) if (refusal !== undefined) throw refusal;
    }
    const deleted = going.map(({ what, connections }) => ({ what, connections }));
    if (flags.json) await around.write(`${JSON.stringify({ deleted }, undefined, 2)}\n`);
    else {
      for (const { what, connections } of deleted) {
        const drops = flags["dry-run"] ? "would drop" : "drops";
        const those = `${connections} connection${connections === 1 ? "" : "s"}`;
        await around.write(
          connections === 0 ? `- ${what}\n` : `- ${what}  (${drops} the packets of ${those})\n`,
        );
      }
    }
    return EXIT.done;
  });
}

function serviceGoing({ key, destinations }: WireServiceStatus): Going {
  return {
    what: formatServiceId(key),
    connections: connectionsOf(destinations),
    change: { name: "deleteService", params: { service: key }, body: undefined },
  };
}

function connectionsOf(destinations: readonly WireDestinationStatus[]): number {
  return destinations.reduce(
    (sum, { activeConnections, inactiveConnections }) =>
      sum + activeConnections + inactiveConnections,
    0,
  );
}
