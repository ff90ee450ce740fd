/**
 * IP packets out as the host's own: into the path that a program's packets take, so that the host's routing rules,
 * output and postrouting chains, and neighbours apply to them. raw(7), raw_sendmsg(), rawv6_sendmsg().
 *
 * The kernel does not cut or finish them: a packet longer than the route's MTU is refused (EMSGSIZE), and checksums
 * must be whole.
 */

import type { Route } from "../../../ipvs/host.ts";
import { ADDRESS_LENGTH, type Family } from "../../../net/address.ts";
import { familyAt } from "../../../net/ip-family.ts";
import { IPV4_HEADER_LENGTH, IPV4_OFFSET } from "../../../net/ipv4.ts";
import { IPV6_HEADER_LENGTH, IPV6_OFFSET } from "../../../net/ipv6.ts";
import { close, Memory, SystemCallError, setOption, socket } from "../../host/system/libc.ts";
import { OWN_PRIORITY } from "../door/door-words.ts";
import { MessageBatch, type TransmitStatistics } from "./message-batch.ts";

const SOCK_RAW = 3;
const IPPROTO_RAW = 255;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_PRIORITY = 12;
const SO_MARK = 36;
const IPPROTO_IPV6 = 41;
const IPV6_HDRINCL = 36;
/** Sources that are no address of the host's: without it IPV6_PKTINFO is refused. IPv4 allows it with IPPROTO_RAW. */
const IPV6_TRANSPARENT = 75;

const SEND_BUFFER_BYTES = 0x40_0000;
const BATCH_MAX = 64;
const STAGING_LENGTH = 0x20_0000;

/** struct cmsghdr. */
const CONTROL_HEADER_LENGTH = 16;

/**
 * Where things lie in a struct sockaddr_in or _in6, and in the IP_PKTINFO or IPV6_PKTINFO that names the source: routing
 * rules look at that, and not at the packet. And where the packet has its addresses.
 */
// biome-ignore format: a table
const LAYOUT = {
  inet:  { domain: 2,  headerLength: IPV4_HEADER_LENGTH, offset: IPV4_OFFSET, nameLength: 16, nameAddress: 4, level: 0,            infoType: 8,  infoLength: 12, infoSource: 4, infoIndex: 0 },
  inet6: { domain: 10, headerLength: IPV6_HEADER_LENGTH, offset: IPV6_OFFSET, nameLength: 28, nameAddress: 8, level: IPPROTO_IPV6, infoType: 50, infoLength: 20, infoSource: 0, infoIndex: 16 },
} as const;

/** Of a struct sockaddr_in6. */
const SCOPE_AT = 24;

export class HostSender implements Disposable {
  readonly #senders: Readonly<Record<Family, RawSender | undefined>>;
  #unsupported = 0;

  /** Throws a SystemCallError when the kernel refuses. Without IPv6 in the kernel, packets of it are counted as failed. */
  constructor() {
    using stack = new DisposableStack();
    const inet = stack.use(new RawSender("inet"));
    const inet6 = withoutFamily(() => new RawSender("inet6"));
    this.#senders = { inet, inet6 };
    stack.move();
  }

  /**
   * Takes a whole IP packet, with netfilter's `mark`. It is copied, and leaves with flush() at the latest.
   */
  enqueue(packet: Uint8Array, mark = 0): void {
    this.#sender(packet)?.enqueue(packet, mark, 0, undefined);
  }

  /** As enqueue(), by `route`, wherever the packet says that it goes. A neighbour of the other family it cannot have. */
  enqueueBy({ interfaceIndex, nextHop }: Route, packet: Uint8Array, mark: number): void {
    const to = nextHop.family === familyAt(packet, 0) ? nextHop.bytes() : undefined;
    this.#sender(packet)?.enqueue(packet, mark, interfaceIndex, to);
  }

