/**
 * Ping: an ICMP echo request, RFC 792, RFC 4443 section 4.
 *
 * By an unprivileged ICMP socket, whose kernel sees to identifier and checksum (net/ipv4/ping.c), or by a raw one where
 * net.ipv4.ping_group_range does not let us have it.
 */
import { randomBytes } from "node:crypto";
import * as libc from "../../engine/host/system/libc.ts";
import * as checksum from "../../net/checksum.ts";
import type { ProbeTarget } from "../checker.ts";
import type { IcmpSettings } from "./icmp-settings.ts";
import {
  bindAddress,
  hearErrors,
  preparedSocket,
  SOCK_DGRAM,
  SOCK_RAW,
  socketAddress,
} from "./prepared-socket.ts";
import { checker, ProbeFailure, waitFor } from "./probe.ts";

const PAYLOAD_BYTES = 56;
const HEADER_LENGTH = 8;
const DATAGRAM_MAX_BYTES = 2_048;

/** Of what waits in the socket, so many are looked at before other probes have their turn. */
const READS_MAX = 64;

interface Kind {
  readonly protocol: number;
  readonly request: number;
  readonly reply: number;
}

const ICMP: Kind = { protocol: 1, request: 8, reply: 0 };
const ICMPV6: Kind = { protocol: 58, request: 128, reply: 129 };

export const icmp = checker<IcmpSettings>(async (target, settings, signal) => {
  const kind = target.address.includes(":") ? ICMPV6 : ICMP;
  const { fd, isRaw } = openSocket(target, kind);
  try {
    // Nobody else's ping has the same payload, and nobody who does not see ours can answer it.
    const payload = randomBytes(settings.payloadBytes ?? PAYLOAD_BYTES);
    const identifier = target.source?.port ?? payload.readUInt16BE(0);
    await echo(fd, echoRequest(kind, identifier, payload), signal, (received) =>
      isReply(received, kind, isRaw, payload),
    );
    return { up: true, why: "echo reply" };
  } finally {
    libc.close(fd);
  }
});

/** Sends the request, and waits until one of what the socket hears is its reply. */
async function echo(
  fd: number,
  request: Buffer,
  signal: AbortSignal,
  isItsReply: (received: Buffer) => boolean,
): Promise<void> {
  const into = Buffer.alloc(DATAGRAM_MAX_BYTES);
  let watch: libc.ReadableWatch | undefined;
  try {
    await waitFor<void>(signal, "an echo reply", (resolve, reject) => {
      const onReadable = () => {
        for (let reads = 0; reads < READS_MAX; reads++) {
          const length = libc.receive(fd, into);
          if (length === -libc.errno.EAGAIN) return;
          if (length < 0) return reject(faultOf(-length));
          if (isItsReply(into.subarray(0, length))) return resolve();
        }
      };
      watch = new libc.ReadableWatch(fd, onReadable, (errno) => reject(faultOf(errno)));
      const sent = libc.send(fd, request);
      if (sent < 0) reject(faultOf(-sent));
    });
  } finally {
    watch?.[Symbol.dispose]();
  }
}

function openSocket(target: ProbeTarget, { protocol }: Kind): { fd: number; isRaw: boolean } {
  const { address, source } = target;
  const { fd, isRaw } = unprivilegedOrRaw(target, protocol);
  try {
    hearErrors(fd, address);
    // A port of an ICMP socket is its identifier (ping_v4_sendmsg()); a raw one has none.
    const { port, ...withoutPort } = source ?? {};
    bindAddress(fd, address, isRaw || port === undefined ? withoutPort : { ...withoutPort, port });
    libc.connect(fd, socketAddress(address, 0), `ping ${address}`);
    return { fd, isRaw };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function unprivilegedOrRaw({ address, source }: ProbeTarget, protocol: number) {
  try {
    return { fd: preparedSocket(address, SOCK_DGRAM, protocol, source), isRaw: false };
  } catch (error) {
    // ping_init_sock(): the group is not in the range.
    if (!(error instanceof libc.SystemCallError && error.code === "EACCES")) throw error;
    return { fd: preparedSocket(address, SOCK_RAW, protocol, source), isRaw: true };
  }
}

function echoRequest(kind: Kind, identifier: number, payload: Buffer): Buffer {
  const message = Buffer.concat([Buffer.alloc(HEADER_LENGTH), payload]);
  message[0] = kind.request;
  // A socket for ICMP replaces it by its own, a raw one does not.
  message.writeUInt16BE(identifier, 4);
  message.writeUInt16BE(1, 6);
  // ICMPv6's has a pseudo-header: there the kernel does it (rawv6_push_pending_frames()).
  if (kind === ICMP) {
    message.writeUInt16BE(checksum.complement(checksum.sum(message, 0, message.length)), 2);
  }
  return message;
}

/** A raw socket for IPv4 has the IP header before the message: raw(7). */
function isReply(received: Buffer, kind: Kind, isRaw: boolean, payload: Buffer): boolean {
  const start = isRaw && kind === ICMP ? 4 * ((received[0] ?? 0) & 0x0f) : 0;
  return received[start] === kind.reply && received.subarray(start + HEADER_LENGTH).equals(payload);
}

function faultOf(errno: number): Error {
  const code = libc.errnoName(errno);
  // What came back as ICMP: icmp_err_convert[] of the kernel.
  if (code === "ECONNREFUSED") return new ProbeFailure("ICMP: unreachable");
  return Object.assign(new Error(code), { code });
}
