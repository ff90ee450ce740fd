"""keepalived on the kernel's IPVS, in the guest: for how long do clients still come to a server that died?

The programme (/mnt/programme): kernel modules, then JSON (keepalived.ts). The report (/mnt/report): a line of JSON for each
run, at last how fast the guest's clock went by the host's, and "end". All times are the guest's own.

    agent.py                                    in the guest
    agent.py client ADDRESS EVERY_S PATIENCE_S  begins a connection every so often, as client.ts does
    agent.py server NAME                        says its name to whoever connects

Uses nothing beyond Debian's python3-minimal.
"""

import json
import os
import random
import select
import socket
import subprocess
import sys
import threading
import time

OWN = [sys.executable, "-S", "-B", os.path.abspath(__file__)]
LAN = "192.168.150."
VIP = LAN + "100"
PORT = 80
HOSTS = {"client": 1, "director": 11, "node02": 12, "node03": 13}
PORTS = (1_024, 60_999)
POLL_S = 0.01
MARK = "/mnt/mark"


def at(host, *words):
    return ["ip", "netns", "exec", host, *words]


def run(*words):
    subprocess.run(words, check=True)


def set_in(host, path, value):
    run(*at(host, "sh", "-c", "echo %s >/proc/sys/net/ipv4/%s" % (value, path)))


def build():
    """As laboratories have it: hosts at a switch, which is this namespace's bridge."""
    os.makedirs("/run/netns", exist_ok=True)
    run("ip", "link", "add", "lan", "type", "bridge")
    run("ip", "link", "set", "lan", "up")
    for host, number in HOSTS.items():
        run("ip", "netns", "add", host)
        run("ip", "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", host)
        run("ip", "link", "set", host, "master", "lan", "up")
        run(*at(host, "ip", "link", "set", "lo", "up"))
        run(*at(host, "ip", "address", "add", "%s%d/24" % (LAN, number), "dev", "eth0"))
        run(*at(host, "ip", "link", "set", "eth0", "up"))
    for host in ("node02", "node03"):
        set_in(host, "conf/all/arp_ignore", 1)
        set_in(host, "conf/all/arp_announce", 2)
    for host in ("director", "node02", "node03"):
        run(*at(host, "ip", "address", "add", VIP + "/32", "dev", "lo"))


