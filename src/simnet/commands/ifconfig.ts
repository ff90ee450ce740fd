/** `ifconfig` of net-tools: shows interfaces and their labels, gives and takes addresses. */
import { Address } from "../../net/address.ts";
import { broadcastOf, netmask } from "../host/addresses.ts";
import type { InterfaceAddress, NetworkInterface, TrafficCount } from "../host/interface.ts";
import { type Context, immediate, type Program } from "../shell/program.ts";

const REFUSED = 255;

export const ifconfig: Program = immediate((words, context) => {
  const [name, ...settings] = words.filter((word) => word !== "-v");
  if (name === undefined || name === "-a") return showAll(name === "-a", context);
  const [base = name] = name.split(":");
  const card = context.host.interface(base);
  if (settings.length === 0) return showOne(name, card, context);
  if (card === undefined) return complainOfDevice(name, context);
  return set(name, card, settings, context);
});

function showAll(isWhole: boolean, { host, out }: Context): number {
  const sorted = host.interfaces.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  for (const card of sorted) {
    if (!isWhole && !card.isUp) continue;
    out.write(described(card, card.name));
    for (const label of labelsOf(card)) out.write(described(card, label));
  }
  return 0;
}

function labelsOf(card: NetworkInterface): readonly string[] {
  const labels = card.inet.map(({ label }) => label).filter((label) => label !== card.name);
  return [...new Set(labels)].toSorted();
}

function showOne(name: string, card: NetworkInterface | undefined, { out, err }: Context): number {
  if (card === undefined) {
    err.write(`${name}: error fetching interface information: Device not found\n`);
    return 1;
  }
  out.write(described(card, name));
  return 0;
}

function described(card: NetworkInterface, label: string): string {
  const isAlias = label !== card.name;
  const own = card.inet.find((each) => each.label === label);
  const lines = [`${label}: flags=${flagsOf(card)}  mtu ${card.mtu}`];
  if (own !== undefined) lines.push(inetLine(own));
  if (!isAlias) lines.push(...card.inet6.map(inet6Line));
  lines.push(
    card.kind === "loopback"
      ? "        loop  txqueuelen 1000  (Local Loopback)"
      : card.kind === "tunnel"
        ? "        tunnel   txqueuelen 1000  (IPIP Tunnel)"
        : `        ether ${card.mac}  txqueuelen 1000  (Ethernet)`,
  );
  if (!isAlias) {
    lines.push(traffic("RX", card.received, "frame 0"));
    lines.push(traffic("TX", card.sent, "carrier 0  collisions 0"));
  }
  return `${lines.join("\n")}\n\n`;
}

function flagsOf({ kind, isUp }: NetworkInterface): string {
  const names = [
    ...(isUp ? ["UP"] : []),
    ...(kind === "ethernet" ? ["BROADCAST"] : []),
    ...(kind === "loopback" ? ["LOOPBACK"] : []),
    ...(isUp ? ["RUNNING"] : []),
    ...(kind === "tunnel" ? ["NOARP"] : []),
    ...(kind === "ethernet" ? ["MULTICAST"] : []),
  ];
  const number = names.reduce((sum, flag) => sum + FLAGS[flag]!, 0);
  return `${number}<${names.join(",")}>`;
}

/** include/uapi/linux/if.h. */
const FLAGS: Readonly<Record<string, number>> = {
  UP: 1,
  BROADCAST: 2,
  LOOPBACK: 8,
  RUNNING: 64,
  NOARP: 128,
  MULTICAST: 4096,
};

function inetLine({ address, prefixLength, broadcast }: InterfaceAddress): string {
  const all = broadcast === undefined ? "" : `  broadcast ${broadcast}`;
  return `        inet ${address}  netmask ${netmask(prefixLength)}${all}`;
}

