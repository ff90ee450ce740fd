/** A client's first packet to a service, made to be asked about. */
import { IP_PROTOCOL } from "../../net/ip-protocol.ts";
import { emitIpv4 } from "../../net/ipv4.ts";
import { emitIpv6 } from "../../net/ipv6.ts";
import { emitSctp, SCTP_CHUNK } from "../../net/sctp.ts";
import { emitTcp, TCP_FLAG } from "../../net/tcp.ts";
import { emitUdp } from "../../net/udp.ts";
import type { Endpoint, Protocol } from "../desired/service.ts";
import { NO_ARRIVAL, Packet } from "../packets/packet.ts";
import { HEADROOM } from "./explain.ts";

/** Of SCTP's INIT: tag, window, streams each way, first number (RFC 9260 section 3.3.2). */
const INIT = Uint8Array.of(0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1);

export interface FirstPacket {
  readonly protocol: Protocol;
  readonly client: Endpoint;
  readonly to: Endpoint;
  /** 0: none. */
  readonly mark: number;
}

/** As it comes from the wire. */
export function firstPacket({ protocol, client, to, mark }: FirstPacket): Packet {
  const addresses = { source: client.address, destination: to.address };
  const ports = { source: client.port, destination: to.port };
  const body = {
    tcp: () => emitTcp({ ...ports, flags: TCP_FLAG.syn }, new Uint8Array(0), addresses),
    udp: () => emitUdp(ports, new Uint8Array(1), addresses),
    sctp: () =>
      emitSctp({ ...ports, verificationTag: 0 }, [
        { type: SCTP_CHUNK.init, flags: 0, value: INIT },
      ]),
  }[protocol]();
  const number = IP_PROTOCOL[protocol];
  const whole =
    client.address.family === "inet"
      ? emitIpv4({ ...addresses, protocol: number }, body)
      : emitIpv6({ ...addresses, nextHeader: number }, body);
  const bytes = new Uint8Array(HEADROOM + whole.length);
  bytes.set(whole, HEADROOM);
  const packet = new Packet();
  packet.moveTo(bytes, HEADROOM, bytes.length, { ...NO_ARRIVAL, mark, headroom: HEADROOM });
  return packet;
}
