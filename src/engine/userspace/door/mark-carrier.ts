/**
 * Has netfilter's marks cross the lane: into the Ethernet destination of what goes into it, and out of the Ethernet
 * source of what comes back.
 *
 * A chain at the egress of the lane's interface and one at its ingress, each of one rule that nft(8) cannot say (it
 * refuses to write a mark into bytes): so the table is made by netlink messages. It is owned by the socket, and goes with
 * it, and so with the process. include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h.
 */
import { close, receive, SystemCallError, send, socket } from "../libc.ts";
import {
  type Attribute,
  emitMessage,
  FLAG,
  MESSAGE,
  messagesIn,
  viewOf,
} from "../netlink-message.ts";
import { MARK_AT } from "./lane-frame.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_NETFILTER = 12;
const SUBSYSTEM = 10; // NFNL_SUBSYS_NFTABLES
const FAMILY_NETDEV = 5; // NFPROTO_NETDEV

const BATCH = { begin: 0x10, end: 0x11 } as const;
const NEW = { table: 0, chain: 3, rule: 6 } as const;
/** NFTA_*. */
const TABLE = { name: 1, flags: 2 } as const;
const CHAIN = { table: 1, name: 3, hook: 4, type: 7 } as const;
const HOOK = { number: 1, priority: 2, device: 3 } as const;
const RULE = { table: 1, chain: 2, expressions: 4 } as const;
const EXPRESSION = { name: 1, data: 2 } as const;
const LIST_ELEMENT = 1;
const META = { into: 1, key: 2, from: 3 } as const;
const PAYLOAD = { into: 1, base: 2, offset: 3, length: 4, from: 5 } as const;

const TABLE_OWNED = 0x2; // NFT_TABLE_F_OWNER
const EGRESS = 1; // NF_NETDEV_EGRESS
const INGRESS = 0; // NF_NETDEV_INGRESS
const META_MARK = 3; // NFT_META_MARK
const LINK_HEADER = 0; // NFT_PAYLOAD_LL_HEADER
const REGISTER = 8; // NFT_REG32_00
const MARK_LENGTH = 4;
const MAC_LENGTH = 6;

const NAME = "sluice_lane";
const ATTEMPT = "have netfilter's marks cross the lane";
const ANSWERS_LENGTH = 0x2000;

export class MarkCarrier implements Disposable {
  readonly #fd: number;

  /** Throws a SystemCallError when the kernel refuses: without it every packet seems to have no mark. */
  constructor(device: string) {
    this.#fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, ATTEMPT);
    try {
      this.#make(device);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }

  #make(device: string): void {
    const out = expressions(
      [
        "meta",
        [
          [META.key, number(META_MARK)],
          [META.into, number(REGISTER)],
        ],
      ],
      ["payload", [...payloadAt(MARK_AT), [PAYLOAD.from, number(REGISTER)]]],
    );
    const back = expressions(
      ["payload", [...payloadAt(MAC_LENGTH + MARK_AT), [PAYLOAD.into, number(REGISTER)]]],
      [
        "meta",
        [
          [META.key, number(META_MARK)],
          [META.from, number(REGISTER)],
        ],
      ],
    );
    const messages = [
      emitMessage(BATCH.begin, FLAG.request, 0, generic(0, SUBSYSTEM)),
      command(NEW.table, [
        [TABLE.name, NAME],
        [TABLE.flags, number(TABLE_OWNED)],
      ]),
      ...chainWith("egress", EGRESS, device, out),
      ...chainWith("ingress", INGRESS, device, back),
      emitMessage(BATCH.end, FLAG.request, 0, generic(0, SUBSYSTEM)),
    ];
    const sent = send(this.#fd, new Uint8Array(Buffer.concat(messages)));
    if (sent < 0) throw new SystemCallError("send", -sent, ATTEMPT);
    this.#checkAnswers();
  }

  /** The kernel has done, or refused, the whole batch before send() returned. */
  #checkAnswers(): void {
    const buffer = new Uint8Array(ANSWERS_LENGTH);
    for (;;) {
      const length = receive(this.#fd, buffer);
      if (length <= 0) return;
      for (const { type, body } of messagesIn(buffer.subarray(0, length))) {
        const error =
          type === MESSAGE.error && body.length >= 4 ? viewOf(body).getInt32(0, true) : 0;
        if (error < 0) throw new SystemCallError("nf_tables", -error, ATTEMPT);
      }
    }
  }
}

type Expression = readonly [name: string, data: readonly Attribute[]];

function chainWith(
  name: string,
  hook: number,
  device: string,
  rule: readonly Attribute[],
): Uint8Array[] {
  const place: Attribute[] = [
    [HOOK.number, number(hook)],
    [HOOK.priority, number(0)],
    [HOOK.device, device],
  ];
  return [
    command(NEW.chain, [
      [CHAIN.table, NAME],
      [CHAIN.name, name],
      [CHAIN.hook, place],
      [CHAIN.type, "filter"],
    ]),
    command(NEW.rule, [
      [RULE.table, NAME],
      [RULE.chain, name],
      [RULE.expressions, rule],
    ]),
  ];
}

function expressions(...all: readonly Expression[]): Attribute[] {
  return all.map(([name, data]) => [
    LIST_ELEMENT,
    [
      [EXPRESSION.name, name],
      [EXPRESSION.data, data],
    ],
  ]);
}

function payloadAt(offset: number): Attribute[] {
  return [
    [PAYLOAD.base, number(LINK_HEADER)],
    [PAYLOAD.offset, number(offset)],
    [PAYLOAD.length, number(MARK_LENGTH)],
  ];
}

function command(type: number, attributes: readonly Attribute[]): Uint8Array {
  const flags = FLAG.request | FLAG.create | FLAG.ack;
  return emitMessage((SUBSYSTEM << 8) | type, flags, 0, generic(FAMILY_NETDEV, 0), attributes);
}

/** struct nfgenmsg. */
function generic(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, resource >>> 8, resource);
}

/** nf_tables has its numbers in network byte order. */
function number(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value);
  return bytes;
}
