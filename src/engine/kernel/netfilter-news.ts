/**
 * Calls back when the host's firewall changes: nftables tells each commit (NFNLGRP_NFTABLES); the older iptables do not,
 * so that where they are in use one has to assume it.
 */
import { readFileSync } from "node:fs";
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
      this.#watch = new ReadableWatch(this.#fd, () => {
        this.#empty();
        onChange();
      });
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

/** Whether this network namespace has tables of the older iptables. */
export function hasLegacyTables(): boolean {
  return ["ip", "ip6"].some(
    (family) => read(`/proc/thread-self/net/${family}_tables_names`) !== "",
  );
}

/**
 * Whether connection tracking is at work here and would take what it sees of a TCP connection again, after packets went by
 * unseen, for invalid: nf_conntrack_in_window().
 */
export function tracksWindows(): boolean {
  const entries = read("/proc/sys/net/netfilter/nf_conntrack_count");
  if (entries === "" || entries === "0") return false;
  return read("/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal") === "0";
}

/** Empty where there is no such file. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1").trim();
  } catch {
    return "";
  }
}
