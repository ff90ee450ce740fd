/** The kernel's routing netlink, and its generic one: requests, listings and news. rtnetlink(7), include/uapi/linux/rtnetlink.h. */
import { setImmediate } from "node:timers/promises";
import {
  bind,
  close,
  errno,
  ReadableWatch,
  receive,
  SystemCallError,
  send,
  setOption,
  socket,
  untilUninterrupted,
} from "../system/libc.ts";
import {
  type Attribute,
  emitMessage,
  FLAG,
  MESSAGE,
  type Message,
  messagesIn,
  viewOf,
} from "./netlink-message.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;
/** For families of messages that are known by name: struct genlmsghdr. */
export const NETLINK_GENERIC = 16;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;

/** What the kernel fills at most while it lists (NLMSG_GOODSIZE is less). */
const DATAGRAM_MAX = 0x1_0000;

/** News that may wait for us; the kernel takes less without complaint (net.core.rmem_max). */
const NEWS_BUFFER_BYTES = 0x10_0000;

/** Datagrams of a listing between two turns of the event loop: a large routing table must not stop packets. */
const DATAGRAMS_PER_TURN = 8;

const CATCH_UP_DATAGRAMS = 1_000;

const LISTINGS_MAX = 5;

const OPEN = "ask the kernel about the network";

export const RTM = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  getRoute: 26,
  newNeighbour: 28,
  deleteNeighbour: 29,
  getNeighbour: 30,
  newNetconf: 80,
  deleteNetconf: 81,
  getNetconf: 82,
} as const;

function openSocket(protocol: number, attempt: string): number {
  return socket(AF_NETLINK, SOCK_RAW, protocol, attempt);
}

export function openRoutingSocket(attempt: string): number {
  return openSocket(NETLINK_ROUTE, attempt);
}

/** Sends requests and reads their answers. */
export class Netlink implements Disposable {
  readonly #protocol: number;
  #fd: number;
  readonly #buffer = new Uint8Array(DATAGRAM_MAX);
  #sequence = 0;
  #isListing = false;

  constructor(protocol: number = NETLINK_ROUTE) {
    this.#protocol = protocol;
    this.#fd = openSocket(protocol, OPEN);
  }

