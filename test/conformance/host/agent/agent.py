"""Carries out host cases, each in a network namespace of its own, and reports what happened.

    agent.py                                the programme is /mnt/programme, the report /mnt/report: in a guest
    agent.py PROGRAMME REPORT               elsewhere
    agent.py PROGRAMME REPORT case NUMBER   one case, in the namespace that this process has: its lines of the report

The programme is lines of words; whatever may hold a blank is in hexadecimal digits, and "-" stands for nothing. Its
first line names kernel modules, then come settings and cases (programme.ts writes it and explains the words).
The report has a line for each step: case, step, and what was seen. Uses nothing beyond Debian's python3-minimal.
"""

import os
import select
import signal
import sys
import time

import packets
from talk import Client, LocalClient, LocalServer, Server
from wires import Wire

POLL_S = 0.004
FOLDER = os.environ.get("TMPDIR", "/tmp")
START_MAX_S = 30
COMMAND_MAX_S = 30
# So many frames are looked at before anything else is.
BURST = 64
PROTOCOLS = {"tcp": packets.TCP, "udp": packets.UDP}
MACHINE = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TERM": "dumb", "HOME": "/root"}


def packed(data):
    return data.hex() or "-"


def unpacked(word):
    return b"" if word == "-" else bytes.fromhex(word)


def octets(mac):
    return bytes.fromhex(mac.replace(":", ""))


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Settings:
    """What all cases have in common."""

    def __init__(self):
        self.parallel = 1
        self.quiet_s = 0.03
        self.director = []
        self.tools = {}
        self.variables = {}

    def take(self, verb, words):
        if verb == "parallel":
            self.parallel = int(words[0])
        elif verb == "quiet":
            self.quiet_s = int(words[0]) / 1000
        elif verb == "director":
            self.director = unpacked(words[0]).decode().split("\0")
        elif verb == "tool":
            self.tools[words[0]] = unpacked(words[1])
        else:
            raise ValueError(verb)


class Director:
    """The director under test, where it is a process."""

    def __init__(self, words, folder, environment):
        self.child = None
        if not words:
            return
        self.log = os.path.join(folder, "log")
        socket = environment["SLUICE_SOCKET"]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions = [(os.POSIX_SPAWN_OPEN, descriptor, self.log, flags, 0o600) for descriptor in (1, 2)]
        words = ["setpriv", "--pdeathsig", "KILL", "--", *words, "--socket", socket]
        self.child = os.posix_spawnp(words[0], words, environment, file_actions=actions)
        end = time.monotonic() + START_MAX_S
        while not os.path.exists(socket):
            time.sleep(POLL_S)
            if self.has_ended() or time.monotonic() > end:
                raise RuntimeError("The director does not start: " + self.last_words())

    def has_ended(self):
        if self.child is None:
            return False
        return has_ended(self.child)

    def last_words(self):
        return read(self.log).decode()[-2000:]

    def is_busy(self):
        """Whether one of its threads runs or would, if there were a processor."""
        if self.child is None:
            return False
        folder = "/proc/%d/task" % self.child
        try:
            return any(state_of(folder, task) in (b"R", b"D") for task in os.listdir(folder))
        except FileNotFoundError:
            return False

    def end(self):
        if self.child is not None:
            os.kill(self.child, signal.SIGKILL)


