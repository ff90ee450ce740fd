"""Clients and servers of a case that hold a conversation: on the wires, and as sockets of the director's own host."""

import errno
import socket

import packets
from packets import ACK, FIN, ICMP, ICMPV6, PSH, RST, SYN, TCP, UDP, Packet

REQUEST = b"hello"
ANSWER_MAX = 4096


class Client:
    """A client on a wire: greets, says something, hears the answer, takes its leave. `saw` tells what it saw."""

    def __init__(self, protocol, ends):
        self.protocol = protocol
        self.source, self.source_port, self.destination, self.destination_port = ends
        self.saw = []
        self.sequence = 1000
        self.is_done = False

    def first(self):
        return self.packet(SYN) if self.protocol == TCP else self.packet(0, REQUEST)

    def packet(self, flags, payload=b"", acknowledgement=0):
        ports = (self.source_port, self.destination_port)
        made = Packet(
            self.protocol, self.source, self.destination, ports, payload, flags, self.sequence, acknowledgement
        )
        self.sequence = made.next_sequence()
        return made

    def is_for(self, packet):
        if packet.destination != self.source:
            return False
        return packet.protocol in (ICMP, ICMPV6) or packet.destination_port == self.source_port

    def take(self, packet):
        """What it says to that."""
        if packet.protocol in (ICMP, ICMPV6):
            quoted = packets.read_packet(packet.payload)
            about = "%s:%d" % (quoted.destination, quoted.destination_port) if quoted else "something"
            self.saw.append("icmp %d/%d about %s" % (packet.source_port, packet.destination_port, about))
            self.is_done = True
            return []
        origin = "%s:%d" % (packet.source, packet.source_port)
        if origin != "%s:%d" % (self.destination, self.destination_port):
            self.saw.append("an answer from " + origin)
            self.is_done = True
            return []
        if packet.protocol == UDP:
            self.saw.append("got " + packet.payload.decode())
            self.is_done = True
            return []
        return self.take_segment(packet)

    def take_segment(self, packet):
        if packet.flags & RST:
            self.saw.append("reset")
            self.is_done = True
            return []
        if packet.flags & SYN:
            if "connected" in self.saw:
                return []
            self.saw.append("connected")
            acknowledgement = packet.sequence + 1
            return [self.packet(ACK, b"", acknowledgement), self.packet(ACK | PSH, REQUEST, acknowledgement)]
        answers = []
        if packet.payload:
            self.saw.append("got " + packet.payload.decode())
            answers.append(self.packet(ACK | FIN, b"", packet.next_sequence()))
        if packet.flags & FIN:
            self.saw.append("closed")
            self.is_done = True
            if not packet.payload:
                answers.append(self.packet(ACK, b"", packet.next_sequence()))
        return answers


class Server:
    """A real server on a wire. Keeps nothing: what it says follows from what it hears."""

    def __init__(self, name):
        self.name = name

    def take(self, packet):
        text = "%s sees %s:%d" % (self.name, packet.source, packet.source_port)
        if packet.protocol == UDP:
            return [self.answer(packet, 0, text.encode())]
        if packet.protocol != TCP or packet.flags & RST:
            return []
        if packet.flags & SYN:
            return [self.answer(packet, SYN | ACK)]
        if packet.payload:
            return [self.answer(packet, ACK | PSH, text.encode())]
        if packet.flags & FIN:
            return [self.answer(packet, FIN | ACK)]
        return []

    def answer(self, packet, flags, payload=b""):
        ports = (packet.destination_port, packet.source_port)
        sequence = 5000 if packet.flags & SYN else packet.acknowledgement
        acknowledgement = packet.next_sequence()
        return Packet(
            packet.protocol, packet.destination, packet.source, ports, payload, flags, sequence, acknowledgement
        )


KINDS = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM}


def opened(protocol, address, port):
    """A socket of the director's host, bound so."""
    made = socket.socket(packets.family_of(address), KINDS[protocol])
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    return made


class LocalClient:
    """A client on the director. `saw` tells what its system calls returned."""

    def __init__(self, protocol, ends):
        source, source_port, self.destination, self.destination_port = ends
        self.protocol = protocol
        self.saw = []
        self.is_done = False
        self.is_connected = False
        self.socket = opened(protocol, source, source_port)
        self.attempt(self.connect)

    def attempt(self, what):
        try:
            what()
        except OSError as error:
            if error.errno not in (errno.EINPROGRESS, errno.EAGAIN):
                self.end(what.__name__ + " " + errno.errorcode[error.errno])

    def connect(self):
        self.socket.connect((self.destination, self.destination_port))
        if self.protocol == UDP:
            self.greet()

    def greet(self):
        self.is_connected = True
        if self.protocol == TCP:
            self.saw.append("connected")
        self.attempt(self.send)

    def send(self):
        self.socket.send(REQUEST)

    def ready(self):
        """Its socket has news, perhaps."""
        if self.is_done:
            return
        if not self.is_connected:
            self.attempt(self.finish_connect)
        else:
            self.attempt(self.receive)

    def finish_connect(self):
        trouble = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if trouble:
            raise OSError(trouble, "")
        try:
            self.socket.getpeername()
        except OSError:
            return
        self.greet()

    def receive(self):
        data = self.socket.recv(ANSWER_MAX)
        self.end("got " + data.decode() if data else "closed")

    def end(self, text):
        self.saw.append(text)
        self.is_done = True


class LocalServer:
    """A server on the director."""

    def __init__(self, name, protocol, address, port):
        self.name = name
        self.protocol = protocol
        self.socket = opened(protocol, address, port)
        self.conversations = []
        if protocol == TCP:
            self.socket.listen(16)

    def serve(self):
        """Does what can be done now."""
        try:
            if self.protocol == UDP:
                _, peer = self.socket.recvfrom(ANSWER_MAX)
                self.socket.sendto(self.text_for(peer), peer)
            else:
                conversation, _ = self.socket.accept()
                conversation.setblocking(False)
                self.conversations.append(conversation)
        except OSError:
            pass
        self.conversations = [each for each in self.conversations if self.converse(each)]

    def converse(self, conversation):
        try:
            if not conversation.recv(ANSWER_MAX):
                conversation.close()
                return False
            conversation.send(self.text_for(conversation.getpeername()))
        except BlockingIOError:
            return True
        except OSError:
            conversation.close()
            return False
        return True

    def text_for(self, peer):
        return ("%s sees %s:%d" % (self.name, peer[0], peer[1])).encode()
