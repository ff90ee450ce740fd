"""Carries out a programme in the guest and reports what happened, in the order in which it did.

The programme (/mnt/programme) and the report (/mnt/report) are lines of words; whatever may hold a blank is in
hexadecimal digits, and "-" stands for nothing. The programme's first line names kernel modules. kernel-side.ts writes
the rest and reads the report, and explains the words.
Uses nothing beyond Debian's python3-minimal.
"""

import errno
import fcntl
import heapq
import os
import struct
import time

TUNSETIFF = 0x400454CA
IFF_TAP_WITHOUT_HEADER = 0x1002
FRAME_MAX = 65_600
SERVICES_LINES_MAX = 64
ROUND_MAX_S = 5
ROUND_POLL_S = 0.01
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TERM": "dumb"}
KNOBS = "/proc/sys/net/ipv4/vs/"
CAPTURES = {name: "/tmp/" + name for name in ("stdin", "stdout", "stderr")}


def load_modules(files):
    """Loads kernel modules, which come in an order that loads."""
    for file in files:
        spawn(["busybox", "insmod", "/mnt/modules/" + file])


def spawn(words, stdin=b""):
    """Runs a command: its exit code (negative: the signal that ended it), stdout and stderr."""
    with open(CAPTURES["stdin"], "wb") as file:
        file.write(stdin)
    actions = [(os.POSIX_SPAWN_OPEN, 0, CAPTURES["stdin"], os.O_RDONLY, 0)]
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions.append((os.POSIX_SPAWN_OPEN, descriptor, CAPTURES[name], flags, 0o600))
    child = os.posix_spawnp(words[0], words, ENVIRONMENT, file_actions=actions)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), read("/tmp/stdout"), read("/tmp/stderr")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def packed(data):
    return data.hex() or "-"


def unpacked(word):
    return b"" if word == "-" else bytes.fromhex(word)


class Wire:
    """A network device whose other end is this program: what is sent here, the kernel receives before send() returns."""

    def __init__(self, name):
        self.name = name
        self.descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.descriptor, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TAP_WITHOUT_HEADER))

    def send(self, frame):
        os.write(self.descriptor, frame)

    def received(self):
        frames = []
        while True:
            try:
                frame = os.read(self.descriptor, FRAME_MAX)
            except BlockingIOError:
                return frames
            # Multicast is the kernel's own chatter (IPv6's listener reports): every neighbour is known.
            if not frame[0] & 1:
                frames.append(frame)


class Guest:
    def __init__(self, report):
        self.report = report
        self.wires = {}
        self.knobs = None
        self.services = b""
        self.base = None
        self.base_rules = None
        self.is_touched = True

    def tell(self, *words):
        self.report.write(" ".join(words) + "\n")

    def keep_knobs(self):
        """What restore_knobs() gives back."""
        if self.knobs is None:
            self.knobs = {name: read(KNOBS + name) for name in os.listdir(KNOBS)}

    def restore_knobs(self):
        for name, value in (self.knobs or {}).items():
            if read(KNOBS + name) != value:
                write(KNOBS + name, value.decode())
        self.knobs = None

    def write_knob(self, name, value):
        """The error's name or "ok", and the value then."""
        self.keep_knobs()
        descriptor = os.open(KNOBS + name, os.O_WRONLY)
        try:
            os.write(descriptor, value)
            result = "ok"
        except OSError as error:
            result = errno.errorcode[error.errno]
        os.close(descriptor)
        return result.encode() + b"\nreads " + read(KNOBS + name).strip()

    def set(self, path, value):
        """Returns the value before."""
        path = "/proc/sys/" + path
        before = read(path).decode().strip()
        if before != value:
            write(path, value)
        return before

    def run(self, words, stdin):
        code, output, complaint = spawn(words, stdin)
        # What may change the rules without a trace in this file (thresholds, tunnels, timeouts) ends with 0.
        services = read("/proc/net/ip_vs")
        if code == 0 or services != self.services:
            self.is_touched = True
        self.services = services
        return str(code), packed(output), packed(complaint)

    def begin_with(self, rules):
        """Makes exactly these rules, unless they are still as the last begin_with() made them."""
        if self.is_touched or rules != self.base:
            self.run([b"ipvsadm", b"-R"], b"-C\n--set 900 120 300\n" + rules)
            self.base_rules = spawn(["ipvsadm", "-S", "-n"])
        self.base = rules
        self.is_touched = False

    def clear(self):
        """Removes the services of cases that are over: every listing would read them again."""
        if read("/proc/net/ip_vs").count(b"\n") > SERVICES_LINES_MAX:
            self.run([b"ipvsadm", b"-C"], b"")

    def rules(self):
        return spawn(["ipvsadm", "-S", "-n"]) if self.is_touched else self.base_rules

    def do(self, verb, words):
        """One step; returns the words of its report."""
        if verb == "run":
            return ("ran",) + self.run(unpacked(words[0]).split(b"\0"), unpacked(words[1]))
        if verb == "restore":
            return ("ran",) + self.run(*restoring(unpacked(words[0])))
        if verb == "knob":
            return ("saw", packed(self.write_knob(words[0], unpacked(words[1]))))
        if verb == "knobs":
            self.keep_knobs()
            return ("ran",) + spawned(spawn(unpacked(words[0]).split(b"\0"), unpacked(words[1])))
        if verb == "rules":
            return ("ran",) + spawned(self.rules())
        if verb == "begin":
            self.begin_with(unpacked(words[0]))
            return ("set",)
        if verb == "send":
            return ("sent",) + self.exchange(words[0], unpacked(words[1]), int(words[2]))
        if verb == "round":
            self.await_round(words[0], unpacked(words[1]))
            return ("set",)
        if verb == "connections":
            return ("saw", packed(lines_with(read("/proc/net/ip_vs_conn"), words)))
        if verb == "services":
            return ("saw", packed(blocks_with(read("/proc/net/ip_vs"), words)))
        if verb == "totals":
            return ("saw", packed(read("/proc/net/ip_vs_stats")))
        if verb == "sysctl":
            self.set(words[0], unpacked(words[1]).decode())
            return ("set",)
        if verb == "wire":
            self.wires[words[0]] = Wire(words[0])
            return ("set",)
        raise ValueError(verb)

    def exchange(self, name, frame, times=1):
        """What the last of these frames does."""
        for _ in range(times):
            for wire in self.wires.values():
                wire.received()
            self.wires[name].send(frame)
        return tuple(
            wire.name + ":" + packed(frame) for wire in self.wires.values() for frame in wire.received()
        )


    def await_round(self, name, frame):
        """The estimator shows what it counted every 2 s: the frame is one that it counts, so that one sees when."""
        before = read("/proc/net/ip_vs_stats")
        self.exchange(name, frame)
        end = time.monotonic() + ROUND_MAX_S
        while read("/proc/net/ip_vs_stats") == before:
            if time.monotonic() > end:
                raise TimeoutError("The estimator does not count")
            time.sleep(ROUND_POLL_S)


