/** `ping`, as iputils prints it. */
import { Address } from "../../net/address.ts";
import { emitEcho } from "../../net/icmp.ts";
import { emitEchoV6 } from "../../net/icmpv6.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { readUint16 } from "../../net/words.ts";
import type { NetworkInterface } from "../host/interface.ts";
import type { IcmpNews } from "../ip/icmp.ts";
import type { Context } from "../shell/program.ts";
import { waitFor } from "../shell/program.ts";
import type { Work } from "../time/waiting.ts";
import { addressOf } from "./names.ts";
import { readOptions } from "./options.ts";

const USAGE = `
Usage
  ping [options] <destination>
`;
const SIZE_DEFAULT = 56;
const HEADER_LENGTH = 8;
const HEADERS_LENGTH = { inet: 28, inet6: 48 } as const;
const INTERVAL_MS = 1_000;
/** How long the last answer is waited for where none has come that would tell how long they take. */
const LINGER_MS = 10_000;

interface Plan {
  readonly name: string;
  readonly destination: Address;
  readonly source: Address | undefined;
  readonly via: NetworkInterface | undefined;
  readonly size: number;
  readonly count: number;
  readonly intervalMs: number;
  readonly waitMs: number;
  readonly deadlineMs: number;
  readonly timeToLive: number | undefined;
  readonly dontFragment: boolean;
  readonly isQuiet: boolean;
}

export function* ping(words: readonly string[], context: Context): Work<number> {
  const plan = planOf(words, context);
  if (typeof plan === "number") return plan;
  const { host, out, err } = context;
  const way = host.inet.wayOut(plan.destination, plan.via);
  if (way === "unreachable") {
    err.write("ping: connect: Network is unreachable\n");
    return 2;
  }
  const { destination, size, name } = plan;
  const isInet = destination.family === "inet";
  const from =
    plan.via === undefined && plan.source === undefined
      ? ""
      : ` from ${plan.source ?? (typeof way === "string" ? destination : way.source)} ${plan.via?.name ?? ""}:`;
  out.write(
    isInet
      ? `PING ${name} (${destination})${from.replace(/ :$/, ":").replace(/:$/, " :").replace(" :", ":")} ${size}(${size + HEADERS_LENGTH.inet}) bytes of data.\n`
      : `PING ${name}(${destination})${from} ${size} data bytes\n`,
  );
  const session = new Session(plan, context);
  host.icmp.listeners.add(session.hear);
  try {
    return yield* session.run();
  } finally {
    host.icmp.listeners.delete(session.hear);
  }
}

class Session {
  readonly #plan: Plan;
  readonly #context: Context;
  readonly #identifier: number;
  readonly #sentAt = new Map<number, number>();
  readonly #answered = new Set<number>();
  readonly #times: number[] = [];
  #transmitted = 0;
  #errors = 0;
  #firstAt = 0;
  #lastAt = 0;

  constructor(plan: Plan, context: Context) {
    this.#plan = plan;
    this.#context = context;
    this.#identifier = context.process.id & 0xffff;
  }

