/**
 * Asks the kernel which way a packet goes: RTM_GETROUTE, inet_rtm_getroute(), inet6_rtm_getroute().
 *
 * So its rules, tables, metrics, nexthop groups, and what routers told of the path are the kernel's own business. The
 * answer is there when send(2) returns; the kernel takes no lock for it that others hold for long
 * (RTNL_FLAG_DOIT_UNLOCKED).
 */
import { ADDRESS_LENGTH, Address, type Family } from "../../net/address.ts";
import { openRoutingSocket, RTM } from "./netlink/netlink.ts";
import { familyNumber, familyOf, ROUTE_HEADER_LENGTH } from "./netlink/netlink-address.ts";
import { FLAG, MESSAGE, viewOf } from "./netlink/netlink-message.ts";
import { close, errno, errnoName, receive, send, untilUninterrupted } from "./system/libc.ts";

const MESSAGE_HEADER_LENGTH = 16;
const ATTRIBUTES_AT = MESSAGE_HEADER_LENGTH + ROUTE_HEADER_LENGTH;
const ATTRIBUTE_HEADER_LENGTH = 4;
// biome-ignore format: a table
const at = { length: 0, type: 4, flags: 6, sequence: 8, family: 16, destinationLength: 17, sourceLength: 18, routeType: 23, routeFlags: 24 } as const;
// biome-ignore format: a table
const RTA = { destination: 1, source: 2, input: 3, output: 4, gateway: 5, preferredSource: 7, metrics: 8, cacheInfo: 12, mark: 16, via: 18, encapsulation: 22 } as const;
const RTAX_MTU = 2;
/** Answers with the entry of the table that matched, not with the route that it makes. */
const RTM_F_FIB_MATCH = 0x2000;

/** struct rta_cacheinfo: `expires` is its third word, in clock_t of USER_HZ. */
const EXPIRES_AT = 8;
const MS_PER_TICK = 10;

/** RTN_UNICAST; LOCAL, BROADCAST, ANYCAST, MULTICAST, which are the host's to handle. */
const UNICAST = 1;
const LOCAL_MIN = 2;
const LOCAL_MAX = 5;

const ANSWER_MAX = 8192;

/** What the kernel said; one object, which the next question overwrites. */
export interface RouteReply {
  /** "refused": no route, or one that says so (blackhole, prohibit). "failed": no answer was to be had. */
  kind: "unicast" | "local" | "refused" | "failed";
  interfaceIndex: number;
  /** Undefined when the destination is on the link. */
  gateway: Address | undefined;
  source: Address | undefined;
  /** 0 when it is the interface's. */
  mtu: number;
  /** How long this holds, when it is something learnt of the path; else infinite. */
  expiresMs: number;
  /** The kernel puts something around packets that go this way, which only its own stack can (lwtunnel). */
  isEncapsulated: boolean;
  /** Of the entry that matched; only when it was asked for. */
  prefixLength: number;
  /** When it was refused or failed, errno's name. */
  error: string;
}

