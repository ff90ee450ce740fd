/** Who listens on this host: /proc/net/tcp and its kin. */
import { readFileSync } from "node:fs";
import { Address } from "../../net/address.ts";

export type Transport = "tcp" | "udp";

export interface Listener {
  /** Undefined: at all addresses of the family, or of both. */
  readonly address: Address | undefined;
  readonly family: Address["family"];
  readonly port: number;
}

/** include/net/tcp_states.h; a datagram socket that is bound and not connected is in "CLOSE". */
const LISTENING: Readonly<Record<Transport, string>> = { tcp: "0A", udp: "07" };

export function readListeners(transport: Transport): readonly Listener[] {
  const tables = [
    { file: `/proc/net/${transport}`, family: "inet" },
    { file: `/proc/net/${transport}6`, family: "inet6" },
  ] as const;
  return tables.flatMap(({ file, family }) => listenersIn(read(file), transport, family));
}

export function listenersIn(
  table: string,
  transport: Transport,
  family: Address["family"],
): readonly Listener[] {
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [hex = "", port = ""] = local.split(":");
    if (state !== LISTENING[transport] || port === "") return [];
    const address = addressOf(hex);
    const isAny = /^0+$/.test(hex);
    return [{ address: isAny ? undefined : address, family, port: Number.parseInt(port, 16) }];
  });
}

/** Words of 32 bits, each in the machine's byte order. */
function addressOf(hex: string): Address | undefined {
  const bytes = Buffer.from(hex, "hex");
  for (let word = 0; word + 4 <= bytes.length; word += 4) bytes.subarray(word, word + 4).reverse();
  if (bytes.length === 4) return Address.parse([...bytes].join("."));
  const groups = Array.from({ length: 8 }, (_, group) =>
    bytes.readUInt16BE(group * 2).toString(16),
  );
  return Address.parse(groups.join(":"));
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Whether what comes for `address` and `port` is heard. A socket at [::] hears IPv4 too, unless it says otherwise. */
export function hears(listener: Listener, address: Address, port: number): boolean {
  if (listener.port !== port) return false;
  if (listener.address !== undefined) return listener.address.equals(address);
  return listener.family === address.family || listener.family === "inet6";
}

export function formatListener({ address, family, port }: Listener): string {
  const any = family === "inet" ? "0.0.0.0" : "[::]";
  if (address === undefined) return `${any}:${port}`;
  return family === "inet" ? `${address.toString()}:${port}` : `[${address.toString()}]:${port}`;
}
