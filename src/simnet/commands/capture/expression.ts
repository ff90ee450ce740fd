/** What tcpdump shall show: pcap-filter(7), as far as lessons go. */
import { Address } from "../../../net/address.ts";
import { ArpView } from "../../../net/arp.ts";
import { ETHERTYPE, EthernetView } from "../../../net/ethernet.ts";
import { IP_PROTOCOL } from "../../../net/ip-protocol.ts";
import { type MacAddress, parseMac } from "../../../net/mac-address.ts";
import { PortsView } from "../../../net/ports.ts";
import { type Prefix, parsePrefix, prefixContains } from "../../../net/prefix.ts";
import { TCP_FLAG, TcpView } from "../../../net/tcp.ts";
import { datagramOf } from "../../ip/datagram.ts";

/** A frame as filters ask of it. */
export interface Seen {
  readonly length: number;
  readonly macs: { readonly source: MacAddress; readonly destination: MacAddress } | undefined;
  readonly kind: "arp" | "ip" | "ip6" | "other";
  readonly source: Address | undefined;
  readonly destination: Address | undefined;
  readonly protocol: number | undefined;
  readonly ports: { readonly source: number; readonly destination: number } | undefined;
  readonly tcpFlags: number;
}

export type Filter = (seen: Seen) => boolean;

/** Undefined: not a filter. */
export function filterOf(words: readonly string[]): Filter | undefined {
  const tokens = words
    .join(" ")
    .replace(/([()!]|&&|\|\|)/g, " $1 ")
    .trim()
    .split(/\s+/)
    .filter((token) => token !== "");
  if (tokens.length === 0) return () => true;
  const parser = new Parser(tokens);
  const filter = parser.either();
  return parser.isDone ? filter : undefined;
}

export function seenIn(bytes: Uint8Array, hasLink: boolean): Seen {
  const ethernet = hasLink ? EthernetView.over(bytes) : undefined;
  if (typeof ethernet === "string") return { ...NOTHING, length: bytes.length };
  const macs = ethernet && { source: ethernet.source, destination: ethernet.destination };
  const payload = ethernet?.payload ?? bytes;
  const common = { ...NOTHING, length: bytes.length, macs };
  if (ethernet?.etherType === ETHERTYPE.arp) {
    const arp = ArpView.over(payload);
    if (typeof arp === "string") return common;
    const { sender, target } = arp.message;
    return { ...common, kind: "arp", source: sender, destination: target };
  }
  const packet = datagramOf(payload);
  if (packet === undefined) return common;
  const { source, destination, protocol, family } = packet;
  const hasPorts = protocol === IP_PROTOCOL.tcp || protocol === IP_PROTOCOL.udp;
  const ports =
    hasPorts && packet.view.fragmentOffset === 0 ? PortsView.over(packet.payload) : "truncated";
  const tcp = protocol === IP_PROTOCOL.tcp ? TcpView.over(packet.payload) : "truncated";
  return {
    ...common,
    kind: family === "inet" ? "ip" : "ip6",
    source,
    destination,
    protocol,
    ports:
      typeof ports === "string"
        ? undefined
        : { source: ports.source, destination: ports.destination },
    tcpFlags: typeof tcp === "string" ? 0 : tcp.flags,
  };
}

const NOTHING: Seen = {
  length: 0,
  macs: undefined,
  kind: "other",
  source: undefined,
  destination: undefined,
  protocol: undefined,
  ports: undefined,
  tcpFlags: 0,
};

const PROTOCOLS: Readonly<Record<string, Filter>> = {
  arp: ({ kind }) => kind === "arp",
  ip: ({ kind }) => kind === "ip",
  ip6: ({ kind }) => kind === "ip6",
  icmp: ({ kind, protocol }) => kind === "ip" && protocol === IP_PROTOCOL.icmp,
  icmp6: ({ kind, protocol }) => kind === "ip6" && protocol === IP_PROTOCOL.icmpv6,
  tcp: ({ protocol }) => protocol === IP_PROTOCOL.tcp,
  udp: ({ protocol }) => protocol === IP_PROTOCOL.udp,
};

const FLAGS: Readonly<Record<string, number>> = {
  "tcp-fin": TCP_FLAG.fin,
  "tcp-syn": TCP_FLAG.syn,
  "tcp-rst": TCP_FLAG.rst,
  "tcp-push": TCP_FLAG.psh,
  "tcp-ack": TCP_FLAG.ack,
};

