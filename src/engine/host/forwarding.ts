/** Whether the host forwards: RTM_NEWNETCONF, include/uapi/linux/netconf.h. */
import { attributesIn, type Message, numberIn } from "./netlink/netlink-message.ts";

const RTM_NEWNETCONF = 80;

/** struct netconfmsg, filled up to 4 bytes. */
export const NETCONF_HEADER_LENGTH = 4;
const NETCONFA = { interfaceIndex: 1, forwarding: 2 } as const;

/** net.ipv4.conf.all and its IPv6 kin, whose `forwarding` is ip_forward. */
const ALL_INTERFACES = -1;

/** True for the message that says that forwarding is on for all interfaces. */
export function forwardingIn({ type, body }: Message): boolean {
  if (type !== RTM_NEWNETCONF) return false;
  const attributes = attributesIn(body, NETCONF_HEADER_LENGTH);
  return (
    numberIn(attributes, NETCONFA.interfaceIndex) === ALL_INTERFACES &&
    numberIn(attributes, NETCONFA.forwarding) === 1
  );
}