  *run(): Work<number> {
    const { count, intervalMs, waitMs, deadlineMs } = this.#plan;
    const { host } = this.#context;
    this.#firstAt = host.agenda.now();
    const endAt = this.#firstAt + deadlineMs;
    let isGoingOn = true;
    while (isGoingOn && this.#transmitted < count) {
      this.#send();
      const untilMs = Math.min(endAt, host.agenda.now() + intervalMs);
      const isLast = this.#transmitted >= count;
      if (isLast) break;
      isGoingOn = yield* waitFor(this.#context, { untilMs });
      if (host.agenda.now() >= endAt) break;
    }
    if (isGoingOn && this.#isWaiting) {
      const untilMs = Math.min(endAt, host.agenda.now() + waitMs);
      yield* waitFor(this.#context, { untilMs, isDone: () => !this.#isWaiting });
    }
    this.#summarize();
    return this.#times.length > 0 ? 0 : 1;
  }

  readonly hear = (news: IcmpNews): void => {
    const { destination } = this.#plan;
    if (news.kind === "echo-reply") {
      if (news.rest >>> 16 !== this.#identifier) return;
      this.#takeReply(news, news.rest & 0xffff);
      return;
    }
    const { about } = news;
    if (about === undefined || !about.destination.equals(destination)) return;
    if (readUint16(about.payload, 4) !== this.#identifier) return;
    this.#errors++;
    const sequence = readUint16(about.payload, 6);
    this.#answered.add(sequence);
    if (this.#plan.isQuiet) return;
    this.#context.out.write(
      `From ${news.from} icmp_seq=${sequence} ${wordsOf(news, destination)}\n`,
    );
  };

  /** Whether an answer may still come to something that was sent. */
  get #isWaiting(): boolean {
    return this.#answered.size < this.#transmitted;
  }

  #send(): undefined {
    const { host, err } = this.#context;
    const { destination, size, source, via, timeToLive, dontFragment } = this.#plan;
    const sequence = ++this.#transmitted;
    const data = Uint8Array.from({ length: size }, (_, index) => index & 0xff);
    this.#lastAt = host.agenda.now();
    this.#sentAt.set(sequence, this.#lastAt);
    const way = host.inet.wayOut(destination, via);
    if (way === "unreachable") {
      err.write("ping: sendmsg: Network is unreachable\n");
      return;
    }
    const mtu = way === "local" ? Number.POSITIVE_INFINITY : way.mtu;
    if (dontFragment && size + HEADERS_LENGTH[destination.family] > mtu) {
      err.write(`ping: local error: message too long, mtu=${mtu}\n`);
      this.#errors++;
      this.#answered.add(sequence);
      return;
    }
    const from = source ?? (way === "local" ? destination : way.source);
    const isInet = destination.family === "inet";
    const addresses = { source: from, destination };
    const message = isInet
      ? emitEcho("request", this.#identifier, sequence, data)
      : emitEchoV6("request", this.#identifier, sequence, data, addresses);
    const protocol = isInet ? IP_PROTOCOL.icmp : IP_PROTOCOL.icmpv6;
    // As iputils: not to be cut on its way, unless it must be here.
    const fits = size + HEADERS_LENGTH[destination.family] <= mtu;
    host.inet.send({ ...addresses, protocol, timeToLive, via, dontFragment: fits }, message);
  }

  #takeReply({ from, timeToLive, data }: IcmpNews, sequence: number): undefined {
    const sentAt = this.#sentAt.get(sequence);
    if (sentAt === undefined) return;
    const time = this.#context.host.agenda.now() - sentAt;
    const isAgain = this.#answered.has(sequence);
    this.#answered.add(sequence);
    if (!isAgain) this.#times.push(time);
    if (this.#plan.isQuiet) return;
    this.#context.out.write(
      `${data.length + HEADER_LENGTH} bytes from ${from}: icmp_seq=${sequence} ttl=${timeToLive} time=${significant(time)} ms${isAgain ? " (DUP!)" : ""}\n`,
    );
  }

  #summarize(): undefined {
    const { out } = this.#context;
    const received = this.#times.length;
    const lost =
      this.#transmitted === 0 ? 0 : ((this.#transmitted - received) * 100) / this.#transmitted;
    const errors = this.#errors > 0 ? `+${this.#errors} errors, ` : "";
    const time = Math.round(this.#lastAt - this.#firstAt);
    out.write(
      `\n--- ${this.#plan.name} ping statistics ---\n${this.#transmitted} packets transmitted, ${received} received, ${errors}${Number(lost.toPrecision(6))}% packet loss, time ${time}ms\n`,
    );
    if (received > 0) out.write(`rtt min/avg/max/mdev = ${spread(this.#times)} ms\n`);
    out.write("\n");
  }
}

function planOf(words: readonly string[], context: Context): Plan | number {
  const { err, host } = context;
  const { values, operands, fault } = readOptions(words, "46nqc:i:W:w:s:I:t:M:");
  const [name] = operands;
  if (fault !== undefined || name === undefined) {
    err.write(
      fault === undefined
        ? "ping: usage error: Destination address required\n"
        : `ping: ${fault}\n${USAGE}`,
    );
    return fault === undefined ? 1 : 2;
  }
  const number = (letter: string, usual: number): number => Number(values.get(letter) ?? usual);
  const wrong = ["c", "i", "W", "w", "s", "t"].find((letter) => !(number(letter, 1) >= 0));
  if (wrong !== undefined) {
    err.write(`ping: invalid argument: '${values.get(wrong)}'\n`);
    return 1;
  }
  const destination = addressOf(name, context);
  if (destination === undefined) {
    err.write(`ping: ${name}: Name or service not known\n`);
    return 2;
  }
  const from = values.get("I");
  const via = from === undefined ? undefined : host.interface(from);
  const source = from === undefined || via !== undefined ? undefined : Address.parse(from);
  if (from !== undefined && via === undefined && source === undefined) {
    err.write(`ping: unknown iface: ${from}\n`);
    return 2;
  }
  if (source !== undefined && !host.isLocal(source)) {
    err.write("ping: bind: Cannot assign requested address\n");
    return 2;
  }
  const second = 1_000;
  return {
    name,
    destination,
    source,
    via,
    size: number("s", SIZE_DEFAULT),
    count: number("c", Number.POSITIVE_INFINITY),
    intervalMs: number("i", INTERVAL_MS / second) * second,
    waitMs: values.has("W") ? number("W", 0) * second : LINGER_MS,
    deadlineMs: number("w", Number.POSITIVE_INFINITY) * second,
    timeToLive: values.has("t") ? number("t", 0) : undefined,
    dontFragment: values.get("M") === "do",
    isQuiet: values.has("q"),
  };
}

function wordsOf({ kind, mtu }: IcmpNews, { family }: Address): string {
  switch (kind) {
    case "port-unreachable":
      return family === "inet"
        ? "Destination Port Unreachable"
        : "Destination unreachable: Port unreachable";
    case "time-exceeded":
      return family === "inet" ? "Time to live exceeded" : "Time exceeded: Hop limit";
    case "too-big":
      return family === "inet"
        ? `Frag needed and DF set (mtu = ${mtu})`
        : `Packet too big: mtu=${mtu}`;
    default:
      return family === "inet"
        ? "Destination Host Unreachable"
        : "Destination unreachable: Address unreachable";
  }
}

/** As iputils shows a time: three digits that count. */
function significant(ms: number): string {
  if (ms >= 99.95) return ms.toFixed(0);
  if (ms >= 9.995) return ms.toFixed(1);
  return ms >= 0.9995 ? ms.toFixed(2) : ms.toFixed(3);
}

function spread(times: readonly number[]): string {
  const average = times.reduce((sum, time) => sum + time, 0) / times.length;
  const square = times.reduce((sum, time) => sum + time * time, 0) / times.length;
  const deviation = Math.sqrt(Math.max(0, square - average * average));
  return [Math.min(...times), average, Math.max(...times), deviation]
    .map((each) => each.toFixed(3))
    .join("/");
}