function inet6Line({ address, prefixLength, scope }: InterfaceAddress): string {
  const scopes = { global: "0x0<global>", link: "0x20<link>", host: "0x10<host>" };
  const id = scopes[scope as keyof typeof scopes] ?? scopes.global;
  return `        inet6 ${address}  prefixlen ${prefixLength}  scopeid ${id}`;
}

function traffic(
  direction: string,
  { packets, bytes, dropped }: TrafficCount,
  rest: string,
): string {
  const overruns = direction === "RX" ? "  overruns 0  " : " overruns 0  ";
  return (
    `        ${direction} packets ${packets}  bytes ${bytes} (${readable(bytes)})\n` +
    `        ${direction} errors 0  dropped ${dropped}${overruns}${rest}`
  );
}

function readable(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

function set(
  name: string,
  card: NetworkInterface,
  words: readonly string[],
  context: Context,
): number {
  const { host, err } = context;
  const isAlias = name !== card.name;
  let status = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const value = words[at + 1];
    if (word === "up") host.addresses.up(card);
    else if (word === "down") {
      if (!isAlias) host.addresses.down(card);
      else if (!host.addresses.remove(card, ({ label }) => label === name)) {
        err.write("SIOCSIFFLAGS: Cannot assign requested address\n");
        status = REFUSED;
      }
    } else if (word === "netmask" || word === "broadcast" || word === "mtu") {
      at++;
      status = setValue(name, card, word, value ?? "", context) || status;
    } else if (word === "arp" || word === "-arp" || word === "promisc" || word === "-promisc")
      continue;
    else if (word === "add" || word === "inet6") continue;
    else status = setAddress(name, card, word, context) || status;
  }
  return status;
}

/** As devinet_ioctl(): the address first, with its class's mask where no length is said; then the mask, and so on. */
function setAddress(
  name: string,
  card: NetworkInterface,
  text: string,
  { host, err }: Context,
): number {
  const [place = "", length] = text.split("/");
  const address = Address.parse(place);
  if (address === undefined) {
    err.write(`${text}: Unknown host\nifconfig: \`--help' gives usage information.\n`);
    return 1;
  }
  const prefixLength = length === undefined ? classLength(address) : Number(length);
  host.addresses.remove(
    card,
    ({ label, address: { family } }) => label === name && family === "inet",
  );
  host.addresses.up(card);
  return give(name, card, address, prefixLength, host);
}

function give(
  name: string,
  card: NetworkInterface,
  address: Address,
  prefixLength: number,
  host: Context["host"],
  broadcast?: Address,
): number {
  const all =
    card.kind === "loopback" ? undefined : (broadcast ?? broadcastOf(address, prefixLength));
  host.addresses.add(card, { address, prefixLength, label: name, broadcast: all });
  return 0;
}

function setValue(
  name: string,
  card: NetworkInterface,
  word: "netmask" | "broadcast" | "mtu",
  value: string,
  { host, err }: Context,
): number {
  if (word === "mtu") {
    card.mtu = Number(value) || card.mtu;
    return 0;
  }
  const own = card.inet.find(({ label }) => label === name);
  const given = Address.parse(value);
  if (own === undefined || given === undefined) {
    err.write(
      word === "netmask"
        ? "SIOCSIFNETMASK: Cannot assign requested address\n"
        : `${value}: Unknown host\n`,
    );
    return REFUSED;
  }
  const isMask = word === "netmask";
  const prefixLength = isMask ? Math.clz32(~given.w3) : own.prefixLength;
  host.addresses.remove(card, (each) => each === own);
  return give(name, card, own.address, prefixLength, host, isMask ? undefined : given);
}

/** inet_abc_len(): of the times before prefixes. */
function classLength({ w3 }: Address): number {
  const first = w3 >>> 24;
  if (first < 128) return 8;
  return first < 192 ? 16 : 24;
}

function complainOfDevice(name: string, { err }: Context): number {
  err.write(
    `SIOCSIFADDR: No such device\n${name}: ERROR while getting interface flags: No such device\n`,
  );
  return REFUSED;
}
