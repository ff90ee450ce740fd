/** An explanation as a person reads it: a step a paragraph. */
import type { ExplainReply } from "../../api/messages.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";

const PROTOCOLS = new Map<number, string>(
  Object.entries(IP_PROTOCOL).map(([name, number]) => [number, name.toUpperCase()]),
);

export function explainPage(said: ExplainReply): string {
  const steps = [
    packet(said),
    service(said),
    known(said),
    candidates(said),
    choice(said),
    leaves(said),
  ];
  return `${steps.filter((step) => step !== "").join("\n\n")}\n`;
}

function packet({ packet: { source, destination, protocol, mark } }: ExplainReply): string {
  const marked = mark === 0 ? "" : `, with firewall mark ${mark}`;
  return `Packet      ${source} to ${destination}, ${PROTOCOLS.get(protocol) ?? protocol}, the first of a connection${marked}`;
}

function service({ service: found }: ExplainReply): string {
  if (found === undefined) return "Service     none gets it";
  const { name, scheduler, persistence } = found;
  const holds =
    persistence === undefined
      ? "not persistent"
      : `a client stays on its server for ${persistence.timeoutSeconds} s`;
  return `Service     ${name}: scheduler ${scheduler}, ${holds}`;
}

function known({ by, state }: ExplainReply): string {
  const there = state === undefined ? "" : `there is one in state ${state}`;
  switch (by) {
    case "connection":
      return `Connection  ${there}: the packet belongs to it, and no server is chosen`;
    case "template":
      return "Connection  none; the client's template says where to, and no server is chosen";
    default:
      return there === ""
        ? "Connection  none, and no template of the client's counts: a server is chosen"
        : `Connection  ${there}, which is over for a first packet: a server is chosen anew`;
  }
}

function candidates({ candidates: all, choice: chosen }: ExplainReply): string {
  if (all.length === 0) return "";
  const rows = all.map((each) => [
    each.destination === chosen ? "->" : each.mayBeChosen ? "  " : " x",
    each.destination,
    each.forwarding,
    `${each.weight}`,
    `${each.activeConnections}`,
    `${each.inactiveConnections}`,
    each.load === undefined ? "" : `${each.load}/${each.weight}`,
    each.destination === chosen ? "gets it" : each.why,
  ]);
  const head = ["  ", "Server", "Forwarding", "Weight", "Active", "Inactive", "Load", ""];
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function choice({ choice: chosen, reason, means }: ExplainReply): string {
  const outcome = `${means} (${reason})`;
  return chosen === undefined
    ? `Outcome     no server gets it: ${outcome}`
    : `Outcome     ${chosen}: ${outcome}`;
}

function leaves({ sent, packet: came, interface: name }: ExplainReply): string {
  if (sent === undefined) return "";
  const isSame = sent.destination === came.destination && sent.source === came.source;
  const rewritten = isSame
    ? "as it came"
    : `as ${sent.source} to ${sent.destination}${sent.protocol === came.protocol ? "" : ", around the packet as it came"}`;
  return `Leaves      ${rewritten}, ${sent.bytes} bytes, by ${name ?? `interface ${sent.interfaceIndex}`} to ${sent.nextHop}`;
}
