/** `arping` of iputils: asks by ARP, announces, looks for duplicates. */
import { Address } from "../../net/address.ts";
import { ARP_OPERATION, type ArpMessage, emitArp } from "../../net/arp.ts";
import { BROADCAST_MAC, type MacAddress } from "../../net/mac-address.ts";
import type { NetworkInterface } from "../host/interface.ts";
import type { IncomingFrame } from "../ip/packets.ts";
import { emitFrame } from "../neighbours/arp.ts";
import { type Context, waitFor } from "../shell/program.ts";
import type { Work } from "../time/waiting.ts";
import { readOptions } from "./options.ts";

const INTERVAL_MS = 1_000;
const WRONG = 2;

interface Plan {
  readonly card: NetworkInterface;
  readonly target: Address;
  readonly source: Address;
  /** "U": requests that announce, "A": replies that do, "D": does another have it? */
  readonly mode: "ask" | "U" | "A" | "D";
  readonly count: number;
  readonly deadlineMs: number;
  readonly staysBroadcast: boolean;
  readonly endsAtFirst: boolean;
  readonly isQuiet: boolean;
}

export function* arping(words: readonly string[], context: Context): Work<number> {
  const plan = planOf(words, context);
  if (typeof plan === "number") return plan;
  const { host, out } = context;
  out.write(`ARPING ${plan.target} from ${plan.source} ${plan.card.name}\n`);
  const seen = { count: 0, to: BROADCAST_MAC as MacAddress, sentAt: 0 };
  const hear = (card: NetworkInterface, message: ArpMessage, frame: IncomingFrame): void => {
    const isAnswer =
      card === plan.card &&
      message.operation === ARP_OPERATION.reply &&
      message.sender.equals(plan.target) &&
      (plan.mode === "D" || message.target.equals(plan.source));
    if (!isAnswer || plan.mode === "U" || plan.mode === "A") return;
    seen.count++;
    if (!plan.staysBroadcast) seen.to = message.senderMac;
    if (plan.isQuiet) return;
    const how = frame.isUnicast ? "Unicast" : "Broadcast";
    const time = (host.agenda.now() - seen.sentAt).toFixed(3);
    out.write(
      `${how} reply from ${message.sender} [${message.senderMac.toUpperCase()}]  ${time}ms\n`,
    );
  };
  host.arp.listeners.add(hear);
  let sent = 0;
  let broadcasts = 0;
  try {
    const endAt = host.agenda.now() + plan.deadlineMs;
    while (sent < plan.count && host.agenda.now() < endAt) {
      const before = seen.count;
      seen.sentAt = host.agenda.now();
      if (seen.to === BROADCAST_MAC) broadcasts++;
      send(plan, seen.to, context);
      sent++;
      // Who answers last is not waited for where somebody has answered and nothing more is to be asked.
      const isLast = sent >= plan.count;
      const isOver = (): boolean =>
        seen.count > before &&
        (plan.endsAtFirst || (isLast && !plan.staysBroadcast) || plan.mode === "D");
      const untilMs = Math.min(endAt, seen.sentAt + INTERVAL_MS);
      const announces = plan.mode === "U" || plan.mode === "A";
      if (announces && isLast) break;
      const goesOn = yield* waitFor(context, { untilMs, isDone: isOver });
      if (!goesOn || isOver()) break;
    }
  } finally {
    host.arp.listeners.delete(hear);
  }
  out.write(
    `Sent ${sent} probes (${broadcasts} broadcast(s))\nReceived ${seen.count} response(s)\n`,
  );
  if (plan.mode === "D") return seen.count > 0 ? 1 : 0;
  return plan.mode !== "ask" || seen.count > 0 ? 0 : 1;
}

function send({ card, target, source, mode }: Plan, to: MacAddress, { host }: Context): undefined {
  const isReply = mode === "A";
  const message = emitArp({
    operation: isReply ? ARP_OPERATION.reply : ARP_OPERATION.request,
    senderMac: card.mac,
    sender: source,
    targetMac: isReply ? card.mac : to,
    target,
  });
  host.sendFrame(card, emitFrame(card.mac, to, message));
}

function planOf(words: readonly string[], { host, err }: Context): Plan | number {
  const { values, operands, fault } = readOptions(words, "bfqUADc:w:I:s:i:0");
  const target = Address.parse(operands[0] ?? "");
  if (fault !== undefined || target === undefined || target.family !== "inet") {
    err.write(
      fault !== undefined
        ? `arping: ${fault}\n`
        : operands[0] === undefined
          ? "arping: usage error: Destination address required\n"
          : `arping: ${operands[0]}: Name or service not known\n`,
    );
    return WRONG;
  }
  const name = values.get("I");
  const way = host.inet.wayOut(target);
  const card =
    name === undefined
      ? typeof way === "string"
        ? undefined
        : way.interface
      : host.interface(name);
  if (card === undefined) {
    err.write(
      name === undefined
        ? "arping: Suitable device could not be determined. Please, use option -I.\n"
        : `arping: Device ${name} not available.\n`,
    );
    return WRONG;
  }
  if (!card.isUp) {
    err.write(`arping: Interface "${card.name}" is down\n`);
    return WRONG;
  }
  if (card.kind !== "ethernet") {
    err.write(`Interface "${card.name}" is not ARPable\n`);
    return WRONG;
  }
  const mode = (["U", "A", "D"] as const).find((each) => values.has(each)) ?? "ask";
  const given = values.get("s");
  const chosen = host.inet.wayOut(target, card);
  const usual =
    mode === "D"
      ? Address.inet(0)
      : mode !== "ask"
        ? target
        : typeof chosen === "string"
          ? card.inet[0]?.address
          : chosen.source;
  const source = given === undefined ? usual : Address.parse(given);
  if (source === undefined) {
    err.write("arping: Cannot assign requested address\n");
    return WRONG;
  }
  if (mode !== "ask" && mode !== "D" && !host.isLocal(source)) {
    err.write("arping: bind: Cannot assign requested address\n");
    return WRONG;
  }
  const number = (letter: string): number => Number(values.get(letter) ?? Number.POSITIVE_INFINITY);
  return {
    card,
    target,
    source,
    mode,
    count: number("c"),
    deadlineMs: number("w") * 1_000,
    staysBroadcast: values.has("b"),
    endsAtFirst: values.has("f"),
    isQuiet: values.has("q"),
  };
}
