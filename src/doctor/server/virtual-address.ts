/** Whether the VIP is on a real server, and as it has to be. */
import { commands, type Finding } from "../finding.ts";
import { bitsOf, placesOf } from "../host/interfaces.ts";
import type { ServerFacts } from "./facts.ts";

/** A card that has addresses is meant to be up. */
export function* cardsThatAreDown({ interfaces }: ServerFacts): Generator<Finding> {
  for (const { name, isUp, isLoopback, isTunnel, addresses, mac } of interfaces) {
    if (isUp || isLoopback || isTunnel || mac === undefined || addresses.length === 0) continue;
    yield {
      code: "card-down",
      about: name,
      says: `${name} is down, or its cable has no carrier`,
      evidence: `'ip link show dev ${name}' has no UP, or state DOWN`,
      leadsTo: "nothing comes in or goes out by it, and its routes are gone",
      remedy: commands(`ip link set ${name} up`),
    };
  }
}

export function* virtualAddress({ question, interfaces }: ServerFacts): Generator<Finding> {
  const { vip, forwarding } = question;
  if (forwarding === "masquerade") return;
  const bits = bitsOf(vip.family);
  const [place, ...others] = [...placesOf(interfaces, vip)];
  const tunnel = interfaces.find(({ isTunnel }) => isTunnel)?.name;
  const home = forwarding === "tunnel" && tunnel !== undefined ? tunnel : "lo";
  const add = `ip address add ${vip.toString()}/${bits} dev ${home}${vip.family === "inet6" ? " nodad" : ""}`;
  if (place === undefined) {
    yield {
      code: "vip-missing",
      about: "this host",
      says: `${vip.toString()} is no address of this host`,
      evidence: `'ip address show to ${vip.toString()}' is empty`,
      leadsTo:
        "packets for the service arrive, and are dropped without a word: requests that go to this server hang in SYN_RECV",
      remedy: commands(add),
    };
    return;
  }
  for (const { on, as } of [place, ...others]) {
    const at = `${vip.toString()}/${as.length}`;
    const remove = `ip address del ${at} dev ${on.name}`;
    if (
      !on.isLoopback &&
      !on.isTunnel &&
      on.mac !== undefined &&
      !/^(dummy|nodummy)/.test(on.name)
    ) {
      yield {
        code: "vip-on-card",
        about: on.name,
        says: `${vip.toString()} is on ${on.name}, where neighbours are`,
        evidence: `'ip address show dev ${on.name}' has ${at}`,
        leadsTo:
          "this host says that it has the VIP, also with arp_ignore 1, which answers for addresses of the card that was asked by: clients come here, past the director",
        remedy: commands(remove, add),
      };
    } else if (as.length !== bits && on.isLoopback) {
      yield {
        code: "vip-prefix",
        about: on.name,
        says: `${vip.toString()} is on ${on.name} with /${as.length}, not /${bits}`,
        evidence: `'ip address show dev ${on.name}' has ${at}`,
        leadsTo: `all of ${at} is this host's own: it takes its neighbours' addresses for its own, and does not reach them`,
        remedy: commands(remove, add),
      };
    }
  }
}