def restoring(rules):
    """The words and the standard input of a command that makes these rules."""
    return [b"ipvsadm", b"-R"], rules


def spawned(result):
    code, output, complaint = result
    return str(code), packed(output), packed(complaint)


def lines_with(text, needles):
    """The lines that hold one of the needles."""
    # A table of thousands is searched faster than its lines, and holds few of them.
    wanted = [needle.encode() for needle in needles if needle.encode() in text]
    if not wanted:
        return b""
    return b"\n".join(line for line in text.split(b"\n") if any(needle in line for needle in wanted))


def blocks_with(text, needles):
    """The services whose line holds one of the needles, with their destinations."""
    wanted = [needle.encode() for needle in needles]
    kept = []
    is_wanted = False
    for line in text.split(b"\n"):
        if not line.startswith(b"  ->"):
            is_wanted = any(needle in line for needle in wanted)
        if is_wanted:
            kept.append(line)
    return b"\n".join(kept)


class Case:
    def __init__(self, name):
        self.name = name
        self.sysctls = []
        self.kept = []
        self.steps = []
        self.next = 0
        self.begun = None

    def advance(self, guest):
        """Does steps until one waits: its milliseconds, or None at the end. Only meanwhile its knobs are in force."""
        before = [(path, guest.set(path, value)) for path, value in self.sysctls]
        wait = self.do_until_wait(guest)
        for path, value in before:
            guest.set(path, value)
        if wait is None:
            guest.restore_knobs()
        return wait

    def do_until_wait(self, guest):
        while self.next < len(self.steps):
            index = self.next
            verb, words = self.steps[index]
            self.next += 1
            if verb == "wait":
                return int(words[0])
            outcome = self.begun if index == 0 and self.begun else guest.do(verb, words)
            guest.tell(self.name, str(index), "%.3f" % (time.monotonic() * 1000), *outcome)
        return None

    def rules(self):
        """What it begins with making, or None."""
        verb, words = self.steps[0]
        return unpacked(words[0]) if verb == "restore" else None


def read_cases(file):
    """Cases between `together` lines: those of one group share the time that they wait."""
    group = []
    for line in file:
        verb, *words = line.split()
        if verb == "together":
            yield group
            group = []
        elif verb == "case":
            group.append(Case(words[0]))
        elif verb == "with":
            group[-1].sysctls.append((words[0], words[1]))
        elif verb == "keep":
            group[-1].kept.append((words[0], words[1]))
        else:
            group[-1].steps.append((verb, words))
    yield group


def begin_together(group, guest):
    """
    One command makes the rules that cases of a group begin with, each its own: a process costs as much as fifty packets.
    Where it has anything to say, each case has a command of its own.
    """
    beginning = [case for case in group if case.rules() is not None]
    if len(beginning) < 2:
        return
    outcome = guest.run(*restoring(b"".join(case.rules() for case in beginning)))
    if outcome != ("0", "-", "-"):
        guest.run([b"ipvsadm", b"-C"], b"")
        return
    for case in beginning:
        case.begun = ("ran",) + outcome


def perform(group, guest):
    before = [(path, guest.set(path, value)) for case in group for path, value in case.kept]
    begin_together(group, guest)
    due = [(0.0, order, case) for order, case in enumerate(group)]
    while due:
        at, order, case = heapq.heappop(due)
        time.sleep(max(0.0, at - time.monotonic()))
        wait = case.advance(guest)
        if wait is None:
            guest.report.flush()
        else:
            heapq.heappush(due, (time.monotonic() + wait / 1000, order, case))
    for path, value in reversed(before):
        guest.set(path, value)


def main():
    with open("/mnt/report", "w") as report, open("/mnt/programme") as programme:
        load_modules(programme.readline().split())
        guest = Guest(report)
        for group in read_cases(programme):
            perform(group, guest)
            guest.clear()
        guest.tell("end")


main()
