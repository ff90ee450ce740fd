"""A case's wires: network devices whose other end is this program, and the neighbours on them that answer."""

import fcntl
import os
import struct

import packets

TUNSETIFF = 0x400454CA
# With or without Ethernet's header, and without one of the device's own.
FLAGS = {"tap": 0x1002, "tun": 0x1001}
FRAME_MAX = 65_600

# Multicast listeners, routers: what a host says unasked.
CHATTER = (130, 131, 132, 133, 134, 143)


class Wire:
    def __init__(self, name, kind):
        self.name = name
        self.has_ethernet = kind == "tap"
        self.neighbours = {}
        self.descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.descriptor, TUNSETIFF, struct.pack("16sH14x", name.encode(), FLAGS[kind]))

    def send(self, frame):
        """False: the device is down."""
        try:
            os.write(self.descriptor, frame)
        except OSError:
            return False
        return True

    def receive(self):
        """The next frame that a case may see, None when there is none, b"" for what was dealt with here."""
        try:
            frame = os.read(self.descriptor, FRAME_MAX)
        except BlockingIOError:
            return None
        except OSError:
            return None
        if self.has_ethernet:
            return b"" if self.is_chatter(frame) or self.answer(frame) else frame
        # A tunnel has no neighbours; IPv6's chatter is to multicast addresses.
        return b"" if frame[0] >> 4 == 6 and frame[24] == 0xFF else frame

    def packet_of(self, frame):
        """The IP packet in it, or None."""
        if not self.has_ethernet:
            return frame
        kind = packets.ether_type(frame)
        return frame[packets.ETHERNET_LENGTH :] if kind in (packets.IPV4, packets.IPV6) else None

    def is_chatter(self, frame):
        kind = packets.icmpv6_type(frame)
        return kind in CHATTER or (kind == packets.NEIGHBOUR_SOLICITATION and frame[22:38] == bytes(16))

    def answer(self, frame):
        """Answers who asks for a neighbour that is there. Whether it was such a question."""
        target = packets.arp_target(frame) or packets.solicited(frame)
        mac = self.neighbours.get(target)
        if mac is None:
            return False
        reply = packets.arp_answer(frame, mac) if packets.arp_target(frame) else packets.advertisement(frame, mac)
        if reply is not None:
            self.send(reply)
        return True
