"""IP packets and Ethernet frames as a case's hosts on the wires need them: read, and made."""

import socket
import struct

ETHERNET_LENGTH = 14
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = 135, 136
SOLICITED_OVERRIDE = 0x60000000
HOP_LIMIT_OF_NEIGHBOURS = 255
TIME_TO_LIVE = 64
WINDOW = 65535
BROADCAST = b"\xff" * 6


class Packet:
    """What a TCP, UDP or ICMP packet says; None for a field that its protocol has not."""

    def __init__(self, protocol, source, destination, ports=(0, 0), payload=b"", flags=0, sequence=0, acknowledgement=0):
        self.protocol = protocol
        self.source, self.destination = source, destination
        self.source_port, self.destination_port = ports
        self.payload = payload
        self.flags, self.sequence, self.acknowledgement = flags, sequence, acknowledgement

    def next_sequence(self):
        return self.sequence + len(self.payload) + (1 if self.flags & (SYN | FIN) else 0)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def number(address):
    return socket.inet_pton(family_of(address), address)


def text(octets):
    return socket.inet_ntop(socket.AF_INET if len(octets) == 4 else socket.AF_INET6, octets)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def read_packet(data):
    """A Packet, or None for what is none of these, or a fragment behind the first."""
    if data[0] >> 4 == 4:
        start = (data[0] & 15) * 4
        data = data[: struct.unpack_from("!H", data, 2)[0]]
        if struct.unpack_from("!H", data, 6)[0] & 0x1FFF:
            return None
        protocol, source, destination = data[9], text(data[12:16]), text(data[16:20])
    else:
        start = 40
        data = data[: 40 + struct.unpack_from("!H", data, 4)[0]]
        protocol, source, destination = data[6], text(data[8:24]), text(data[24:40])
    return read_transport(protocol, source, destination, data[start:])


def read_transport(protocol, source, destination, data):
    if protocol == TCP and len(data) >= 20:
        ports = struct.unpack_from("!HH", data)
        sequence, acknowledgement, offset, flags = struct.unpack_from("!IIBB", data, 4)
        return Packet(protocol, source, destination, ports, data[(offset >> 4) * 4 :], flags, sequence, acknowledgement)
    if protocol == UDP and len(data) >= 8:
        return Packet(protocol, source, destination, struct.unpack_from("!HH", data), data[8:])
    if protocol in (ICMP, ICMPV6) and len(data) >= 8:
        return Packet(protocol, source, destination, (data[0], data[1]), data[8:])
    return None


def emit_packet(packet):
    ports = (packet.source_port, packet.destination_port)
    if packet.protocol == TCP:
        fields = struct.pack("!IIBB", packet.sequence, packet.acknowledgement, 5 << 4, packet.flags)
        before = struct.pack("!HH", *ports) + fields + struct.pack("!H", WINDOW)
        after = b"\0\0" + packet.payload
    else:
        before = struct.pack("!HHH", *ports, 8 + len(packet.payload))
        after = packet.payload
    return emit_ip(packet.source, packet.destination, packet.protocol, before, after)


def emit_ip(source, destination, protocol, before, after, hops=TIME_TO_LIVE):
    """`before` and `after` the transport's checksum."""
    addresses = number(source) + number(destination)
    length = len(before) + 2 + len(after)
    pseudo = addresses + struct.pack("!IHBB", length, 0, 0, protocol)
    body = before + struct.pack("!H", checksum(pseudo + before + b"\0\0" + after)) + after
    if family_of(source) == socket.AF_INET6:
        return struct.pack("!IHBB", 6 << 28, length, protocol, hops) + addresses + body
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, hops, protocol, 0) + addresses
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def in_frame(destination, source, packet):
    kind = IPV6 if packet[0] >> 4 == 6 else IPV4
    return destination + source + struct.pack("!H", kind) + packet


def ether_type(frame):
    return struct.unpack_from("!H", frame, 12)[0]


def arp_target(frame):
    """Who is asked for, or None: no request."""
    if ether_type(frame) != ARP or struct.unpack_from("!H", frame, 20)[0] != 1:
        return None
    return text(frame[38:42])


def arp_answer(request, mac):
    body = request[14:20] + b"\0\2" + mac + request[38:42] + request[22:32]
    return request[6:12] + mac + struct.pack("!H", ARP) + body


def icmpv6_type(frame):
    """None: no ICMPv6."""
    if ether_type(frame) != IPV6:
        return None
    if frame[20] == 0 and frame[54] == ICMPV6:
        return frame[62]  # Behind the router alert of listener reports.
    return frame[54] if frame[20] == ICMPV6 else None


def solicited(frame):
    """Whom a neighbour solicitation asks for, or None."""
    return text(frame[62:78]) if icmpv6_type(frame) == NEIGHBOUR_SOLICITATION else None


def advertisement(request, mac):
    """The answer, or None: it is only asked whether another has the address."""
    asking, target = text(request[22:38]), request[62:78]
    if asking == "::":
        return None
    before = struct.pack("!BB", NEIGHBOUR_ADVERTISEMENT, 0)
    after = struct.pack("!I", SOLICITED_OVERRIDE) + target + b"\2\1" + mac
    packet = emit_ip(text(target), asking, ICMPV6, before, after, HOP_LIMIT_OF_NEIGHBOURS)
    return in_frame(request[6:12], mac, packet)
