"""One case: its host, what is on that host's wires, and the steps."""

import os
import select
import signal
import socket
import time

import packets
from director import POLL_S, Director
from talk import Client, LocalClient, LocalServer, Server
from wires import Wire
from words import octets, packed, read, unpacked

COMMAND_MAX_S = 120
SETTLE_MAX_S = 5
# So many frames are looked at before anything else is.
BURST = 64
INHERITED = 9
PROTOCOLS = {"tcp": packets.TCP, "udp": packets.UDP}
MACHINE = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TERM": "dumb", "HOME": "/root"}


class Case:
    """One case's host, with all that is on its wires."""

    def __init__(self, settings, folder):
        self.settings = settings
        self.folder = folder
        self.environment = dict(MACHINE)
        self.environment["PATH"] = folder + ":" + MACHINE["PATH"]
        self.environment["SLUICE_SOCKET"] = os.path.join(folder, "socket")
        # Rules of another namespace are no reason to wait.
        self.environment["XTABLES_LOCKFILE"] = os.path.join(folder, "xtables.lock")
        # By this posix_spawnp() finds a command.
        os.environ["PATH"] = self.environment["PATH"]
        self.director = Director([], folder, self.environment)
        self.is_started = False
        self.wires = {}
        self.servers = {}
        self.listeners = []
        self.client = None
        # What tells of a command's end, while there is one.
        self.running = None
        self.frames = []
        self.asked = []
        for name, text in settings.tools.items():
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(text)
            os.chmod(path, 0o755)

    def do(self, verb, words):
        """One step: the words that tell of it, or None when there is nothing to tell."""
        if verb == "set":
            self.environment[words[0]] = unpacked(words[1]).decode()
            return None
        if verb == "wire":
            self.wires[words[0]] = Wire(words[0], words[1])
            return None
        if verb == "neighbour":
            self.wires[words[0]].neighbours[words[1]] = octets(words[2])
            return self.nothing()
        if verb == "silent":
            self.wires[words[0]].neighbours.pop(words[1], None)
            return self.nothing()
        if verb == "server":
            self.servers[octets(words[1])] = Server(words[0])
            return None
        if verb == "sysctl":
            write_sysctls(words[0], words[1])
            return None
        if verb == "start":
            self.is_started = True
            self.director = Director(self.settings.director, self.folder, self.environment)
            return []
        self.frames = []
        if verb == "run":
            return self.run(unpacked(words[0]).decode().split("\0"), unpacked(words[1]))
        if verb == "sh":
            return self.run(["sh", "-e"], unpacked(words[0]))
        if verb == "arrive":
            return self.arrive(words[0], int(words[1]), int(words[2]), [unpacked(word) for word in words[3:]])
        if verb == "wait":
            self.pump(int(words[0]) / 1000, None)
            return self.told()
        if verb == "listen":
            self.listeners.append(LocalServer(words[0], PROTOCOLS[words[1]], words[2], int(words[3])))
            return []
        if verb == "talk":
            return self.talk(words)
        if verb == "connect":
            return self.connect(words)
        raise ValueError(verb)

    def nothing(self):
        """Before the start it is a part of the set-up."""
        return [] if self.is_started else None

    def run(self, words, text):
        if words[0] == "ipvsadm" and self.settings.ipvsadm is not None:
            return self.have_run(words[1:], text)
        paths = [os.path.join(self.folder, name) for name in ("stdin", "stdout", "stderr")]
        with open(paths[0], "wb") as file:
            file.write(text)
        flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_TRUNC] * 2)
        actions = [(os.POSIX_SPAWN_OPEN, index, paths[index], flags[index], 0o600) for index in range(3)]
        # Its end closes what it has of this.
        self.running, theirs = os.pipe()
        actions.append((os.POSIX_SPAWN_DUP2, theirs, INHERITED))
        child = os.posix_spawnp(words[0], words, self.environment, file_actions=actions)
        os.close(theirs)
        self.pump(COMMAND_MAX_S, None, lambda: self.running is None)
        if self.running is not None:
            os.kill(child, signal.SIGKILL)
            raise TimeoutError("This does not end: " + " ".join(words))
        _, status = os.waitpid(child, 0)
        self.settle()
        code = os.waitstatus_to_exitcode(status)
        return ["ran:%d:%s:%s" % (code, *(packed(read(path)) for path in paths[1:]))] + self.told()

    def have_run(self, words, text):
        """Asks who runs ipvsadm for us (ipvsadm-server.ts)."""
        asked = ["\0".join(words).encode(), text, self.environment["SLUICE_SOCKET"].encode()]
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(self.settings.ipvsadm)
            server.sendall((" ".join(packed(each) for each in asked) + "\n").encode())
            self.running = os.dup(server.fileno())
            self.pump(COMMAND_MAX_S, None, lambda: self.running is None)
            answer = server.makefile().readline().split()
        self.settle()
        return ["ran:" + ":".join(answer)] + self.told()

    def arrive(self, wire, times, gap_ms, frames):
        for count in range(times):
            if count:
                self.pump(gap_ms / 1000, None)
            for frame in frames:
                self.wires[wire].send(frame)
        self.settle()
        return self.told()

    def told(self):
        return ["frame:%s:%s" % (wire, packed(frame)) for wire, frame in self.frames]

    def settle(self):
        """Until nothing happens any more."""
        self.pump(SETTLE_MAX_S, self.settings.quiet_s)

    def pump(self, limit_s, quiet_s, is_done=lambda: False):
        """Lets the case's hosts do what is theirs, so long, or until it has been quiet for so long."""
        now = start = time.monotonic()
        end = now + limit_s
        quiet_at = end if quiet_s is None else now + quiet_s
        while now < end and not is_done():
            has_news = self.step(min(end, quiet_at) - now)
            now = time.monotonic()
            if has_news and quiet_s is not None:
                quiet_at = now + quiet_s
            elif now >= quiet_at:
                # Of a process nothing tells that it has become busy, or idle.
                if not self.director.is_busy():
                    break
                quiet_at = now + POLL_S
        return now - start

    def step(self, wait_s):
        """Whether there was anything."""
        descriptors = [wire.descriptor for wire in self.wires.values()]
        if self.running is not None:
            descriptors.append(self.running)
        sockets = [each for listener in self.listeners for each in (listener.socket, *listener.conversations)]
        writers = []
        if isinstance(self.client, LocalClient):
            (sockets if self.client.is_connected else writers).append(self.client.socket)
        ready, _, _ = select.select(descriptors + sockets, writers, [], max(0, wait_s))
        if self.running in ready:
            os.close(self.running)
            self.running = None
        for listener in self.listeners:
            listener.serve()
        if isinstance(self.client, LocalClient):
            self.client.ready()
        has_news = False
        for wire in self.wires.values():
            for _ in range(BURST):
                frame = wire.receive()
                if frame is None:
                    break
                has_news = True
                if frame:
                    self.take(wire, frame)
        return has_news

    def take(self, wire, frame):
        if self.client is None:
            self.frames.append((wire.name, frame))
            return
        data = wire.packet_of(frame)
        packet = packets.read_packet(data) if data is not None else None
        if packet is None:
            return
        if isinstance(self.client, Client) and self.client.is_for(packet):
            self.say(wire, frame, self.client.take(packet))
            return
        server = self.servers.get(frame[0:6]) if wire.has_ethernet else None
        if server is None:
            return
        if packet.flags & packets.SYN or packet.protocol == packets.UDP:
            self.note("%s is asked by %s:%d for %s:%d" % (
                server.name, packet.source, packet.source_port, packet.destination, packet.destination_port,
            ))
        answers = server.take(packet)
        # A server that is asked in the service's name answers its client without the director.
        is_direct = isinstance(self.client, Client) and packet.destination == self.client.destination
        if is_direct:
            for answer in answers:
                self.say(self.client.wire, self.client.frame, self.client.take(answer))
        else:
            self.say(wire, frame, answers)

    def note(self, text):
        if text not in self.asked:
            self.asked.append(text)

    def say(self, wire, heard, answers):
        """By the wire and to the neighbour that was heard."""
        for answer in answers:
            data = packets.emit_packet(answer)
            wire.send(packets.in_frame(heard[6:12], heard[0:6], data) if wire.has_ethernet else data)

    def talk(self, words):
        protocol, wire, client_mac, director_mac, limit_ms, *ends = words
        self.client = Client(PROTOCOLS[protocol], ends_of(ends))
        self.client.wire = self.wires[wire]
        # As if the director had been heard.
        self.client.frame = octets(client_mac) + octets(director_mac)
        self.asked = []
        self.say(self.client.wire, self.client.frame, [self.client.first()])
        return self.conversation(int(limit_ms))

    def connect(self, words):
        protocol, limit_ms, *ends = words
        self.client = LocalClient(PROTOCOLS[protocol], ends_of(ends))
        self.asked = []
        lines = self.conversation(int(limit_ms))
        return lines

    def conversation(self, limit_ms):
        client = self.client
        left = limit_ms / 1000
        while left > 0 and not client.is_done:
            passed = self.pump(min(left, 0.05), None, lambda: client.is_done)
            if not self.director.is_busy():
                left -= passed
        if not client.is_done:
            client.saw.append("nothing more" if client.saw else "nothing")
        # It takes its leave while its answers are still heard.
        if isinstance(client, LocalClient):
            client.socket.close()
            client.is_done = True
            self.client = Client(client.protocol, ("-", 0, "-", 0))
        self.settle()
        self.client = None
        return ["line:" + packed(line.encode()) for line in self.asked + client.saw]


def write_sysctls(path, value):
    before, star, after = ("/proc/sys/net/" + path).partition("*")
    for name in os.listdir(before) if star else [""]:
        with open(before + name + after, "w") as file:
            file.write(value)


def ends_of(words):
    source, source_port, destination, destination_port = words
    return source, int(source_port), destination, int(destination_port)