  #sender(packet: Uint8Array): RawSender | undefined {
    const sender = this.#senders[familyAt(packet, 0)];
    if (sender === undefined) this.#unsupported++;
    return sender;
  }

  /** Sends what waits; what the kernel refuses (a rule that drops: EPERM) is counted and gone. */
  flush(): void {
    this.#senders.inet?.flush();
    this.#senders.inet6?.flush();
  }

  statistics(): TransmitStatistics {
    const both = [this.#senders.inet, this.#senders.inet6].map((sender) => sender?.statistics());
    const failed: Record<string, number> = {};
    if (this.#unsupported > 0) failed.EAFNOSUPPORT = this.#unsupported;
    for (const each of both) {
      for (const [name, count] of Object.entries(each?.failed ?? {})) {
        failed[name] = (failed[name] ?? 0) + count;
      }
    }
    return {
      sent: both.reduce((sum, each) => sum + (each?.sent ?? 0), 0),
      congested: both.reduce((sum, each) => sum + (each?.congested ?? 0), 0),
      failed,
    };
  }

  [Symbol.dispose](): void {
    this.#senders.inet?.[Symbol.dispose]();
    this.#senders.inet6?.[Symbol.dispose]();
  }
}

/** The packets of one family. */
class RawSender implements Disposable {
  readonly #family: Family;
  readonly #fd: number;
  readonly #batch: MessageBatch;
  readonly #staging: Memory;
  #staged = 0;
  #open = true;

  constructor(family: Family) {
    this.#family = family;
    const layout = LAYOUT[family];
    const attempt = "send packets as the host's own";
    this.#fd = socket(layout.domain, SOCK_RAW, IPPROTO_RAW, `${attempt} (it needs CAP_NET_RAW)`);
    using stack = new DisposableStack();
    stack.defer(() => close(this.#fd));
    setOption(this.#fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES, attempt);
    setOption(this.#fd, SOL_SOCKET, SO_PRIORITY, OWN_PRIORITY, attempt);
    if (family === "inet6") {
      setOption(this.#fd, IPPROTO_IPV6, IPV6_HDRINCL, 1, attempt);
      setOption(this.#fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1, attempt);
    }
    const markAt = controlSpace(layout.infoLength);
    const controlLength = markAt + controlSpace(4);
    this.#batch = stack.use(
      new MessageBatch(this.#fd, {
        capacity: BATCH_MAX,
        addressFamily: layout.domain,
        nameLength: layout.nameLength,
        controlLength,
      }),
    );
    this.#staging = Memory.allocate(STAGING_LENGTH);
    for (let slot = 0; slot < BATCH_MAX; slot++) {
      const { view } = this.#batch;
      const control = this.#batch.controlOf(slot);
      writeControlHeader(view, control, layout.level, layout.infoType, layout.infoLength);
      writeControlHeader(view, control + markAt, SOL_SOCKET, SO_MARK, 4);
    }
    stack.move();
  }

  /** `to`: the address that routing looks at, if it is not the packet's. */
  enqueue(
    packet: Uint8Array,
    mark: number,
    interfaceIndex: number,
    to: Uint8Array | undefined,
  ): void {
    const layout = LAYOUT[this.#family];
    if (packet.length < layout.headerLength || packet.length > STAGING_LENGTH) {
      this.#batch.countFailed("EINVAL");
      return;
    }
    if (this.#staged + packet.length > STAGING_LENGTH) this.flush();
    const start = this.#staged;
    this.#staging.bytes.set(packet, start);
    this.#staged += packet.length;
    const { view, bytes, slot } = this.#batch;
    const name = this.#batch.nameOf(slot);
    const control = this.#batch.controlOf(slot);
    const info = control + CONTROL_HEADER_LENGTH;
    const { offset, nameAddress, infoSource, infoIndex } = layout;
    const length = ADDRESS_LENGTH[this.#family];
    if (to === undefined) copy(packet, offset.destination, length, bytes, name + nameAddress);
    else copy(to, 0, length, bytes, name + nameAddress);
    copy(packet, offset.source, length, bytes, info + infoSource);
    view.setUint32(info + infoIndex, interfaceIndex, true);
    if (this.#family === "inet6") view.setUint32(name + SCOPE_AT, interfaceIndex, true);
    const markAt = control + controlSpace(layout.infoLength) + CONTROL_HEADER_LENGTH;
    view.setUint32(markAt, mark >>> 0, true);
    if (this.#batch.add(this.#staging.address + start, packet.length)) this.#staged = 0;
  }

  flush(): void {
    this.#batch.flush();
    this.#staged = 0;
  }

  statistics(): TransmitStatistics {
    return this.#batch.statistics();
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.#fd);
    this.#batch[Symbol.dispose]();
    this.#staging[Symbol.dispose]();
  }
}

function withoutFamily(open: () => RawSender): RawSender | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof SystemCallError && error.code === "EAFNOSUPPORT") return undefined;
    throw error;
  }
}

function copy(
  from: Uint8Array,
  fromStart: number,
  length: number,
  to: Uint8Array,
  toStart: number,
): void {
  for (let index = 0; index < length; index++) to[toStart + index] = from[fromStart + index]!;
}

/** CMSG_SPACE(). */
function controlSpace(length: number): number {
  return CONTROL_HEADER_LENGTH + ((length + 7) & ~7);
}

function writeControlHeader(
  view: DataView,
  start: number,
  level: number,
  type: number,
  length: number,
): void {
  view.setUint32(start, CONTROL_HEADER_LENGTH + length, true);
  view.setInt32(start + 8, level, true);
  view.setInt32(start + 12, type, true);
}
