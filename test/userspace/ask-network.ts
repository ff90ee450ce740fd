/**
 * A host's network as Sluice sees it, for tests: runs inside of a network namespace.
 *
 * Each line of its standard input is an address; the answer is a line of JSON. The word "links" is
 * answered by the interfaces, "seek INTERFACE ADDRESS" by a link-layer address when the neighbour is found.
 */
import { createInterface } from "node:readline";
import { HostNetwork } from "../../src/engine/userspace/network/host-network.ts";
import { Address } from "../../src/net/address.ts";

let found = Promise.withResolvers<string>();
const network = await HostNetwork.open({
  onChange: () => {},
  onNeighbour: ({ interfaceIndex, address }) => {
    const neighbour = network.neighbour(interfaceIndex, address);
    if (neighbour) found.resolve(Buffer.from(neighbour.mac).toString("hex"));
  },
  onError: (error) => {
    throw error;
  },
});
say("ready");
for await (const line of createInterface({ input: process.stdin })) say(await answer(line));
network[Symbol.dispose]();

async function answer(line: string): Promise<unknown> {
  const [word, ...rest] = line.split(" ");
  if (word === "links") {
    return [...network.links.values()].map(({ name, isUp, isLoopback, isEthernet, mtu, portOf }) =>
      [name, isUp, isLoopback, isEthernet, mtu, portOf ?? null].join(" "),
    );
  }
  if (word === "seek") {
    found = Promise.withResolvers();
    network.seekNeighbour(indexOf(rest[0]), Address.parse(rest[1] ?? "")!);
    return found.promise;
  }
  const destination = Address.parse(line)!;
  const route = network.route(destination);
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
