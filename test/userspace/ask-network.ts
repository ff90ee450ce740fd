/**
 * A host's network as Sluice sees it, for tests: runs inside of a network namespace.
 *
 * Each line of its standard input is a destination, "DESTINATION from SOURCE" or "DESTINATION from SOURCE mark MARK"; the
 * answer is a line of JSON. "links" is answered by the interfaces, "seek INTERFACE ADDRESS" by a link-layer address when
 * the neighbour is found, "same DESTINATION DESTINATION" by whether both go the same way, "tell ADDRESS COUNT" by how
 * many ICMP errors may go there at once.
 */
import { createInterface } from "node:readline";
import { HostNetwork } from "../../src/engine/host/host-network.ts";
import { Address } from "../../src/net/address.ts";

const told: string[] = [];
let found = Promise.withResolvers<string>();
const network = await HostNetwork.open({
  onChange: () => {},
  onNeighbour: ({ interfaceIndex, address }) => {
    const neighbour = network.neighbour(interfaceIndex, address);
    if (neighbour) found.resolve(Buffer.from(neighbour.mac).toString("hex"));
  },
  onError: (error) => told.push(error instanceof Error ? error.message : String(error)),
});
say("ready");
for await (const line of createInterface({ input: process.stdin })) say(await answer(line));
network[Symbol.dispose]();

async function answer(line: string): Promise<unknown> {
  const [word, ...rest] = line.split(" ");
  if (word === "links") {
    return [...network.links.values()].map(({ name, isUp, isLoopback, header, mtu, portOf }) =>
      [name, isUp, isLoopback, header, mtu, portOf ?? null].join(" "),
    );
  }
  if (word === "seek") {
    found = Promise.withResolvers();
    const address = Address.parse(rest[1] ?? "")!;
    if (network.seekNeighbour(indexOf(rest[0]), address)) return found.promise;
    return { counted: network.troubles(), told };
  }
  if (word === "same") {
    const [one, other] = rest.map((text) => network.route(Address.parse(text)!));
    return one === other;
  }
  if (word === "tell") {
    const recipient = Address.parse(rest[0] ?? "")!;
    const asked = Array.from({ length: Number(rest[1]) }, () =>
      network.mayTell(recipient, "port-unreachable"),
    );
    return asked.filter((allowed) => allowed).length;
  }
  const destination = Address.parse(word ?? "")!;
  const [, source, , mark = "0"] = rest;
  const route =
    source === undefined
      ? network.route(destination)
      : network.routeFrom(Address.parse(source)!, destination, Number(mark));
  if (typeof route === "string") return route;
  const name = network.links.get(route.interfaceIndex)?.name;
  return `${route.nextHop.toString()} by ${name} from ${route.source.toString()} mtu ${route.mtu}`;
}

function indexOf(name: string | undefined): number {
  return [...network.links.values()].find((link) => link.name === name)?.index ?? 0;
}

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
