/** `tcpdump`: what passes an interface, a line a frame. */
import type { Tap } from "../../host/host.ts";
import type { NetworkInterface } from "../../host/interface.ts";
import { type Context, waitFor } from "../../shell/program.ts";
import { type Beginnings, frameText, packetText } from "../../text/frame-text.ts";
import type { Work } from "../../time/waiting.ts";
import { readOptions } from "../options.ts";
import { filterOf, seenIn } from "./expression.ts";

/** The simulation begins at noon. */
const BEGIN_MS = 12 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

export function* tcpdump(words: readonly string[], context: Context): Work<number> {
  const { host, out, err, process } = context;
  const { values, operands, fault } = readOptions(words, "nevqltAXSpUi:c:w:s:", {});
  if (fault !== undefined) {
    err.write(`tcpdump: ${fault}\n`);
    return 1;
  }
  const name = values.get("i") ?? "eth0";
  const card = name === "any" ? undefined : host.interface(name);
  if (name !== "any" && card === undefined) {
    err.write(`tcpdump: ${name}: No such device exists\n(No such device exists)\n`);
    return 1;
  }
  const filter = filterOf(operands);
  if (filter === undefined) {
    err.write("tcpdump: can't parse filter expression: syntax error\n");
    return 1;
  }
  const count = Number(values.get("c") ?? Number.POSITIVE_INFINITY);
  if (!values.has("v")) {
    err.write("tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n");
  }
  err.write(
    `${values.has("v") ? "tcpdump: " : ""}listening on ${name}, link-type ${linkType(card)}, snapshot length 262144 bytes\n`,
  );
  const beginnings: Beginnings = new Map();
  let captured = 0;
  const tap: Tap = (on, bytes, direction) => {
    if ((card !== undefined && on !== card) || captured >= count) return;
    const hasLink = on.kind !== "tunnel";
    if (!filter(seenIn(bytes, hasLink))) return;
    captured++;
    const time = values.has("t") ? "" : `${clock(host.agenda.now())} `;
    const where =
      card === undefined ? `${on.name.padEnd(5)} ${direction === "in" ? "In " : "Out"} ` : "";
    const text = hasLink
      ? frameText(bytes, values.has("e"), beginnings)
      : packetText(bytes, beginnings);
    out.write(`${time}${where}${text}\n`);
  };
  process.isListening = true;
  host.taps.add(tap);
  let isEnough = false;
  try {
    isEnough = yield* waitFor(context, { isDone: () => captured >= count });
  } finally {
    host.taps.delete(tap);
    process.isListening = false;
  }
  if (!isEnough) err.write("\n");
  err.write(
    `${plural(captured)} captured\n${plural(captured)} received by filter\n0 packets dropped by kernel\n`,
  );
  return 0;
}

function linkType(card: NetworkInterface | undefined): string {
  if (card === undefined) return "LINUX_SLL2 (Linux cooked v2)";
  return card.kind === "tunnel" ? "RAW (Raw IP)" : "EN10MB (Ethernet)";
}

function plural(count: number): string {
  return `${count} packet${count === 1 ? "" : "s"}`;
}

/** `12:00:01.000250`. */
function clock(timeMs: number): string {
  const microseconds = Math.round(((BEGIN_MS + timeMs) % DAY_MS) * 1_000);
  const part = (unit: number, most: number): string =>
    `${Math.floor(microseconds / unit) % most}`.padStart(2, "0");
  const fraction = `${microseconds % 1_000_000}`.padStart(6, "0");
  return `${part(3_600_000_000, 24)}:${part(60_000_000, 60)}:${part(1_000_000, 60)}.${fraction}`;
}
