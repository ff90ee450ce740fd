/**
 * Sockets with what Node has no word for: marks, ICMP and its errors. By the C library, so this is loaded only when
 * a probe needs it.
 */
import * as libc from "../../engine/host/system/libc.ts";
import { Address } from "../../net/address.ts";
import type { ProbeSource } from "../checker.ts";

// socket(7), <asm-generic/socket.h>.
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_LINGER = 13;
const SO_MARK = 36;
const AF_INET = 2;
const AF_INET6 = 10;

// Levels and options of <linux/in.h> and <linux/in6.h>.
const IPPROTO_IP = 0;
const IP_RECVERR = 11;
const IPPROTO_IPV6 = 41;
const IPV6_RECVERR = 25;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;

/**
 * Has a socket without connections tell whatever ICMP says of it: of itself it is silent about hosts and networks that are
 * unreachable, which TCP would ask again (icmp_err_convert[] of the kernel, udp_err(), ping_err()).
 */
export function hearErrors(fd: number, towards: string): void {
  const [level, name] = towards.includes(":")
    ? [IPPROTO_IPV6, IPV6_RECVERR]
    : [IPPROTO_IP, IP_RECVERR];
  libc.setOption(fd, level!, name!, 1, "hear what ICMP says of a probe");
}

/** Gives up a socket that nobody took over. */
export const abandon = libc.close;

/** A socket towards `address`, marked as `source` says. The caller closes it. */
export function preparedSocket(
  address: string,
  type: number,
  protocol: number,
  source: ProbeSource | undefined,
): number {
  const fd = libc.socket(domainOf(address), type, protocol, "open a probe's socket");
  try {
    if (type === SOCK_STREAM) {
      // struct linger: on, 0 seconds. Closing is a reset, which leaves no TIME_WAIT: socket(7).
      const linger = new Uint8Array(new Int32Array([1, 0]).buffer);
      libc.setOption(fd, SOL_SOCKET, SO_LINGER, linger, "have a probe's socket reset");
    }
    if (source?.mark !== undefined) {
      libc.setOption(fd, SOL_SOCKET, SO_MARK, source.mark | 0, "mark a probe's socket");
    }
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** Gives a socket the address and port that `source` says, those of any when it does not. */
export function bindAddress(fd: number, towards: string, source: ProbeSource | undefined): void {
  if (source?.address === undefined && source?.port === undefined) return;
  const any = towards.includes(":") ? "::" : "0.0.0.0";
  const local = socketAddress(source.address ?? any, source.port ?? 0);
  libc.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1, "share a probe's port");
  libc.bind(fd, local, `bind a probe to ${source.address ?? any} port ${source.port ?? 0}`);
}

/** struct sockaddr_in or sockaddr_in6: ip(7), ipv6(7). */
export function socketAddress(text: string, port: number): Uint8Array {
  const [numbers = "", zone] = text.split("%");
  const address = Address.parse(numbers);
  if (address === undefined) throw new TypeError(`Cannot send to ${text}: expected an address`);
  const bytes = new Uint8Array(address.family === "inet" ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, domainOf(text), true);
  view.setUint16(2, port);
  address.writeTo(bytes, address.family === "inet" ? 4 : 8);
  if (address.family === "inet6" && zone !== undefined) {
    view.setUint32(24, libc.interfaceIndex(zone), true);
  }
  return bytes;
}

function domainOf(address: string): number {
  return address.includes(":") ? AF_INET6 : AF_INET;
}
