/**
 * Has netfilter's marks cross the lane: into the Ethernet destination of what goes into it, and out of the Ethernet
 * source of what comes back.
 *
 * A chain at the egress of the lane's interface and one at its ingress, each of one rule that nft(8) cannot say (it
 * refuses to write a mark into bytes): so the table is made by netlink messages. It is owned by the socket, and goes with
 * it, and so with the process (netfilter-socket.ts).
 */
import { MAC_LENGTH } from "../../../net/mac-address.ts";
import {
  NETFILTER_FAMILY,
  NetfilterSocket,
  NFT,
  netfilterCommand,
  netfilterNumber,
  TABLE,
  TABLE_OWNED,
} from "../../host/netlink/netfilter-socket.ts";
import { type Attribute, FLAG } from "../../host/netlink/netlink-message.ts";
import { MARK_AT } from "./lane-frame.ts";

/** NFTA_*. */
const CHAIN = { table: 1, name: 3, hook: 4, type: 7 } as const;
const HOOK = { number: 1, priority: 2, device: 3 } as const;
const RULE = { table: 1, chain: 2, expressions: 4 } as const;
const EXPRESSION = { name: 1, data: 2 } as const;
const LIST_ELEMENT = 1;
const META = { into: 1, key: 2, from: 3 } as const;
const PAYLOAD = { into: 1, base: 2, offset: 3, length: 4, from: 5 } as const;

const EGRESS = 1; // NF_NETDEV_EGRESS
const INGRESS = 0; // NF_NETDEV_INGRESS
const META_MARK = 3; // NFT_META_MARK
const LINK_HEADER = 0; // NFT_PAYLOAD_LL_HEADER
const REGISTER = 8; // NFT_REG32_00
const MARK_LENGTH = 4;

const NAME = "sluice_lane";
const ATTEMPT = "have netfilter's marks cross the lane";

export class MarkCarrier implements Disposable {
  readonly #socket = new NetfilterSocket(ATTEMPT);
  readonly #name: string;

  /**
   * `number`: beside which of other processes it stands, which do the same. Throws a SystemCallError when the kernel refuses:
   * without it every packet seems to have no mark.
   */
  constructor(device: string, number = 0) {
    this.#name = number === 0 ? NAME : `${NAME}_${number}`;
    try {
      this.#make(device);
    } catch (error) {
      this.#socket[Symbol.dispose]();
      throw error;
    }
  }

  /** As long as somebody has it open, marks cross. */
  get fd(): number {
    return this.#socket.fd;
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  #make(device: string): void {
    const out = expressions(
      [
        "meta",
        [
          [META.key, netfilterNumber(META_MARK)],
          [META.into, netfilterNumber(REGISTER)],
        ],
      ],
      ["payload", [...payloadAt(MARK_AT), [PAYLOAD.from, netfilterNumber(REGISTER)]]],
    );
    const back = expressions(
      ["payload", [...payloadAt(MAC_LENGTH + MARK_AT), [PAYLOAD.into, netfilterNumber(REGISTER)]]],
      [
        "meta",
        [
          [META.key, netfilterNumber(META_MARK)],
          [META.from, netfilterNumber(REGISTER)],
        ],
      ],
    );
    this.#socket.batch([
      command(NFT.newTable, [
        [TABLE.name, this.#name],
        [TABLE.flags, netfilterNumber(TABLE_OWNED)],
      ]),
      ...chainWith(this.#name, "egress", EGRESS, device, out),
      ...chainWith(this.#name, "ingress", INGRESS, device, back),
    ]);
  }
}

type Expression = readonly [name: string, data: readonly Attribute[]];

function chainWith(
  table: string,
  name: string,
  hook: number,
  device: string,
  rule: readonly Attribute[],
): Uint8Array[] {
  const place: Attribute[] = [
    [HOOK.number, netfilterNumber(hook)],
    [HOOK.priority, netfilterNumber(0)],
    [HOOK.device, device],
  ];
  return [
    command(NFT.newChain, [
      [CHAIN.table, table],
      [CHAIN.name, name],
      [CHAIN.hook, place],
      [CHAIN.type, "filter"],
    ]),
    command(NFT.newRule, [
      [RULE.table, table],
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
    [PAYLOAD.base, netfilterNumber(LINK_HEADER)],
    [PAYLOAD.offset, netfilterNumber(offset)],
    [PAYLOAD.length, netfilterNumber(MARK_LENGTH)],
  ];
}

function command(type: number, attributes: readonly Attribute[]): Uint8Array {
  return netfilterCommand(type, FLAG.create, NETFILTER_FAMILY.netdev, attributes);
}
