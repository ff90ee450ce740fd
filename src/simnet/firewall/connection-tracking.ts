/** Connections as the packet filter sees them, of TCP: enough to tell who saw one half alone. nf_conntrack_proto_tcp.c. */
import type { Clock } from "../../base/clock.ts";
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { PortsView } from "../../net/ports.ts";
import { TCP_FLAG, TcpView } from "../../net/tcp.ts";
import type { Datagram } from "../ip/datagram.ts";

export type TrackedState = "NEW" | "ESTABLISHED" | "RELATED" | "INVALID";

interface Tracked {
  /** From whom the first packet was. */
  readonly opener: string;
  /** The other side has spoken. */
  isAnswered: boolean;
  seenAtMs: number;
}

const KEPT_MS = 300_000;
/** Half open ones: nf_conntrack_tcp_timeout_syn_sent. */
const OPENING_MS = 120_000;

export class ConnectionTracking {
  /** Once a rule asks for it. */
  isOn = false;
  readonly #clock: Clock;
  readonly #isLoose: () => boolean;
  readonly #known = new Map<string, Tracked>();
  /** What was found of the packet that was seen last. */
  #last: { readonly packet: string; readonly state: TrackedState } | undefined;

  constructor(clock: Clock, isLoose: () => boolean) {
    this.#clock = clock;
    this.#isLoose = isLoose;
  }

  see(packet: Datagram): undefined {
    this.#last = { packet: textOf(packet), state: this.#advance(packet) };
  }

  stateOf(packet: Datagram): TrackedState {
    const text = textOf(packet);
    return this.#last?.packet === text ? this.#last.state : this.#advance(packet);
  }

  #advance(packet: Datagram): TrackedState {
    const { source, destination, protocol, payload } = packet;
    const ports = PortsView.over(payload);
    if (typeof ports === "string") return "NEW";
    const from = `${source}:${ports.source}`;
    const to = `${destination}:${ports.destination}`;
    const key = `${protocol} ${[from, to].toSorted().join(" ")}`;
    const now = this.#clock.now();
    const found = this.#known.get(key);
    const lasts = found?.isAnswered === true ? KEPT_MS : OPENING_MS;
    const known = found !== undefined && now - found.seenAtMs <= lasts ? found : undefined;
    const tcp = protocol === IP_PROTOCOL.tcp ? TcpView.over(payload) : undefined;
    const flags = tcp === undefined || typeof tcp === "string" ? TCP_FLAG.syn : tcp.flags;
    const isOpening = (flags & (TCP_FLAG.syn | TCP_FLAG.ack)) === TCP_FLAG.syn;
    if (known === undefined) {
      const mayBegin = isOpening || (this.#isLoose() && (flags & TCP_FLAG.ack) !== 0);
      if (!mayBegin) return "INVALID";
      this.#known.set(key, { opener: from, isAnswered: !isOpening, seenAtMs: now });
      return "NEW";
    }
    const isReply = known.opener !== from;
    if (isReply) known.isAnswered = true;
    // An acknowledgement of what the other side never said: TCP's table has "invalid" there.
    else if (tcp !== undefined && !known.isAnswered && !isOpening) return "INVALID";
    known.seenAtMs = now;
    return known.isAnswered ? "ESTABLISHED" : "NEW";
  }
}

function textOf({ bytes }: Datagram): string {
  return `${bytes.length} ${bytes.subarray(0, 60).join(" ")}`;
}
