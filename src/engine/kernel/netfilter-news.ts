/** Calls back when the host's firewall changes: nftables tells each commit (NFNLGRP_NFTABLES); the older iptables do not. */
import { bind, close, errno, ReadableWatch, receive, socket } from "../host/system/libc.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_NETFILTER = 12;
const NFTABLES_GROUP = 1 << 6; // NFNLGRP_NFTABLES is 7
const DATAGRAM_MAX = 0x1_0000;
const DATAGRAMS_PER_TURN = 64;
const ATTEMPT = "follow changes of the firewall";

export class NetfilterNews implements Disposable {
  readonly #fd: number;
  readonly #watch: ReadableWatch;
  readonly #buffer = new Uint8Array(DATAGRAM_MAX);

  /** Throws a SystemCallError when the kernel refuses. */
  constructor(onChange: () => void) {
    this.#fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, ATTEMPT);
    try {
      // struct sockaddr_nl.
      const address = new Uint8Array(12);
      const view = new DataView(address.buffer);
      view.setUint16(0, AF_NETLINK, true);
      view.setUint32(8, NFTABLES_GROUP, true);
      bind(this.#fd, address, ATTEMPT);
      const hear = (): void => {
        this.#empty();
        onChange();
      };
      // An error says that news were lost, and so that there were some.
      this.#watch = new ReadableWatch(this.#fd, hear, hear);
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    close(this.#fd);
  }

  /** What the messages say does not matter, nor whether some were lost. */
  #empty(): void {
    for (let datagrams = 0; datagrams < DATAGRAMS_PER_TURN; datagrams++) {
      if (receive(this.#fd, this.#buffer) === -errno.EAGAIN) return;
    }
  }
}