export class RouteQuestion implements Disposable {
  readonly #fd = openRoutingSocket("ask the kernel for routes");
  readonly #questions: Readonly<Record<Family, Uint8Array>> = {
    inet: questionFor("inet"),
    inet6: questionFor("inet6"),
  };
  readonly #answer = new Uint8Array(ANSWER_MAX);
  readonly #view = viewOf(this.#answer);
  readonly #reply: RouteReply = {
    kind: "failed",
    interfaceIndex: 0,
    gateway: undefined,
    source: undefined,
    mtu: 0,
    expiresMs: Number.POSITIVE_INFINITY,
    isEncapsulated: false,
    prefixLength: 0,
    error: "",
  };
  #sequence = 0;

  /** The way of a packet of the host's own with `mark`, from `source` if it is given. Never throws. */
  ask(destination: Address, source: Address | undefined, mark: number): RouteReply {
    return this.#ask(destination, source, mark, 0, 0);
  }

  /** The way of a packet that came in by an interface, from another's address. */
  askForwarded(
    destination: Address,
    source: Address,
    mark: number,
    interfaceIndex: number,
  ): RouteReply {
    return this.#ask(destination, source, mark, interfaceIndex, 0);
  }

  /** The entry of the table that leads to `destination`. */
  match(destination: Address): RouteReply {
    return this.#ask(destination, undefined, 0, 0, RTM_F_FIB_MATCH);
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }

  #ask(
    destination: Address,
    source: Address | undefined,
    mark: number,
    input: number,
    flags: number,
  ): RouteReply {
    const { family } = destination;
    const question = this.#questions[family];
    const addressLength = ADDRESS_LENGTH[family];
    const destinationAt = ATTRIBUTES_AT + ATTRIBUTE_HEADER_LENGTH;
    const markAt = destinationAt + addressLength + ATTRIBUTE_HEADER_LENGTH;
    const sourceAt = markAt + 4 + ATTRIBUTE_HEADER_LENGTH;
    const inputAt = sourceAt + addressLength + ATTRIBUTE_HEADER_LENGTH;
    // What is not asked for is last, and left out.
    let { length } = question;
    if (input === 0) length = inputAt - ATTRIBUTE_HEADER_LENGTH;
    if (source === undefined) length = sourceAt - ATTRIBUTE_HEADER_LENGTH;
    this.#sequence = (this.#sequence + 1) >>> 0;
    writeWord(question, at.length, length);
    writeWord(question, at.sequence, this.#sequence);
    writeWord(question, at.routeFlags, flags);
    writeWord(question, markAt, mark);
    destination.writeTo(question, destinationAt);
    question[at.sourceLength] = source === undefined ? 0 : addressLength * 8;
    source?.writeTo(question, sourceAt);
    writeWord(question, inputAt, input);
    const sent = send(
      this.#fd,
      length === question.length ? question : question.subarray(0, length),
    );
    return sent < 0 ? this.#fail(-sent) : this.#read();
  }

  #read(): RouteReply {
    for (;;) {
      const length = untilUninterrupted(() => receive(this.#fd, this.#answer));
      if (length < 0) return this.#fail(-length);
      if (length < ATTRIBUTES_AT - ROUTE_HEADER_LENGTH + 4) continue;
      // The answer to a question that failed half way may have come late.
      if (this.#view.getUint32(at.sequence, true) !== this.#sequence) continue;
      const type = this.#view.getUint16(at.type, true);
      if (type === MESSAGE.error)
        return this.#refuse(-this.#view.getInt32(MESSAGE_HEADER_LENGTH, true));
      if (type === RTM.newRoute && length >= ATTRIBUTES_AT) return this.#understand(length);
    }
  }

  #understand(length: number): RouteReply {
    const reply = this.#reply;
    const view = this.#view;
    const type = this.#answer[at.routeType]!;
    reply.kind = type >= LOCAL_MIN && type <= LOCAL_MAX ? "local" : "unicast";
    reply.interfaceIndex = 0;
    reply.gateway = undefined;
    reply.source = undefined;
    reply.mtu = 0;
    reply.expiresMs = Number.POSITIVE_INFINITY;
    reply.isEncapsulated = false;
    reply.prefixLength = this.#answer[at.destinationLength]!;
    reply.error = "";
    if (reply.kind === "unicast" && type !== UNICAST) return this.#refuse(0);
    const family = familyOf(this.#answer[at.family]) ?? "inet";
    for (let start: number = ATTRIBUTES_AT; start + ATTRIBUTE_HEADER_LENGTH <= length; ) {
      const attribute = view.getUint16(start, true);
      const end = start + attribute;
      if (attribute < ATTRIBUTE_HEADER_LENGTH || end > length) break;
      this.#take(view.getUint16(start + 2, true) & 0x3fff, start + 4, end, family);
      start += (attribute + 3) & ~3;
    }
    return reply;
  }

  #take(type: number, start: number, end: number, family: Family): void {
    const reply = this.#reply;
    switch (type) {
      case RTA.output:
        if (end - start >= 4) reply.interfaceIndex = this.#view.getInt32(start, true);
        break;
      case RTA.gateway:
        reply.gateway = this.#address(start, end, family);
        break;
      case RTA.via:
        // struct rtvia: a 16-bit family, then the address.
        reply.gateway = this.#address(start + 2, end, familyOf(this.#answer[start]) ?? family);
        break;
      case RTA.preferredSource:
        reply.source = this.#address(start, end, family);
        break;
      case RTA.metrics:
        reply.mtu = this.#metric(RTAX_MTU, start, end);
        break;
      case RTA.cacheInfo:
        if (end - start >= EXPIRES_AT + 4) {
          const expires = this.#view.getInt32(start + EXPIRES_AT, true);
          if (expires > 0) reply.expiresMs = expires * MS_PER_TICK;
        }
        break;
      case RTA.encapsulation:
        reply.isEncapsulated = true;
        break;
      default:
    }
  }

  #address(start: number, end: number, family: Family): Address | undefined {
    if (end - start < ADDRESS_LENGTH[family]) return undefined;
    return Address.fromBytes(this.#answer, start, family);
  }

  #metric(wanted: number, start: number, end: number): number {
    const view = this.#view;
    for (let each = start; each + 2 * ATTRIBUTE_HEADER_LENGTH <= end; ) {
      const length = view.getUint16(each, true);
      if (length < ATTRIBUTE_HEADER_LENGTH) break;
      if (view.getUint16(each + 2, true) === wanted) return view.getUint32(each + 4, true);
      each += (length + 3) & ~3;
    }
    return 0;
  }

  /** The kernel's own answer: ENETUNREACH, EHOSTUNREACH, EACCES (prohibit), EINVAL (blackhole), ...; or its lack of memory. */
  #refuse(error: number): RouteReply {
    if (error === errno.ENOBUFS || error === errno.ENOMEM) return this.#fail(error);
    this.#reply.kind = "refused";
    this.#reply.error = errnoName(error);
    return this.#reply;
  }

  #fail(error: number): RouteReply {
    this.#reply.kind = "failed";
    this.#reply.error = errnoName(error);
    return this.#reply;
  }
}

/** A question with room for everything. */
function questionFor(family: Family): Uint8Array {
  const addressLength = ADDRESS_LENGTH[family];
  const length = ATTRIBUTES_AT + 4 * ATTRIBUTE_HEADER_LENGTH + 2 * addressLength + 2 * 4;
  const question = new Uint8Array(length);
  const view = viewOf(question);
  view.setUint16(at.type, RTM.getRoute, true);
  view.setUint16(at.flags, FLAG.request, true);
  question[at.family] = familyNumber(family);
  question[at.destinationLength] = addressLength * 8;
  let start = ATTRIBUTES_AT;
  for (const [type, size] of [
    [RTA.destination, addressLength],
    [RTA.mark, 4],
    [RTA.source, addressLength],
    [RTA.input, 4],
  ] as const) {
    view.setUint16(start, ATTRIBUTE_HEADER_LENGTH + size, true);
    view.setUint16(start + 2, type, true);
    start += ATTRIBUTE_HEADER_LENGTH + size;
  }
  return question;
}

/** Little-endian, as the host is. */
function writeWord(bytes: Uint8Array, start: number, word: number): void {
  bytes[start] = word;
  bytes[start + 1] = word >>> 8;
  bytes[start + 2] = word >>> 16;
  bytes[start + 3] = word >>> 24;
}
