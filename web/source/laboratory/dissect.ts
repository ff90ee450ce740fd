/**
 * A frame as a person reads it: its headers, outermost first, each with its fields. What does not fit is told as bytes.
 */

export interface Field {
  readonly name: string;
  readonly value: string;
}

export interface Layer {
  /** `Ethernet`, `ARP`, `IPv4`, `TCP`, ... */
  readonly name: string;
  readonly fields: readonly Field[];
}

export interface Dissected {
  readonly layers: readonly Layer[];
  /** One line that tells what it is: `SYN 192.168.150.1:32768 → 192.168.150.100:80`. */
  readonly summary: string;
  /** What stays the same while a packet goes from host to host; undefined where there is none. */
  readonly identity: string | undefined;
}

const ETHERNET_LENGTH = 14;
const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
const PROTOCOL = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmp6: 58 } as const;
const TEXT_MAX = 60;

/** `form`: whether the bytes begin with an Ethernet header, or with an IP header. */
export function dissect(bytes: Uint8Array, form: "frame" | "packet" = "frame"): Dissected {
  const reader = new Reader(bytes);
  try {
    if (form === "packet") reader.ip(0);
    else reader.ethernet();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    reader.layers.push({ name: "cut off", fields: [] });
  }
  return reader;
}

class Reader implements Dissected {
  readonly layers: Layer[] = [];
  summary = "";
  identity: string | undefined;
  readonly #bytes: Uint8Array;
  readonly #data: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  ethernet(): void {
    const type = this.#data.getUint16(12);
    this.#add("Ethernet", [
      ["to", this.#mac(0)],
      ["from", this.#mac(6)],
      ["type", `0x${type.toString(16).padStart(4, "0")}`],
    ]);
    this.summary = `${this.#mac(6)} → ${this.#mac(0)}`;
    if (type === ETHERTYPE.arp) this.#arp(ETHERNET_LENGTH);
    else if (type === ETHERTYPE.ipv4 || type === ETHERTYPE.ipv6) this.ip(ETHERNET_LENGTH);
  }

  /** RFC 826, for IPv4 over Ethernet. */
  #arp(at: number): void {
    const operation = this.#data.getUint16(at + 6);
    const [from, to] = [this.#ipv4(at + 14), this.#ipv4(at + 24)];
    this.#add("ARP", [
      ["says", operation === 1 ? "who has" : "is at"],
      ["sender", from],
      ["sender's MAC", this.#mac(at + 8)],
      ["target", to],
      ["target's MAC", this.#mac(at + 18)],
    ]);
    if (operation === 1) {
      this.summary = from === to ? `ARP: ${from} is mine` : `ARP: who has ${to}? tell ${from}`;
    } else this.summary = `ARP: ${from} is at ${this.#mac(at + 8)}`;
  }

  ip(at: number): void {
    if (this.#data.getUint8(at) >> 4 === 6) this.#inet6(at);
    else this.#inet(at);
  }

  /** RFC 791. */
  #inet(at: number): void {
    const headerLength = (this.#data.getUint8(at) & 0xf) * 4;
    const fragment = this.#data.getUint16(at + 6);
    const protocol = this.#data.getUint8(at + 9);
    const [source, destination] = [this.#ipv4(at + 12), this.#ipv4(at + 16)];
    const id = this.#data.getUint16(at + 4);
    this.#add("IPv4", [
      ["from", source],
      ["to", destination],
      ["time to live", String(this.#data.getUint8(at + 8))],
      ["length", String(this.#data.getUint16(at + 2))],
      ["identification", String(id)],
      ["flags", fragment & 0x4000 ? "don't fragment" : fragment & 0x3fff ? "a fragment" : "none"],
      ["protocol", protocolName(protocol)],
    ]);
    this.identity = `${protocol} ${id}`;
    this.#payload(
      protocol,
      at + headerLength,
      source,
      destination,
      this.#data.getUint16(at + 2) - headerLength,
    );
  }

  /** RFC 8200. */
  #inet6(at: number): void {
    const protocol = this.#data.getUint8(at + 6);
    const [source, destination] = [this.#ipv6(at + 8), this.#ipv6(at + 24)];
    this.#add("IPv6", [
      ["from", source],
      ["to", destination],
      ["hop limit", String(this.#data.getUint8(at + 7))],
      ["length", String(this.#data.getUint16(at + 4))],
      ["next header", protocolName(protocol)],
    ]);
    this.identity = `${protocol}`;
    this.#payload(protocol, at + 40, source, destination, this.#data.getUint16(at + 4));
  }

  #payload(
    protocol: number,
    at: number,
    source: string,
    destination: string,
    length: number,
  ): void {
    this.summary = `${protocolName(protocol)} ${source} → ${destination}`;
    switch (protocol) {
      case PROTOCOL.tcp:
        this.#tcp(at, source, destination, length);
        break;
      case PROTOCOL.udp:
        this.#udp(at, source, destination);
        break;
      case PROTOCOL.icmp:
      case PROTOCOL.icmp6:
        this.#icmp(protocol === PROTOCOL.icmp6, at, source, destination);
        break;
      case PROTOCOL.ipip:
      case PROTOCOL.ipv6: {
        this.ip(at);
        this.summary = `in a tunnel to ${destination}: ${this.summary}`;
        break;
      }
      default:
        break;
    }
  }

  /** RFC 9293. */
  #tcp(at: number, source: string, destination: string, length: number): void {
    const [from, to] = [this.#data.getUint16(at), this.#data.getUint16(at + 2)];
    const headerLength = (this.#data.getUint8(at + 12) >> 4) * 4;
    const flags = flagNames(this.#data.getUint8(at + 13));
    const sequence = this.#data.getUint32(at + 4);
    const data = length - headerLength;
    this.#add("TCP", [
      ["from port", String(from)],
      ["to port", String(to)],
      ["flags", flags],
      ["sequence", String(sequence)],
      ["acknowledges", String(this.#data.getUint32(at + 8))],
      ["data", data > 0 ? this.#text(at + headerLength, data) : "none"],
    ]);
    const what = data > 0 ? `${flags}, ${data} bytes` : flags;
    this.summary = `${what}  ${endpoint(source, from)} → ${endpoint(destination, to)}`;
    // NAT changes addresses and ports, tunnels add a header: these stay.
    this.identity = `${this.identity} ${sequence} ${flags} ${data}`;
  }

  #udp(at: number, source: string, destination: string): void {
    const [from, to, length] = [0, 2, 4].map((offset) => this.#data.getUint16(at + offset)) as [
      number,
      number,
      number,
    ];
    this.#add("UDP", [
      ["from port", String(from)],
      ["to port", String(to)],
      ["data", this.#text(at + 8, length - 8)],
    ]);
    this.summary = `UDP  ${endpoint(source, from)} → ${endpoint(destination, to)}`;
  }

  #icmp(isInet6: boolean, at: number, source: string, destination: string): void {
    const [type, code] = [this.#data.getUint8(at), this.#data.getUint8(at + 1)];
    const says = (isInet6 ? ICMP6 : ICMP)[type] ?? `type ${type}`;
    this.#add(isInet6 ? "ICMPv6" : "ICMP", [
      ["says", says],
      ["code", String(code)],
    ]);
    this.summary = `ICMP ${says}  ${source} → ${destination}`;
  }

  #add(name: string, fields: readonly (readonly [name: string, value: string])[]): void {
    this.layers.push({ name, fields: fields.map(([field, value]) => ({ name: field, value })) });
  }

  #mac(at: number): string {
    return Array.from({ length: 6 }, (_, index) => hex(this.#data.getUint8(at + index))).join(":");
  }

  #ipv4(at: number): string {
    return Array.from({ length: 4 }, (_, index) => this.#data.getUint8(at + index)).join(".");
  }

  #ipv6(at: number): string {
    const groups = Array.from({ length: 8 }, (_, index) =>
      this.#data.getUint16(at + index * 2).toString(16),
    );
    // The longest run of zeroes, RFC 5952 4.2; enough for addresses that a laboratory has.
    return groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::");
  }

  #text(at: number, length: number): string {
    const part = this.#bytes.subarray(at, at + Math.min(length, TEXT_MAX));
    const text = Array.from(part, (byte) =>
      byte >= 32 && byte < 127
        ? String.fromCharCode(byte)
        : byte === 10
          ? "⏎"
          : byte === 13
            ? ""
            : "·",
    );
    return `${text.join("")}${length > TEXT_MAX ? "…" : ""}`;
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function protocolName(protocol: number): string {
  const [name] = Object.entries(PROTOCOL).find(([, number]) => number === protocol) ?? [];
  return name === undefined ? String(protocol) : name.toUpperCase();
}

const FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"] as const;

function flagNames(bits: number): string {
  return FLAGS.filter((_, index) => bits & (1 << index)).join(" ") || "none";
}

const ICMP: Readonly<Record<number, string>> = {
  0: "echo reply",
  3: "destination unreachable",
  5: "redirect",
  8: "echo request",
  11: "time exceeded",
};

const ICMP6: Readonly<Record<number, string>> = {
  1: "destination unreachable",
  2: "packet too big",
  128: "echo request",
  129: "echo reply",
  135: "neighbour solicitation",
  136: "neighbour advertisement",
};

/** Field by field, whether it is another than before: by layer and name. */
export function changedFields(before: Dissected, after: Dissected): ReadonlySet<string> {
  const values = new Map(keyed(before));
  return new Set(keyed(after).flatMap(([key, value]) => (values.get(key) === value ? [] : [key])));
}

function keyed({ layers }: Dissected): [key: string, value: string][] {
  const seen = new Map<string, number>();
  // From the innermost outwards, so that a tunnel's header is what is new, not what was there.
  return layers.toReversed().flatMap(({ name, fields }) => {
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    return fields.map((field): [string, string] => [fieldKey(name, nth, field.name), field.value]);
  });
}

export function fieldKey(layer: string, nthFromInside: number, field: string): string {
  return `${layer} ${nthFromInside} ${field}`;
}
