/**
 * ARP for IPv4 over Ethernet, RFC 826.
 *
 *      0          2          4       5       6           8        14         18       24
 *     | hardware | protocol | 6     | 4     | operation | sender | sender   | target | target   |
 *     | 1        | 0x0800   | (MAC) | (IP)  |           | MAC    | IP       | MAC    | IP       |
 */
import { Address } from "./address.ts";
import { ETHERTYPE } from "./ethernet.ts";
import { MAC_LENGTH, type MacAddress, readMac, writeMac, ZERO_MAC } from "./mac-address.ts";
import { View } from "./view.ts";
import { fits, readInt32, readUint16, writeUint16, writeUint32 } from "./words.ts";

export const ARP_LENGTH = 28;

export const ARP_OPERATION = { request: 1, reply: 2 } as const;

/** "unsupported": about other kinds of addresses than Ethernet's and IPv4's. */
export type ArpFault = "truncated" | "unsupported";

/** What a message says, free of where it lies. */
export interface ArpMessage {
  readonly operation: number;
  readonly senderMac: MacAddress;
  readonly sender: Address;
  readonly targetMac: MacAddress;
  readonly target: Address;
}

const HARDWARE_ETHERNET = 1;
const IPV4_LENGTH = 4;

const at = {
  hardware: 0,
  protocol: 2,
  hardwareLength: 4,
  protocolLength: 5,
  operation: 6,
  senderMac: 8,
  sender: 14,
  targetMac: 18,
  target: 24,
} as const;

/** An ARP message where it lies. */
export class ArpView extends View {
  /** Moves to the message at `start`, or says what is wrong with it and stays. */
  moveTo(bytes: Uint8Array, start: number, end: number): ArpFault | undefined {
    if (!fits(bytes, start, end, ARP_LENGTH)) return "truncated";
    const isSupported =
      readUint16(bytes, start + at.hardware) === HARDWARE_ETHERNET &&
      readUint16(bytes, start + at.protocol) === ETHERTYPE.ipv4 &&
      bytes[start + at.hardwareLength] === MAC_LENGTH &&
      bytes[start + at.protocolLength] === IPV4_LENGTH;
    if (!isSupported) return "unsupported";
    return this.place(bytes, start, start + ARP_LENGTH);
  }

  get operation(): number {
    return readUint16(this.bytes, this.start + at.operation);
  }

  get senderMac(): MacAddress {
    return readMac(this.bytes, this.start + at.senderMac);
  }

  /** Signed, as Address.w3. */
  get senderWord(): number {
    return readInt32(this.bytes, this.start + at.sender);
  }

  get targetMac(): MacAddress {
    return readMac(this.bytes, this.start + at.targetMac);
  }

  get targetWord(): number {
    return readInt32(this.bytes, this.start + at.target);
  }

  get message(): ArpMessage {
    return {
      operation: this.operation,
      senderMac: this.senderMac,
      sender: Address.inet(this.senderWord),
      targetMac: this.targetMac,
      target: Address.inet(this.targetWord),
    };
  }
}

export function emitArp({
  operation,
  senderMac,
  sender,
  targetMac,
  target,
}: ArpMessage): Uint8Array {
  const bytes = new Uint8Array(ARP_LENGTH);
  writeUint16(bytes, at.hardware, HARDWARE_ETHERNET);
  writeUint16(bytes, at.protocol, ETHERTYPE.ipv4);
  bytes[at.hardwareLength] = MAC_LENGTH;
  bytes[at.protocolLength] = IPV4_LENGTH;
  writeUint16(bytes, at.operation, operation);
  writeMac(bytes, at.senderMac, senderMac);
  writeUint32(bytes, at.sender, sender.w3);
  writeMac(bytes, at.targetMac, targetMac);
  writeUint32(bytes, at.target, target.w3);
  return bytes;
}

/** Who has `target`? Tell `sender`. With both the same it is an announcement (RFC 5227, "gratuitous ARP"). */
export function emitArpRequest(
  senderMac: MacAddress,
  sender: Address,
  target: Address,
): Uint8Array {
  const operation = ARP_OPERATION.request;
  return emitArp({ operation, senderMac, sender, targetMac: ZERO_MAC, target });
}

/** `request.target` is at `mac`, said to who asked. */
export function emitArpReply(request: ArpMessage, mac: MacAddress): Uint8Array {
  return emitArp({
    operation: ARP_OPERATION.reply,
    senderMac: mac,
    sender: request.target,
    targetMac: request.senderMac,
    target: request.sender,
  });
}
