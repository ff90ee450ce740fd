/** What is wrong with a real server, from what is known of it: pure. */
import type { Finding } from "../finding.ts";
import { advice } from "../finding.ts";
import { isAboutInvalid, mayMeet } from "../host/firewall.ts";
import { hiddenFromArp } from "./arp.ts";
import type { ServerFacts } from "./facts.ts";
import { listening } from "./listening.ts";
import { tunnelEnds } from "./tunnel-ends.ts";
import { cardsThatAreDown, virtualAddress } from "./virtual-address.ts";
import { bypasses, gatewayFaults } from "./ways.ts";

export function* diagnose(facts: ServerFacts): Generator<Finding> {
  yield* cardsThatAreDown(facts);
  yield* virtualAddress(facts);
  yield* hiddenFromArp(facts);
  yield* listening(facts);
  yield* gatewayFaults(facts);
  yield* bypasses(facts);
  yield* tunnelEnds(facts);
  yield* forwardsAgain(facts);
  yield* filtered(facts);
}

function* forwardsAgain({ services, interfaces }: ServerFacts): Generator<Finding> {
  for (const { name, servers } of services) {
    const others = servers.filter(
      (server) =>
        !interfaces.some(({ addresses }) =>
          addresses.some(({ address }) => address.equals(server)),
        ),
    );
    if (others.length === 0) continue;
    yield {
      code: "forwards-again",
      about: name,
      says: "this real server is a director for the same service, and sends what comes on to others",
      evidence: `its own IPVS has ${name} with ${others.map(String).join(", ")}`,
      leadsTo:
        "what the active director sends here is balanced once more instead of answered, in circles where both have each other",
      remedy: advice(
        "a standby director has no services until it takes over ('ipvsadm -C' here), or only those whose packets it tells from the active one's by a firewall mark",
      ),
    };
  }
}

function* filtered({ firewall, question }: ServerFacts): Generator<Finding> {
  const { vip, port, protocol, forwarding } = question;
  if (port === undefined || forwarding === "masquerade") return;
  for (const rule of firewall) {
    if (rule.effect !== "drop" || (rule.packets ?? 0) === 0 || isAboutInvalid(rule)) continue;
    if (rule.hook !== "input" && rule.hook !== "prerouting") continue;
    if (!mayMeet(rule, protocol, vip, port)) continue;
    yield {
      code: "filtered",
      about: `${protocol.toUpperCase()} ${vip.toString()}:${port}`,
      says: "a firewall rule of this host drops packets as the service's are",
      evidence: `${rule.text}: ${rule.packets} packets`,
      leadsTo: "requests that go to this server hang",
      remedy:
        rule.removal === undefined
          ? advice("let the service's packets pass before it")
          : { kind: "commands", lines: [rule.removal] },
    };
  }
}