type Direction = "source" | "destination" | "both";

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isDone(): boolean {
    return this.#at >= this.#tokens.length;
  }

  either(): Filter | undefined {
    let left = this.#both();
    while (left !== undefined && this.#skip("or", "||")) {
      const [one, other] = [left, this.#both()];
      left = other && ((seen) => one(seen) || other(seen));
    }
    return left;
  }

  #both(): Filter | undefined {
    let left = this.#one();
    while (left !== undefined && this.#skip("and", "&&")) {
      const [one, other] = [left, this.#one()];
      left = other && ((seen) => one(seen) && other(seen));
    }
    return left;
  }

  #one(): Filter | undefined {
    if (this.#skip("not", "!")) {
      const inner = this.#one();
      return inner && ((seen) => !inner(seen));
    }
    if (this.#skip("(")) {
      const inner = this.either();
      return this.#skip(")") ? inner : undefined;
    }
    return this.#primitive();
  }

  #primitive(): Filter | undefined {
    if (this.#skip("ether")) return this.#ether();
    if (this.#skip("greater")) return this.#length((length, limit) => length >= limit);
    if (this.#skip("less")) return this.#length((length, limit) => length <= limit);
    const flags = this.#tcpFlags();
    if (flags !== undefined) return flags;
    const word = this.#tokens[this.#at] ?? "";
    const protocol = PROTOCOLS[word];
    if (protocol !== undefined) {
      this.#at++;
      if (!this.#isQualified()) return protocol;
      const more = this.#qualified();
      return more && ((seen) => protocol(seen) && more(seen));
    }
    return this.#qualified();
  }

  #isQualified(): boolean {
    return ["src", "dst", "host", "port", "net"].includes(this.#tokens[this.#at] ?? "");
  }

  #qualified(): Filter | undefined {
    let direction: Direction = "both";
    if (this.#skip("src")) direction = "source";
    else if (this.#skip("dst")) direction = "destination";
    if (
      direction === "source" &&
      this.#tokens[this.#at] === "or" &&
      this.#tokens[this.#at + 1] === "dst"
    ) {
      this.#at += 2;
      direction = "both";
    }
    if (this.#skip("port")) return portFilter(this.#take(), direction);
    if (this.#skip("net")) return netFilter(parsePrefix(this.#take()), direction);
    this.#skip("host");
    const word = this.#take();
    const address = Address.parse(word);
    return address && netFilter(parsePrefix(word), direction);
  }

  #ether(): Filter | undefined {
    const direction = this.#skip("src") ? "source" : this.#skip("dst") ? "destination" : "both";
    if (this.#skip("broadcast")) return ({ macs }) => macs?.destination === "ff:ff:ff:ff:ff:ff";
    this.#skip("host");
    const mac = parseMac(this.#take());
    if (mac === undefined) return undefined;
    return ({ macs }) =>
      (direction !== "destination" && macs?.source === mac) ||
      (direction !== "source" && macs?.destination === mac);
  }

  #length(compare: (length: number, limit: number) => boolean): Filter | undefined {
    const limit = Number(this.#take() || Number.NaN);
    return Number.isNaN(limit) ? undefined : ({ length }) => compare(length, limit);
  }

  /** `tcp[tcpflags] & (tcp-syn|tcp-ack) != 0`, and `== tcp-syn`. */
  #tcpFlags(): Filter | undefined {
    if (!/^tcp\[(tcpflags|13)\]$/.test(this.#tokens[this.#at] ?? "")) return undefined;
    this.#at++;
    let mask = 0xff;
    if (this.#skip("&")) {
      const bits = this.#flagSum();
      if (bits === undefined) return undefined;
      mask = bits;
    }
    const operator = this.#take();
    const wanted = this.#flagSum();
    if (wanted === undefined) return undefined;
    const isTcp = PROTOCOLS.tcp!;
    if (operator === "!=") return (seen) => isTcp(seen) && (seen.tcpFlags & mask) !== wanted;
    return (seen) => isTcp(seen) && (seen.tcpFlags & mask) === wanted;
  }

  #flagSum(): number | undefined {
    const isOpen = this.#skip("(");
    const words: string[] = [];
    do
      words.push(
        ...this.#take()
          .split("|")
          .filter((word) => word !== ""),
      );
    while (isOpen && !this.isDone && this.#tokens[this.#at] !== ")");
    if (isOpen) this.#skip(")");
    const bits = words.map((word) => FLAGS[word] ?? Number(word));
    return bits.some(Number.isNaN) ? undefined : bits.reduce((sum, bit) => sum | bit, 0);
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? "";
  }

  #skip(...names: readonly string[]): boolean {
    if (!names.includes(this.#tokens[this.#at] ?? "")) return false;
    this.#at++;
    return true;
  }
}

const PORT_MAX = 65_535;
const PORT_NAMES: Readonly<Record<string, number>> = { http: 80, https: 443, domain: 53, ssh: 22 };

function portFilter(text: string, direction: Direction): Filter | undefined {
  const port = PORT_NAMES[text] ?? (/^\d+$/.test(text) ? Number(text) : Number.NaN);
  if (!(port <= PORT_MAX)) return undefined;
  return ({ ports }) =>
    ports !== undefined &&
    ((direction !== "destination" && ports.source === port) ||
      (direction !== "source" && ports.destination === port));
}

function netFilter(prefix: Prefix | undefined, direction: Direction): Filter | undefined {
  if (prefix === undefined) return undefined;
  const isIn = (address: Address | undefined): boolean =>
    address !== undefined && prefixContains(prefix, address);
  return ({ source, destination }) =>
    (direction !== "destination" && isIn(source)) || (direction !== "source" && isIn(destination));
}
