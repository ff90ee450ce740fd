/** Prints a line for each gratuitous ARP and unsolicited neighbour advertisement that comes in: `ADDRESS MAC`. */
import { ReadableWatch, receive, socket } from "../../src/engine/host/system/libc.ts";
import { Address } from "../../src/net/address.ts";
import { ArpView } from "../../src/net/arp.ts";
import { ETHERTYPE, EthernetView } from "../../src/net/ethernet.ts";
import { ICMPV6_TYPE, Icmpv6View } from "../../src/net/icmpv6.ts";
import { IP_PROTOCOL } from "../../src/net/ip-protocol.ts";
import { Ipv6View } from "../../src/net/ipv6.ts";
import { readMac } from "../../src/net/mac-address.ts";

const AF_PACKET = 17;
const SOCK_RAW = 3;
/** htons(ETH_P_ALL). */
const ALL = 0x0300;

const fd = socket(AF_PACKET, SOCK_RAW, ALL, "listen");
const buffer = new Uint8Array(2048);
const watch = new ReadableWatch(fd, () => {
  for (let length = receive(fd, buffer); length > 0; length = receive(fd, buffer)) {
    const said = announcedIn(buffer.subarray(0, length));
    if (said !== undefined) process.stdout.write(`${said}\n`);
  }
});
process.on("exit", () => watch[Symbol.dispose]());
process.stdout.write("listening\n");

function announcedIn(frame: Uint8Array): string | undefined {
  const ethernet = new EthernetView();
  if (ethernet.moveTo(frame, 0, frame.length) !== undefined) return undefined;
  const start = ethernet.payloadStart;
  if (ethernet.etherType === ETHERTYPE.arp) {
    const arp = new ArpView();
    if (arp.moveTo(frame, start, frame.length) !== undefined) return undefined;
    const { sender, target, senderMac } = arp.message;
    return sender.equals(target) ? `${sender} ${senderMac}` : undefined;
  }
  if (ethernet.etherType !== ETHERTYPE.ipv6) return undefined;
  const ip = new Ipv6View();
  if (ip.moveTo(frame, start, frame.length) !== undefined) return undefined;
  if (ip.protocol !== IP_PROTOCOL.icmpv6 || !ip.destination.isMulticast) return undefined;
  const icmp = new Icmpv6View();
  if (icmp.moveTo(frame, ip.payloadStart, frame.length) !== undefined) return undefined;
  if (icmp.type !== ICMPV6_TYPE.neighbourAdvertisement) return undefined;
  return `${Address.fromBytes(icmp.payload, 0, "inet6")} ${readMac(icmp.payload, 18)}`;
}
