/**
 * Which frames a packet ring receives, as a classic BPF program that the kernel runs before it copies anything
 * (struct sock_filter, include/uapi/linux/filter.h; Documentation/networking/filter.rst).
 */

const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

/** Loads from SKF_AD_OFF on do not read the frame, but what the kernel knows about it. */
const ANCILLARY = 0xffff_f000;
const PROTOCOL = ANCILLARY;
const PACKET_TYPE = ANCILLARY + 4;
const INTERFACE_INDEX = ANCILLARY + 8;
const HARDWARE_TYPE = ANCILLARY + 28;
const VLAN_TAG_PRESENT = ANCILLARY + 48;

const DROP = 0;
const WHOLE_FRAME = 0xffff_ffff;

const OTHER_HOST = 3; // PACKET_OTHERHOST
const ETHERNET = 1; // ARPHRD_ETHER
const ETHER_TYPES = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

const INSTRUCTION_LENGTH = 8;

/** BPF_MAXINSNS, less what is not per interface. */
const FILTER_INTERFACES_MAX = 2000;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * The program that takes IPv4, IPv6 and ARP frames meant for this host, and drops what else there is:
 * - frames of interfaces without an Ethernet header (the loopback, TUN, WireGuard, IP tunnels);
 * - frames for other hosts, which a promiscuous interface shows;
 * - frames with a VLAN tag: they come again, without it, from the VLAN's own interface;
 * - frames of `ignoredInterfaces`: the host lane, and the ports of bridges and bonds, whose frames come
 *   again from the bridge or bond.
 */
export function receiveFilter(ignoredInterfaces: Iterable<number>): Uint8Array {
  const ignored = [...new Set(ignoredInterfaces)];
  if (ignored.length > FILTER_INTERFACES_MAX) {
    throw new RangeError(
      `Cannot ignore ${ignored.length} interfaces: expected ${FILTER_INTERFACES_MAX} or fewer`,
    );
  }
  return assemble([
    [LOAD_WORD, 0, 0, HARDWARE_TYPE],
    [JUMP_EQUAL, 1, 0, ETHERNET],
    [RETURN, 0, 0, DROP],
    [LOAD_WORD, 0, 0, PACKET_TYPE],
    [JUMP_EQUAL, 0, 1, OTHER_HOST],
    [RETURN, 0, 0, DROP],
    [LOAD_WORD, 0, 0, VLAN_TAG_PRESENT],
    [JUMP_EQUAL, 1, 0, 0],
    [RETURN, 0, 0, DROP],
    [LOAD_WORD, 0, 0, PROTOCOL],
    [JUMP_EQUAL, 3, 0, ETHER_TYPES.ipv4],
    [JUMP_EQUAL, 2, 0, ETHER_TYPES.ipv6],
    [JUMP_EQUAL, 1, 0, ETHER_TYPES.arp],
    [RETURN, 0, 0, DROP],
    [LOAD_WORD, 0, 0, INTERFACE_INDEX],
    ...ignored.flatMap((index): Instruction[] => [
      [JUMP_EQUAL, 0, 1, index],
      [RETURN, 0, 0, DROP],
    ]),
    [RETURN, 0, 0, WHOLE_FRAME],
  ]);
}

function assemble(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_LENGTH);
  const view = new DataView(bytes.buffer);
  instructions.forEach(([code, ifTrue, ifFalse, value], index) => {
    const at = index * INSTRUCTION_LENGTH;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, ifTrue);
    view.setUint8(at + 3, ifFalse);
    view.setUint32(at + 4, value, true);
  });
  return bytes;
}
