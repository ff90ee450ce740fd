/**
 * A TCP connection, RFC 9293, as small as a laboratory needs: handshake, data, retransmission with growing pauses, path
 * MTU, FIN and RST. Every segment is acknowledged at once; what comes out of order is asked for again.
 */
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitTcp, TCP_FLAG, type TcpView } from "../../net/tcp.ts";
import { emitTcpOptions, maximumSegmentSize, TCP_OPTION } from "../../net/tcp-options.ts";
import type { Host } from "../host/host.ts";
import { joined } from "../http/bytes.ts";
import type { IcmpNews } from "../ip/icmp.ts";
import type { Appointment } from "../time/agenda.ts";
import type { Endpoints, TcpListener } from "./tcp.ts";

/** As `ss` names them. */
export type TcpState =
  | "CLOSED"
  | "SYN-SENT"
  | "SYN-RECV"
  | "ESTAB"
  | "FIN-WAIT-1"
  | "FIN-WAIT-2"
  | "CLOSING"
  | "TIME-WAIT"
  | "CLOSE-WAIT"
  | "LAST-ACK";

export type TcpError = "ECONNREFUSED" | "ECONNRESET" | "EHOSTUNREACH" | "ETIMEDOUT";

const WINDOW = 64_240;
const SEGMENT_DEFAULT = { inet: 536, inet6: 1_220 } as const;
const HEADERS_LENGTH = { inet: 40, inet6: 60 } as const;
const TIMEOUT_OPENING_MS = 1_000;
const TIMEOUT_LEAST_MS = 200;
const TIMEOUT_MOST_MS = 120_000;
/** tcp_syn_retries, tcp_synack_retries, tcp_retries2. */
const RETRIES = { "SYN-SENT": 6, "SYN-RECV": 5, others: 15 } as const;
const TIME_WAIT_MS = 60_000;
/** Segments under way before anything is acknowledged: RFC 6928. */
const WINDOW_FIRST = 10;
const WINDOW_MOST = 64;
const NOTHING: Uint8Array = new Uint8Array(0);

export class TcpConnection {
  readonly ends: Endpoints;
  state: TcpState = "CLOSED";
  error: TcpError | undefined;
  /** Called whenever something of it changed. */
  onChange: () => void = () => undefined;
  /** Nobody but the host cares for it any more: `ss` has no process for it. */
  isOrphan = false;
  readonly #host: Host;
  readonly #listener: TcpListener | undefined;
  readonly #end: () => void;
  #received: Uint8Array[] = [];
  /** Sent or to be sent, from the first byte that is not acknowledged on. */
  #outgoing = NOTHING;
  #isClosing = false;
  #finAt: number | undefined;
  #unacknowledged = 0;
  #next = 0;
  #expected = 0;
  #peerWindow = WINDOW;
  #segmentSize: number;
  #window = WINDOW_FIRST;
  #timer: Appointment | undefined;
  #timeoutMs = TIMEOUT_OPENING_MS;
  #retries = 0;

  constructor(host: Host, ends: Endpoints, listener: TcpListener | undefined, end: () => void) {
    this.#host = host;
    this.ends = ends;
    this.#listener = listener;
    this.#end = end;
    this.#segmentSize = SEGMENT_DEFAULT[ends.peer.family];
    this.#unacknowledged = host.random.next();
    this.#next = this.#unacknowledged;
  }

  get program(): string {
    return this.#listener?.program ?? "curl";
  }