  /** Asks for a change. Returns at once: the kernel does it before send() returns. `attempt` completes "Cannot ...". */
  change(
    type: number,
    flags: number,
    fixed: Uint8Array,
    attributes: readonly Attribute[],
    attempt: string,
  ): void {
    if (this.#isListing) throw new TypeError(`Cannot ${attempt} while the same socket lists`);
    this.#send(type, flags | FLAG.ack, fixed, attributes, attempt);
    for (;;) {
      for (const message of this.#receive(attempt)) {
        // What answers an earlier request was left when reading it failed.
        if (message.sequence !== this.#sequence || message.type !== MESSAGE.error) continue;
        checkError(message, attempt);
        return;
      }
    }
  }

  /** The one thing that a question is about. Returns at once, as change(). Throws a SystemCallError when there is none. */
  get(type: number, fixed: Uint8Array, attempt: string): Message | undefined {
    if (this.#isListing) throw new TypeError(`Cannot ${attempt} while the same socket lists`);
    this.#send(type, FLAG.ack, fixed, [], attempt);
    let found: Message | undefined;
    for (;;) {
      for (const message of this.#receive(attempt)) {
        if (message.sequence !== this.#sequence) continue;
        if (message.type === MESSAGE.error) {
          checkError(message, attempt);
          return found;
        }
        found ??= { ...message, body: message.body.slice() };
      }
    }
  }

  /** Hands over a listing, whole and consistent: once more from the start when it changed meanwhile. */
  async list(type: number, fixed: Uint8Array, attempt: string): Promise<Message[]> {
    if (this.#isListing) throw new TypeError(`Cannot ${attempt} while the same socket lists`);
    this.#isListing = true;
    try {
      for (let round = 1; ; round++) {
        const messages = await this.#listOnce(type, fixed, attempt);
        const isWhole = !messages.some(({ flags }) => flags & FLAG.interrupted);
        // Under a storm of changes news of them follow anyway, and with them another listing.
        if (isWhole || round === LISTINGS_MAX) return messages;
      }
    } catch (error) {
      // The kernel refuses the next listing as long as the rest of this one waits (EBUSY).
      this.#reopen();
      throw error;
    } finally {
      this.#isListing = false;
    }
  }

  /** A listing of a few, at once. Those that change meanwhile may be missing, or be there twice. */
  listFew(type: number, fixed: Uint8Array, attempt: string): Message[] {
    if (this.#isListing) throw new TypeError(`Cannot ${attempt} while the same socket lists`);
    this.#send(type, FLAG.dump, fixed, [], attempt);
    const messages: Message[] = [];
    for (;;) if (this.#receiveListed(messages, attempt)) return messages;
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }

  #reopen(): void {
    try {
      const fd = openSocket(this.#protocol, OPEN);
      close(this.#fd);
      this.#fd = fd;
    } catch {
      // No descriptor is free: the next attempt may find one.
    }
  }

  async #listOnce(type: number, fixed: Uint8Array, attempt: string): Promise<Message[]> {
    this.#send(type, FLAG.dump, fixed, [], attempt);
    const messages: Message[] = [];
    for (let datagrams = 1; ; datagrams++) {
      if (this.#receiveListed(messages, attempt)) return messages;
      if (datagrams % DATAGRAMS_PER_TURN === 0) await setImmediate();
    }
  }

  /** One datagram's messages of a listing; true when they were the last. */
  #receiveListed(into: Message[], attempt: string): boolean {
    for (const message of this.#receive(attempt)) {
      if (message.sequence !== this.#sequence) continue;
      if (message.type === MESSAGE.error) checkError(message, attempt);
      if (message.type === MESSAGE.done) return true;
      into.push({ ...message, body: message.body.slice() });
    }
    return false;
  }

  #send(
    type: number,
    flags: number,
    fixed: Uint8Array,
    attributes: readonly Attribute[],
    attempt: string,
  ): void {
    this.#sequence++;
    const bytes = emitMessage(type, flags | FLAG.request, this.#sequence, fixed, attributes);
    const sent = untilUninterrupted(() => send(this.#fd, bytes));
    if (sent < 0) throw new SystemCallError("send", -sent, attempt);
  }

  #receive(attempt: string): Iterable<Message> {
    const length = untilUninterrupted(() => receive(this.#fd, this.#buffer));
    if (length < 0) throw new SystemCallError("recv", -length, attempt);
    return messagesIn(this.#buffer.subarray(0, length));
  }
}

/** Of interfaces and their addresses alone: a bit each, RTNLGRP_* less one. */
export const ADDRESS_GROUPS = (1 << 0) | (1 << 4) | (1 << 8);

/** The multicast groups of the news that engines follow. */
const GROUPS =
  (1 << 0) | // links
  (1 << 2) | // neighbours
  (1 << 4) | // IPv4 addresses
  (1 << 6) | // IPv4 routes
  (1 << 7) | // IPv4 rules
  (1 << 8) | // IPv6 addresses
  (1 << 10) | // IPv6 routes
  (1 << 18) | // IPv6 rules
  (1 << 23) | // IPv4 settings (forwarding)
  (1 << 24) | // IPv6 settings
  (1 << 31); // nexthop objects

/** Calls back for each change of the host's network. */
export class NetlinkNews implements Disposable {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(DATAGRAM_MAX);
  readonly #watch: ReadableWatch;
  readonly #read: (datagrams: number) => void;

  /** `onLost`: the kernel dropped news, as so many came at once, or for want of memory; what is known must be read anew. */
  constructor(onMessage: (message: Message) => void, onLost: () => void, groups = GROUPS) {
    const attempt = "follow changes of the network";
    this.#fd = openRoutingSocket(attempt);
    try {
      setOption(this.#fd, SOL_SOCKET, SO_RCVBUF, NEWS_BUFFER_BYTES, attempt);
      bind(this.#fd, subscriber(groups), attempt);
      this.#read = (datagrams) => this.#readNews(datagrams, onMessage, onLost);
      this.#watch = new ReadableWatch(this.#fd, () => this.#read(DATAGRAMS_PER_TURN), onLost);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /** Calls back at once for what the kernel has told by now, unless that is a storm. */
  catchUp(): void {
    this.#read(CATCH_UP_DATAGRAMS);
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    close(this.#fd);
  }

  #readNews(datagramsMax: number, onMessage: (message: Message) => void, onLost: () => void): void {
    for (let datagrams = 0; datagrams < datagramsMax; datagrams++) {
      const length = receive(this.#fd, this.#buffer);
      if (length === -errno.EAGAIN) return;
      if (length === -errno.EINTR) continue;
      if (length < 0) onLost();
      else for (const message of messagesIn(this.#buffer.subarray(0, length))) onMessage(message);
    }
  }
}

/** struct sockaddr_nl. */
function subscriber(groups: number): Uint8Array {
  const address = new Uint8Array(12);
  const view = viewOf(address);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, groups >>> 0, true);
  return address;
}

/** struct nlmsgerr begins with -errno; 0 is an acknowledgement. */
function checkError({ body }: Message, attempt: string): void {
  const error = body.length < 4 ? 0 : viewOf(body).getInt32(0, true);
  if (error < 0) throw new SystemCallError("netlink", -error, attempt);
}
