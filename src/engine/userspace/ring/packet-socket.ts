/** What a packet socket's receiving and sending side share: packet(7), include/uapi/linux/if_packet.h. */
import { Memory, setOption, socket } from "../../host/system/libc.ts";

const AF_PACKET = 17;
const SOCK_RAW = 3;
export const SOL_PACKET = 263;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const PACKET_VNET_HDR = 15;

/** struct sockaddr_ll. */
export const LINK_ADDRESS_LENGTH = 20;
export const linkAddress = { family: 0, protocol: 2, interfaceIndex: 4, packetType: 10 } as const;

/** A socket that is bound to nothing and so receives nothing yet. Each frame has a struct virtio_net_hdr before it. */
export function openPacketSocket(attempt: string): number {
  const fd = socket(AF_PACKET, SOCK_RAW, 0, `${attempt} (it needs CAP_NET_RAW)`);
  setOption(fd, SOL_PACKET, PACKET_VNET_HDR, 1, attempt);
  return fd;
}

/** The struct sockaddr_ll that binds to `protocol` on an interface, or on every one when that is 0. */
export function bindAddress(protocol: number, interfaceIndex: number): Uint8Array {
  const address = new Uint8Array(LINK_ADDRESS_LENGTH);
  const view = new DataView(address.buffer);
  view.setUint16(linkAddress.family, AF_PACKET, true);
  view.setUint16(linkAddress.protocol, protocol);
  view.setInt32(linkAddress.interfaceIndex, interfaceIndex, true);
  return address;
}

/** Has the kernel run a classic BPF `program` on each frame before it is received, instead of the one before. */
export function attachFilter(fd: number, program: Uint8Array): void {
  const INSTRUCTION_LENGTH = 8;
  const FILTER_PROGRAM_LENGTH = 16;
  using memory = Memory.allocate(FILTER_PROGRAM_LENGTH + program.length);
  memory.view.setUint16(0, program.length / INSTRUCTION_LENGTH, true);
  memory.view.setBigUint64(8, BigInt(memory.address + FILTER_PROGRAM_LENGTH), true);
  memory.bytes.set(program, FILTER_PROGRAM_LENGTH);
  const header = memory.bytes.subarray(0, FILTER_PROGRAM_LENGTH);
  setOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, header, "attach a packet filter");
}
