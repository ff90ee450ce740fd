/**
 * A TCP connection, RFC 9293, as small as a laboratory needs: handshake, data, retransmission with growing pauses, path
 * MTU, FIN and RST. Every segment is acknowledged at once; what comes out of order is asked for again.
 */
import { TCP_FLAG, type TcpView } from "../../net/tcp.ts";
import { maximumSegmentSize } from "../../net/tcp-options.ts";
import type { Host } from "../host/host.ts";
import { joined } from "../http/bytes.ts";
import type { IcmpNews } from "../ip/icmp.ts";
import { HEADERS_LENGTH, Outlet, WINDOW } from "./outlet.ts";
import {
  afterFin,
  afterOwnFin,
  HAS_ENDED,
  isAfter,
  MAY_SEND,
  type TcpError,
  type TcpState,
} from "./state.ts";
import type { Endpoints, TcpListener } from "./tcp.ts";
import { ConnectionTimer } from "./timer.ts";

const SEGMENT_DEFAULT = { inet: 536, inet6: 1_220 } as const;
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
  readonly #timer: ConnectionTimer;
  readonly #outlet: Outlet;

  constructor(host: Host, ends: Endpoints, listener: TcpListener | undefined, end: () => void) {
    this.#host = host;
    this.ends = ends;
    this.#listener = listener;
    this.#end = end;
    this.#timer = new ConnectionTimer(host.agenda);
    this.#outlet = new Outlet(host, ends);
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
    this.#timer.cancel();
    this.#enter("CLOSED");
    this.#end();
  }

  /** RFC 6191 without timestamps: its sequence numbers must be above the old ones'. */
  mayBeginAnew({ sequence }: TcpView): boolean {
    return isAfter(sequence, this.#expected);
  }

  hear({ kind, mtu }: Pick<IcmpNews, "kind" | "mtu">): undefined {
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
    this.#segmentSize = Math.min(wanted, this.#outlet.fits());
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
    this.#timer.settle();
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
    this.#timer.settle();
    this.#outlet.confirmNeighbour();
    if (this.#outgoing.length > 0 || this.#unacknowledged !== this.#next) this.#arm();
    if (this.#finAt !== undefined && this.#unacknowledged === this.#next) return this.#takeEnd();
    return true;
  }

  /** The peer has everything, FIN included. */
  #takeEnd(): boolean {
    const next = afterOwnFin(this.state);
    if (next === "CLOSED") this.forget();
    else if (next === "TIME-WAIT") this.#rest();
    else if (next !== undefined) {
      this.#enter(next);
      const seconds = this.#host.settings.number("net.ipv4.tcp_fin_timeout");
      this.#timer.rest(seconds * 1_000, () => this.forget());
    }
    return next !== "CLOSED";
  }

  #takeFin(): undefined {
    this.#expected = (this.#expected + 1) >>> 0;
    const next = afterFin(this.state);
    if (next === "TIME-WAIT") return this.#rest();
    if (next !== undefined) this.#enter(next);
    return undefined;
  }

  #rest(): undefined {
    this.#enter("TIME-WAIT");
    this.#timer.rest(TIME_WAIT_MS, () => this.forget());
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
      if (!this.#timer.isRunning) this.#arm();
    }
    const isAllSent = (this.#next - this.#unacknowledged) >>> 0 === this.#outgoing.length;
    if (this.#isClosing && isAllSent && this.#finAt === undefined) this.#sendFin();
  }

  #sendFin(): undefined {
    this.#finAt = this.#next;
    this.#next = (this.#next + 1) >>> 0;
    this.#enter(this.state === "CLOSE-WAIT" ? "LAST-ACK" : "FIN-WAIT-1");
    this.#transmit(TCP_FLAG.fin | TCP_FLAG.ack, this.#finAt, NOTHING);
    if (!this.#timer.isRunning) this.#arm();
  }

  #sendOpening(flags: number): undefined {
    const sequence = this.#unacknowledged;
    this.#next = (sequence + 1) >>> 0;
    this.#arm();
    this.#transmit(flags, sequence, NOTHING, this.#outlet.openingOptions());
  }

  #acknowledge(): undefined {
    this.#transmit(TCP_FLAG.ack, this.#next, NOTHING);
  }

  #arm(): undefined {
    this.#timer.arm(
      () => this.state,
      () => this.#resend(),
      () => this.#fail("ETIMEDOUT"),
    );
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
    if (!this.#timer.isRunning) this.#arm();
  }

  #transmit(flags: number, sequence: number, payload: Uint8Array, options = NOTHING): undefined {
    const acknowledgement = (flags & TCP_FLAG.ack) === 0 ? 0 : this.#expected;
    const isSent = this.#outlet.send({ flags, sequence, acknowledgement, payload, options });
    if (!isSent && this.state === "SYN-SENT") this.#fail("EHOSTUNREACH");
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