class Server:
    def __init__(self, name):
        self.name = name
        self.process = None

    def start(self):
        if self.process is None:
            words = at(self.name, *OWN, "server", self.name)
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE)
            self.process.stdout.readline()
        run(*at(self.name, "ip", "link", "set", "eth0", "up"))
        run("ip", "link", "set", self.name, "up")

    def end(self, how):
        # What takes no time first: the moment is taken just before.
        if how == "machine":
            run("ip", "link", "set", self.name, "down")
        if how == "interface":
            run(*at(self.name, "ip", "link", "set", "eth0", "down"))
        elif self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Attempts:
    """What the client tells of its connections: when each began, and who answered."""

    def __init__(self, patience_s, every_s):
        words = at("client", *OWN, "client", VIP, str(every_s), str(patience_s))
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.all = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            began, who = line.split()
            self.all.append((float(began), who))

    def end(self):
        self.process.kill()
        self.process.wait()

    def until(self, is_wanted, limit_s):
        """The first that is as wanted."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            for attempt in list(self.all):
                if is_wanted(*attempt):
                    return attempt
            time.sleep(POLL_S)
        raise RuntimeError("The servers do not answer")

    def quiet(self, since, quiet_s, limit_s):
        """Returns when none failed for a while."""
        end = time.monotonic() + limit_s
        while time.monotonic() - (self.last_failure(since) or since) < quiet_s:
            if time.monotonic() > end:
                raise RuntimeError("A dead server stays in work")
            time.sleep(POLL_S)

    def last_failure(self, since):
        return max((began for began, who in list(self.all) if began >= since and who == "-"), default=None)

    def between(self, first, last):
        return [who for began, who in list(self.all) if first <= began <= last]


def sample(server, attempts, settings, end, common):
    interval_s, limit_s, quiet_s = settings["intervalMs"] / 1000, common["limitMs"] / 1000, common["quietMs"] / 1000
    time.sleep(random.random() * interval_s)
    ended = time.monotonic()
    server.end(end)
    attempts.quiet(ended, quiet_s, limit_s)
    out = attempts.last_failure(ended) or ended
    meanwhile = attempts.between(ended, out)
    returned = time.monotonic()
    server.start()
    back, _ = attempts.until(lambda began, who: began > returned and who == server.name, limit_s)
    attempts.quiet(back, quiet_s, limit_s)
    return {
        "outMs": (out - ended) * 1000,
        "failedPercent": meanwhile.count("-") * 100 / max(1, len(meanwhile)),
        "backMs": (back - returned) * 1000,
    }


def clocks():
    """The guest's, and the host's: its file system says when it wrote."""
    before = time.monotonic()
    with open(MARK, "w") as file:
        file.write("%f" % before)
        file.flush()
        os.fsync(file.fileno())
    return (before + time.monotonic()) / 2, os.stat(MARK).st_mtime


def measure(programme, report):
    build()
    mortal, other = Server("node02"), Server("node03")
    mortal.start()
    other.start()
    began = clocks()
    for settings in programme["settings"]:
        with open("/run/keepalived.conf", "w") as file:
            file.write(settings["conf"])
        words = at("director", "keepalived", "--dont-fork", "--log-console", "--check", "--dont-respawn")
        words += ["--use-file", "/run/keepalived.conf", "--pid", "/run/pid", "--checkers_pid", "/run/checkers-pid"]
        balancer = subprocess.Popen(words)
        attempts = Attempts(programme["patienceMs"] / 1000, programme["everyMs"] / 1000)
        attempts.until(lambda _, who: who == mortal.name, programme["limitMs"] / 1000)
        for end in programme["ends"]:
            for _ in range(programme["runs"]):
                told = sample(mortal, attempts, settings, end, programme)
                report.write(json.dumps({"intervalMs": settings["intervalMs"], "end": end, **told}) + "\n")
                report.flush()
        attempts.end()
        balancer.terminate()
        balancer.wait()
    ended = clocks()
    report.write(json.dumps({"clock": (ended[0] - began[0]) / (ended[1] - began[1])}) + "\n")


def main():
    with open("/mnt/programme") as file:
        modules = file.readline().split()
        programme = json.load(file)
    for module in modules:
        subprocess.run(["busybox", "insmod", "/mnt/modules/" + module])
    with open("/mnt/report", "w") as report:
        measure(programme, report)
        report.write("end\n")


def serve(name):
    listener = socket.create_server(("", PORT), backlog=512)
    print("listening", flush=True)
    while True:
        try:
            connection, _ = listener.accept()
            connection.sendall(name.encode())
            connection.close()
        except OSError:
            pass


class Attempt:
    def __init__(self, address, port):
        self.began = time.monotonic()
        self.who = b""
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("", port))
        self.socket.connect_ex(address)

    def go_on(self):
        """Whether it is over."""
        try:
            data = self.socket.recv(64)
        except BlockingIOError:
            return False
        except OSError:
            self.who = b""
            return True
        self.who += data
        return data == b""

    def tell(self):
        print("%f %s" % (self.began, self.who.decode() or "-"), flush=True)
        self.socket.close()


def connect(address, every_s, patience_s):
    """Each from a port of its own: one from which a connection went to the dead server a moment ago would go there, too."""
    poll = select.epoll()
    running = {}
    port, due = PORTS[0], time.monotonic()
    while True:
        now = time.monotonic()
        if now >= due:
            due = max(due + every_s, now)
            port = PORTS[0] if port == PORTS[1] else port + 1
            attempt = Attempt((address, PORT), port)
            running[attempt.socket.fileno()] = attempt
            poll.register(attempt.socket, select.EPOLLIN)
        over = [number for number, _ in poll.poll(max(0, due - time.monotonic())) if running[number].go_on()]
        late = time.monotonic() - patience_s
        for number, attempt in running.items():
            if attempt.began >= late:
                break
            attempt.who = b""
            over.append(number)
        for number in dict.fromkeys(over):
            poll.unregister(number)
            running.pop(number).tell()


if sys.argv[1:2] == ["client"]:
    connect(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
elif sys.argv[1:2] == ["server"]:
    serve(sys.argv[2])
else:
    main()
