/** Whether anybody on a real server hears what is sent to it. */
import { advice, type Finding } from "../finding.ts";
import { formatListener, hears } from "../host/sockets.ts";
import type { ServerFacts } from "./facts.ts";

const NAMED_MAX = 8;
/** What nearly every host has, and no service is meant by. */
const SSH = 22;

export function* listening({ question, listeners, interfaces }: ServerFacts): Generator<Finding> {
  const { vip, port, protocol, forwarding } = question;
  if (port === undefined) return;
  const own = interfaces.flatMap(({ addresses, isLoopback }) =>
    isLoopback ? [] : addresses.map(({ address }) => address),
  );
  // With NAT what arrives is for one of the host's own addresses; which one the director knows.
  const heard =
    forwarding === "masquerade"
      ? own.some((address) => listeners.some((one) => hears(one, address, port)))
      : listeners.some((one) => hears(one, vip, port));
  if (heard) return;
  const about = `${protocol.toUpperCase()} ${vip.toString()}:${port}`;
  const elsewhere = listeners.filter((one) => one.port === port);
  if (elsewhere.length > 0) {
    yield {
      code: "not-at-vip",
      about,
      says: `port ${port} is open, but not at ${vip.toString()}`,
      evidence: `listening: ${elsewhere.map(formatListener).join(", ")}`,
      leadsTo:
        "packets for the VIP are refused (RST), though the server answers at its own address",
      remedy: advice(`have the program listen at ${vip.toString()}, or at all addresses`),
    };
    return;
  }
  const others = listeners.filter(
    ({ address, port: other }) =>
      other !== SSH && !(address?.toString().startsWith("127.") ?? false),
  );
  const named = others.slice(0, NAMED_MAX).map(formatListener).join(", ");
  const evidence = others.length === 0 ? "nothing listens" : `listening: ${named}`;
  const canChange = forwarding === "masquerade";
  yield {
    code: "no-listener",
    about,
    says: `nobody listens at port ${port}`,
    evidence,
    leadsTo: "requests that go to this server are refused (RST)",
    remedy: advice(
      others.length > 0 && !canChange
        ? `start the program at port ${port}: direct routing and tunnels change no port, whatever port was given with 'ipvsadm -a ... -r SERVER:PORT'`
        : "start the program",
    ),
  };
}