def state_of(folder, task):
    try:
        return read("%s/%s/stat" % (folder, task)).rpartition(b")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return b"X"


class Case:
    """One case's host, with all that is on its wires."""

    def __init__(self, settings, folder):
        self.settings = settings
        self.folder = folder
        self.environment = dict(MACHINE)
        self.environment["PATH"] = folder + ":" + MACHINE["PATH"]
        self.environment["SLUICE_SOCKET"] = os.path.join(folder, "socket")
        # By this posix_spawnp() finds a command.
        os.environ["PATH"] = self.environment["PATH"]
        self.director = Director([], folder, self.environment)
        self.is_started = False
        self.wires = {}
        self.servers = {}
        self.listeners = []
        self.client = None
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
        paths = [os.path.join(self.folder, name) for name in ("stdin", "stdout", "stderr")]
        with open(paths[0], "wb") as file:
            file.write(text)
        flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_TRUNC] * 2)
        actions = [(os.POSIX_SPAWN_OPEN, index, paths[index], flags[index], 0o600) for index in range(3)]
        child = os.posix_spawnp(words[0], words, self.environment, file_actions=actions)
        end = time.monotonic() + COMMAND_MAX_S
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
                raise TimeoutError("This does not end: " + " ".join(words))
            self.pump(POLL_S, None)
        self.settle()
        code = os.waitstatus_to_exitcode(status)
        return ["ran:%d:%s:%s" % (code, *(packed(read(path)) for path in paths[1:]))] + self.told()

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
        self.pump(5, self.settings.quiet_s)

    def pump(self, limit_s, quiet_s, is_done=lambda: False):
        """Lets the case's hosts do what is theirs, so long, or until it has been quiet for so long."""
        now = start = news = time.monotonic()
        end = now + limit_s
        while now < end and not is_done():
            if self.step(min(POLL_S, end - now)):
                news = time.monotonic()
            now = time.monotonic()
            if quiet_s is not None:
                if self.director.is_busy():
                    news = now
                if now - news >= quiet_s:
                    break
        return now - start

    def step(self, wait_s):
        """Whether there was anything."""
        descriptors = [wire.descriptor for wire in self.wires.values()]
        sockets = [listener.socket for listener in self.listeners]
        if isinstance(self.client, LocalClient):
            sockets.append(self.client.socket)
        select.select(descriptors + sockets, [], [], wait_s)
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


def read_programme(path):
    """Modules, settings, and the cases' lines by number."""
    settings = Settings()
    cases = {}
    lines = None
    with open(path) as file:
        modules = file.readline().split()
        for line in file:
            verb, *words = line.split()
            if verb == "case":
                lines = cases[words[0]] = []
            elif lines is None:
                settings.take(verb, words)
            else:
                lines.append((verb, words))
    return modules, settings, cases


def perform(number, lines, settings, report):
    folder = report + ".folder"
    os.mkdir(folder)
    case = Case(settings, folder)
    step = 0
    with open(report + ".part", "w") as file:
        try:
            for verb, words in lines:
                told = case.do(verb, words)
                if case.director.has_ended():
                    raise RuntimeError("The director has ended: " + case.director.last_words())
                if told is None:
                    continue
                if verb == "start":
                    step = 1
                elif step == 0:
                    tell(file, number, "set-up", *told)
                else:
                    tell(file, number, str(step), *told)
                    step += 1
            tell(file, number, "done")
        except Exception as error:
            tell(file, number, "failed", packed(("%s: %s" % (type(error).__name__, error)).encode()))
    case.director.end()
    os.rename(report + ".part", report)
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)


def tell(file, *words):
    file.write(" ".join(words) + "\n")


def spawn(words):
    return os.posix_spawnp(words[0], words, os.environ)


def has_ended(child):
    return os.waitpid(child, os.WNOHANG)[0] != 0


def perform_all(programme, report_path):
    """So many cases at once as the settings say, in their order."""
    modules, settings, cases = read_programme(programme)
    if modules:
        # What there is, is loaded: no other is ever looked for.
        with open("/proc/sys/kernel/modprobe", "w") as file:
            file.write("/bin/false")
    for file in modules:
        os.waitpid(spawn(["busybox", "insmod", "/mnt/modules/" + file]), 0)
    own = [sys.executable, "-S", "-B", os.path.abspath(__file__), programme]
    namespace = ["unshare", "--net", "--"]
    if settings.director:
        # What it starts ends when it does.
        namespace = ["setpriv", "--pdeathsig", "KILL", "--", *namespace]
    waiting = list(cases)
    running = {}
    with open(report_path, "w") as report:
        while waiting or running:
            while waiting and len(running) < settings.parallel:
                number = waiting.pop(0)
                path = "%s/case-%d-%s" % (FOLDER, os.getpid(), number)
                running[path] = spawn([*namespace, *own, path, "case", number])
            # Not until it has ended: a kernel whose IPVS still holds a route through a device waits for that in vain,
            # and who closes the device waits with it.
            for path in [path for path, child in running.items() if os.path.exists(path) or has_ended(child)]:
                del running[path]
                if os.path.exists(path):
                    report.write(read(path).decode())
                    report.flush()
                    os.unlink(path)
            time.sleep(POLL_S)
        tell(report, "end")


def main(words):
    programme, report, *rest = words or ["/mnt/programme", "/mnt/report"]
    if not rest:
        perform_all(programme, report)
        return
    _, number = rest
    _, settings, cases = read_programme(programme)
    perform(number, cases[number], settings, report)


main(sys.argv[1:])
