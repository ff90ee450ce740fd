/** `sluice undrain`: gives servers new connections again. */
import { FLAG, readArguments } from "../arguments.ts";
import { everyServer } from "../every-server.ts";
import { serviceNames } from "../names.ts";
import { nameOf, pickServers } from "../pick-servers.ts";
import { type Around, ask, EXIT, type ExitCode, UsageError } from "../question.ts";
import { processSurroundings } from "../surroundings.ts";

const HELP = `Usage: sluice undrain [--json] SERVER|SERVICE/SERVER

Takes a drain back: the server gets new connections again, with the weight that it had, or that a file has given it since.
SERVER and SERVICE are as with sluice drain.

      --json   one JSON object: { undrained: [{ service, destination, weight }] }
  -h, --help   this

Finds the daemon by $SLUICE_SOCKET, else at /run/sluice/sluice.sock.

Exit status: 0 done, 1 it could not be done, 2 wrong arguments.
`;

export function main(args: readonly string[]): Promise<ExitCode> {
  return run(args, processSurroundings());
}

export function run(args: readonly string[], around: Around): Promise<ExitCode> {
  return ask("undrain", around, async (client) => {
    const { values, positionals } = readArguments(args, { json: FLAG });
    if (values.help) {
      await around.write(HELP);
      return EXIT.done;
    }
    const [word, ...more] = positionals;
    if (word === undefined || more.length > 0) throw new UsageError("expected one server");
    const { services } = await everyServer(client);
    const all = pickServers(word, services, await serviceNames(client));
    const picked = all.filter(({ destination }) => destination.drain !== undefined);
    if (picked.length === 0) {
      around.complain(`sluice undrain: ${word} is not drained\n`);
      return EXIT.failed;
    }
    const changes = picked.map(({ service, destination }) => ({
      name: "undrain" as const,
      params: { service: service.key, destination: destination.endpoint },
      body: undefined,
    }));
    for (const refusal of await client.changes(changes)) if (refusal !== undefined) throw refusal;
    const undrained = picked.map((each) => {
      const [service, destination] = nameOf(each).split(" -> ");
      return { service, destination, weight: each.destination.drain!.weight };
    });
    if (values.json) await around.write(`${JSON.stringify({ undrained }, undefined, 2)}\n`);
    else {
      for (const { service, destination, weight } of undrained) {
        await around.write(`${service} -> ${destination}: weight ${weight} again\n`);
      }
    }
    return EXIT.done;
  });
}