  /** Bytes that wait for their reader, and that wait for an acknowledgement. */
  get queues(): { readonly received: number; readonly sent: number } {
    const received = this.#received.reduce((sum, { length }) => sum + length, 0);
    return { received, sent: this.#outgoing.length };
  }

  /** The peer has sent its last byte, and all were read. */
  get isAtEnd(): boolean {
    return this.#received.length === 0 && HAS_ENDED.has(this.state);
  }

  open(): undefined {
    this.#enter("SYN-SENT");
    this.#sendOpening(TCP_FLAG.syn);
  }

  /** For a listener: the peer's first segment. */
  accept(segment: TcpView): undefined {
    this.#expected = (segment.sequence + 1) >>> 0;
    this.#heed(segment);
    this.#enter("SYN-RECV");
    this.#sendOpening(TCP_FLAG.syn | TCP_FLAG.ack);
  }

  write(bytes: Uint8Array): undefined {
    const joined = new Uint8Array(this.#outgoing.length + bytes.length);
    joined.set(this.#outgoing);
    joined.set(bytes, this.#outgoing.length);
    this.#outgoing = joined;
    this.#pump();
  }

  /** What came, and nothing of it again. */
  read(): Uint8Array {
    const all = joined(this.#received);
    this.#received = [];
    return all;
  }

  /** Nothing more will be written. */
  close(): undefined {
    this.isOrphan = true;
    if (this.state === "SYN-SENT" || this.state === "CLOSED") return this.forget();
    this.#isClosing = true;
    this.#pump();
    return undefined;
  }

  /** Both sides are told, or at least the peer: a process ended with something unread. */
  abort(): undefined {
    this.isOrphan = true;
    if (this.state === "SYN-SENT" || this.state === "CLOSED") return this.forget();
    this.#transmit(TCP_FLAG.rst | TCP_FLAG.ack, this.#next, NOTHING);
    return this.forget();
  }

  forget(): undefined {
    this.#timer?.cancel();
    this.#enter("CLOSED");
    this.#end();
  }

  /** RFC 6191 without timestamps: its sequence numbers must be above the old ones'. */
  mayBeginAnew({ sequence }: TcpView): boolean {
    return isAfter(sequence, this.#expected);
  }

  hear({ kind, mtu }: IcmpNews): undefined {
    if (kind === "too-big") {
      const size = mtu - HEADERS_LENGTH[this.ends.peer.family];
      if (size >= this.#segmentSize || size < 1) return;
      this.#segmentSize = size;
      this.#goBack();
      return;
    }
    // An established connection waits whether it gets better: tcp_v4_err().
    if (this.state !== "SYN-SENT") return;
    if (kind === "host-unreachable") this.#fail("EHOSTUNREACH");
    if (kind === "port-unreachable") this.#fail("ECONNREFUSED");
  }

  receive(segment: TcpView): undefined {
    if (this.state === "SYN-SENT") return this.#receiveOpening(segment);
    const { flags, sequence, payload } = segment;
    if ((flags & TCP_FLAG.rst) !== 0) {
      if (sequence !== this.#expected && this.state !== "SYN-RECV") return undefined;
      return this.#fail(this.state === "SYN-RECV" ? "ECONNREFUSED" : "ECONNRESET");
    }
    if ((flags & TCP_FLAG.syn) !== 0) {
      // The peer did not get the answer to its first segment; or it is lost: RFC 5961 section 4.
      if (this.state === "SYN-RECV") this.#resend();
      else this.#acknowledge();
      return undefined;
    }
    if ((flags & TCP_FLAG.ack) === 0) return undefined;
    this.#heed(segment);
    if (!this.#takeAcknowledgement(segment)) return undefined;
    const isInOrder = sequence === this.#expected;
    const isAnything = payload.length > 0 || (flags & TCP_FLAG.fin) !== 0;
    if (isAnything && !isInOrder) return this.#acknowledge();
    if (payload.length > 0) {
      this.#expected = (this.#expected + payload.length) >>> 0;
      if (this.isOrphan && !HAS_ENDED.has(this.state)) return this.abort();
      this.#received.push(payload.slice());
    }
    if ((flags & TCP_FLAG.fin) !== 0) this.#takeFin();
    if (isAnything) this.#acknowledge();
    this.onChange();
    this.#pump();
    return undefined;
  }

  /** What the peer says of itself. */
  #heed({ options, flags, window }: TcpView): undefined {
    this.#peerWindow = window;
    if ((flags & TCP_FLAG.syn) === 0) return;
    const { family } = this.ends.peer;
    const wanted = maximumSegmentSize(options) ?? SEGMENT_DEFAULT[family];
    this.#segmentSize = Math.min(wanted, this.#fits());
  }

  #receiveOpening(segment: TcpView): undefined {
    const { flags, sequence, acknowledgement } = segment;
    const isMine = (flags & TCP_FLAG.ack) !== 0 && acknowledgement === this.#next;
    if ((flags & TCP_FLAG.ack) !== 0 && !isMine) {
      // RFC 9293 section 3.10.7.3: an answer to something else.
      if ((flags & TCP_FLAG.rst) === 0) this.#transmit(TCP_FLAG.rst, acknowledgement, NOTHING);
      return;
    }
    if ((flags & TCP_FLAG.rst) !== 0) {
      if (isMine) this.#fail("ECONNREFUSED");
      return;
    }
    if ((flags & TCP_FLAG.syn) === 0 || !isMine) return;
    this.#expected = (sequence + 1) >>> 0;
    this.#heed(segment);
    this.#unacknowledged = acknowledgement;
    this.#settle();
    this.#enter("ESTAB");
    this.#acknowledge();
    this.#pump();
  }

  /** False when the connection is over by it. */
  #takeAcknowledgement({ acknowledgement }: TcpView): boolean {
    const isNew =
      isAfter(acknowledgement, this.#unacknowledged) && !isAfter(acknowledgement, this.#next);
    if (!isNew) return true;
    let count = (acknowledgement - this.#unacknowledged) >>> 0;
    if (this.state === "SYN-RECV") {
      count--;
      this.#enter("ESTAB");
      this.#listener?.accept(this);
    }
    if (this.#finAt !== undefined && isAfter(acknowledgement, this.#finAt)) count--;
    this.#outgoing = this.#outgoing.subarray(count);
    this.#unacknowledged = acknowledgement;
    this.#window = Math.min(WINDOW_MOST, this.#window * 2);
    this.#settle();
    this.#confirmNeighbour();
    if (this.#outgoing.length > 0 || this.#unacknowledged !== this.#next) this.#arm();
    if (this.#finAt !== undefined && this.#unacknowledged === this.#next) return this.#takeEnd();
    return true;
  }

  /** The peer has everything, FIN included. */
  #takeEnd(): boolean {
    if (this.state === "FIN-WAIT-1") {
      this.#enter("FIN-WAIT-2");
      const seconds = this.#host.settings.number("net.ipv4.tcp_fin_timeout");
      this.#timer = this.#host.agenda.after(seconds * 1_000, () => this.forget());
    } else if (this.state === "CLOSING") {
      this.#rest();
    } else if (this.state === "LAST-ACK") {
      this.forget();
      return false;
    }
    return true;
  }

  #takeFin(): undefined {
    this.#expected = (this.#expected + 1) >>> 0;
    switch (this.state) {
      case "SYN-RECV":
      case "ESTAB":
        return this.#enter("CLOSE-WAIT");
      case "FIN-WAIT-1":
        return this.#enter("CLOSING");
      case "FIN-WAIT-2":
        return this.#rest();
      default:
        return undefined;
    }
  }

  #rest(): undefined {
    this.#timer?.cancel();
    this.#enter("TIME-WAIT");
    this.#timer = this.#host.agenda.after(TIME_WAIT_MS, () => this.forget());
  }

  /** Sends what may be sent. */
  #pump(): undefined {
    if (!MAY_SEND.has(this.state)) return;
    const limit = Math.min(this.#peerWindow, this.#window * this.#segmentSize);
    for (;;) {
      const sent = (this.#next - this.#unacknowledged) >>> 0;
      const length = Math.min(this.#segmentSize, this.#outgoing.length - sent, limit - sent);
      if (length <= 0) break;
      const isLast = sent + length === this.#outgoing.length;
      const flags = TCP_FLAG.ack | (isLast ? TCP_FLAG.psh : 0);
      const payload = this.#outgoing.subarray(sent, sent + length);
      const sequence = this.#next;
      this.#next = (this.#next + length) >>> 0;
      this.#transmit(flags, sequence, payload);
      if (this.#timer === undefined) this.#arm();
    }
    const isAllSent = (this.#next - this.#unacknowledged) >>> 0 === this.#outgoing.length;
    if (this.#isClosing && isAllSent && this.#finAt === undefined) this.#sendFin();
  }

  #sendFin(): undefined {
    this.#finAt = this.#next;
    this.#next = (this.#next + 1) >>> 0;
    this.#enter(this.state === "CLOSE-WAIT" ? "LAST-ACK" : "FIN-WAIT-1");
    this.#transmit(TCP_FLAG.fin | TCP_FLAG.ack, this.#finAt, NOTHING);
    if (this.#timer === undefined) this.#arm();
  }

  #sendOpening(flags: number): undefined {
    const sequence = this.#unacknowledged;
    this.#next = (sequence + 1) >>> 0;
    const size = this.#fits();
    const value = Uint8Array.of(size >>> 8, size & 0xff);
    const options = emitTcpOptions([{ kind: TCP_OPTION.maximumSegmentSize, value }]);
    this.#arm();
    this.#transmit(flags, sequence, NOTHING, options);
  }

  #acknowledge(): undefined {
    this.#transmit(TCP_FLAG.ack, this.#next, NOTHING);
  }

  #arm(): undefined {
    this.#timer?.cancel();
    this.#timer = this.#host.agenda.after(this.#timeoutMs, () => {
      this.#timer = undefined;
      const most =
        this.state === "SYN-SENT" || this.state === "SYN-RECV"
          ? RETRIES[this.state]
          : RETRIES.others;
      if (this.#retries >= most) return this.#fail("ETIMEDOUT");
      this.#retries++;
      this.#timeoutMs = Math.min(TIMEOUT_MOST_MS, this.#timeoutMs * 2);
      return this.#resend();
    });
  }

  /** Something was acknowledged: the next pause is a short one again. */
  #settle(): undefined {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#retries = 0;
    this.#timeoutMs = TIMEOUT_LEAST_MS;
  }

  #resend(): undefined {
    if (this.state === "SYN-SENT") return this.#sendOpening(TCP_FLAG.syn);
    if (this.state === "SYN-RECV") return this.#sendOpening(TCP_FLAG.syn | TCP_FLAG.ack);
    this.#window = 1;
    return this.#goBack();
  }

  /** Begins again with the first byte that was not acknowledged. */
  #goBack(): undefined {
    if (!MAY_SEND.has(this.state) && this.#finAt === undefined) return;
    if (this.#finAt !== undefined && this.#outgoing.length === 0) {
      this.#transmit(TCP_FLAG.fin | TCP_FLAG.ack, this.#finAt, NOTHING);
    } else {
      const length = Math.min(this.#segmentSize, this.#outgoing.length);
      if (this.#finAt === undefined) this.#next = (this.#unacknowledged + length) >>> 0;
      const flags = TCP_FLAG.ack | TCP_FLAG.psh;
      this.#transmit(flags, this.#unacknowledged, this.#outgoing.subarray(0, length));
    }
    if (this.#timer === undefined) this.#arm();
  }

  #transmit(flags: number, sequence: number, payload: Uint8Array, options = NOTHING): undefined {
    const { local, localPort, peer, peerPort } = this.ends;
    const fields = {
      source: localPort,
      destination: peerPort,
      flags,
      sequence,
      acknowledgement: (flags & TCP_FLAG.ack) === 0 ? 0 : this.#expected,
      window: WINDOW,
      options,
    };
    const addresses = { source: local, destination: peer };
    const segment = emitTcp(fields, payload, addresses);
    const refused = this.#host.inet.send(
      { ...addresses, protocol: IP_PROTOCOL.tcp, dontFragment: true },
      segment,
    );
    if (refused !== undefined && this.state === "SYN-SENT") this.#fail("EHOSTUNREACH");
  }

  /** Payload bytes of a segment that fits through the way out. */
  #fits(): number {
    const { peer } = this.ends;
    const way = this.#host.inet.wayOut(peer);
    const mtu = typeof way === "string" ? 0xffff : way.mtu;
    return mtu - HEADERS_LENGTH[peer.family];
  }

  #confirmNeighbour(): undefined {
    const { peer } = this.ends;
    const way = this.#host.inet.wayOut(peer);
    if (typeof way !== "string") this.#host.neighbours.confirm(way.interface, way.nextHop);
  }

  #fail(error: TcpError): undefined {
    this.error = error;
    this.forget();
  }

  #enter(state: TcpState): undefined {
    if (this.state === state) return;
    this.state = state;
    const { local, localPort, peer, peerPort } = this.ends;
    this.#host.tellChange("sockets", `${local}:${localPort} ${peer}:${peerPort} ${state}`);
    this.onChange();
  }
}

const HAS_ENDED: ReadonlySet<TcpState> = new Set([
  "CLOSE-WAIT",
  "LAST-ACK",
  "CLOSING",
  "TIME-WAIT",
  "CLOSED",
]);
const MAY_SEND: ReadonlySet<TcpState> = new Set(["ESTAB", "CLOSE-WAIT"]);

/** Whether a sequence number comes after another, which may be before the wrap: RFC 9293 section 3.4. */
function isAfter(one: number, other: number): boolean {
  return ((one - other) | 0) > 0;
}
