/**
 * Netlink messages to nf_tables, for what nft(8) cannot say. include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h.
 *
 * A table that is made as owned goes with the socket that made it, and so with the process, whatever ends that
 * (nft_rcv_nl_event()); nobody else may change it.
 */
import { setImmediate } from "node:timers/promises";
import {
  close,
  receive,
  SystemCallError,
  send,
  socket,
  untilUninterrupted,
} from "../system/libc.ts";
import {
  type Attribute,
  emitMessage,
  FLAG,
  MESSAGE,
  messagesIn,
  viewOf,
} from "./netlink-message.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_NETFILTER = 12;
const SUBSYSTEM = 10; // NFNL_SUBSYS_NFTABLES

const BATCH = { begin: 0x10, end: 0x11 } as const;
/** NFT_MSG_*. */
export const NFT = {
  newTable: 0,
  getTable: 1,
  newChain: 3,
  getChain: 4,
  newRule: 6,
  getRule: 7,
  getSet: 10,
} as const;
/** NFPROTO_*. */
export const NETFILTER_FAMILY = { any: 0, inet: 1, ipv4: 2, netdev: 5, ipv6: 10 } as const;
/** NFTA_TABLE_*. */
export const TABLE = { name: 1, flags: 2, userData: 6 } as const;
/** NFT_TABLE_F_OWNER. */
export const TABLE_OWNED = 0x2;

const GENERIC_LENGTH = 4;
const ANSWERS_LENGTH = 0x2000;
const LISTED_LENGTH = 0x1_0000;
/** Datagrams of a listing between two turns of the event loop: many rules must not stop packets. */
const DATAGRAMS_PER_TURN = 8;

export class NetfilterSocket implements Disposable {
  readonly fd: number;
  readonly #attempt: string;

  /** `attempt` completes "Cannot ...". Throws a SystemCallError when the kernel refuses. */
  constructor(attempt: string) {
    this.#attempt = attempt;
    this.fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, attempt);
  }

  /** Has all of the commands done, or none: throws a SystemCallError then. */
  batch(commands: readonly Uint8Array[]): void {
    this.#send([
      emitMessage(BATCH.begin, FLAG.request, 0, generic(0, SUBSYSTEM)),
      ...commands,
      emitMessage(BATCH.end, FLAG.request, 0, generic(0, SUBSYSTEM)),
    ]);
    for (const _ of this.#answers());
  }

  /** The attributes of the object that a "get" command asks for. Throws a SystemCallError: ENOENT when there is none. */
  get(command: Uint8Array): Uint8Array | undefined {
    this.#send([command]);
    let found: Uint8Array | undefined;
    for (const body of this.#answers()) found ??= body.slice(GENERIC_LENGTH);
    return found;
  }

  /**
   * Everything of a kind, of all tables: each with its struct nfgenmsg. What is listed must be read to its end before anything
   * else is asked. Throws a SystemCallError.
   */
  async *list(type: number): AsyncGenerator<Uint8Array> {
    this.#send([netfilterCommand(type, FLAG.dump, NETFILTER_FAMILY.any, [])]);
    const buffer = new Uint8Array(LISTED_LENGTH);
    for (let datagrams = 1; ; datagrams++) {
      const length = untilUninterrupted(() => receive(this.fd, buffer));
      if (length < 0) throw new SystemCallError("recv", -length, this.#attempt);
      for (const message of messagesIn(buffer.subarray(0, length))) {
        if (message.type === MESSAGE.done) return;
        if (message.type === MESSAGE.error) checkError(message.body, this.#attempt);
        else yield message.body;
      }
      if (datagrams % DATAGRAMS_PER_TURN === 0) await setImmediate();
    }
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }

  #send(messages: readonly Uint8Array[]): void {
    const sent = send(this.fd, new Uint8Array(Buffer.concat(messages)));
    if (sent < 0) throw new SystemCallError("send", -sent, this.#attempt);
  }

  /** The kernel has done, or refused, everything before send() returned. */
  *#answers(): Generator<Uint8Array> {
    const buffer = new Uint8Array(ANSWERS_LENGTH);
    for (;;) {
      const length = receive(this.fd, buffer);
      if (length <= 0) return;
      for (const { type, body } of messagesIn(buffer.subarray(0, length))) {
        if (type !== MESSAGE.error) {
          yield body;
          continue;
        }
        checkError(body, this.#attempt);
      }
    }
  }
}

/** struct nlmsgerr begins with -errno; 0 is an acknowledgement. */
function checkError(body: Uint8Array, attempt: string): void {
  const error = body.length >= 4 ? viewOf(body).getInt32(0, true) : 0;
  if (error < 0) throw new SystemCallError("nf_tables", -error, attempt);
}

/** One of NFT, about something of one of NETFILTER_FAMILY. */
export function netfilterCommand(
  type: number,
  flags: number,
  family: number,
  attributes: readonly Attribute[],
): Uint8Array {
  const all = FLAG.request | FLAG.ack | flags;
  return emitMessage((SUBSYSTEM << 8) | type, all, 0, generic(family, 0), attributes);
}

/** A 32-bit attribute: nf_tables has its numbers in network byte order. */
export function netfilterNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value);
  return bytes;
}

/** struct nfgenmsg. */
function generic(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, resource >>> 8, resource);
}
