"""What takes packets of the service to its server: the kernel's IPVS, Sluice, programs that do the least, or nobody."""

import json
import signal
import subprocess
import threading

from guest_host import NODE, SLUICE, on, processor_ns, write
from network import CARD, NOBODY, PORT, SERVER, VIP, throw_away

READY_S = 120


class Nothing:
    to = NOBODY

    def __init__(self, variant):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def signal(self, number):
        """To the process, where one takes part."""

    def own_ns(self):
        """The processor's time that the process has had, where one takes part."""
        return 0


class Driver(Nothing):
    """Throws frames away as soon as there are any."""

    def __enter__(self):
        throw_away("director", "card")
        return self


class Ipvs(Nothing):
    to = CARD

    def __init__(self, variant):
        self.method = variant["method"]

    def __enter__(self):
        for words in services(self.method):
            on("director", "ipvsadm", *words)
        return self

    def __exit__(self, *_):
        on("director", "ipvsadm", "-C")


class Yardstick(Nothing):
    """Writes the server's link-layer address into frames, and looks at them no further."""

    to = CARD

    def __init__(self, variant):
        self.hook = variant["hook"]

    def __enter__(self):
        program = [SLUICE + "bench/yardstick-process.ts", "card", VIP, SERVER, "onward", self.hook]
        self.process = start(program)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("The yardstick does not run: " + said(self.process))
        return self

    def __exit__(self, *_):
        end(self.process)


class Sluice(Nothing):
    to = CARD

    def __init__(self, variant):
        self.method = variant["method"]
        self.hook = variant["hook"]
        self.admission = variant["admission"]

    def __enter__(self):
        server = {"address": SERVER, "forwarding": self.method}
        service = {"vip": VIP, "port": PORT, "protocol": "udp", "scheduler": "rr", "destinations": [server]}
        # JSON is YAML.
        write("/run/sluice.yaml", json.dumps({"services": [service]}))
        words = [SLUICE + "dist/sluice.js", "daemon", "--no-state", "--grace", "0", "--config", "/run/sluice.yaml"]
        self.process = start(words + ["--engine", "kernel", "--hook", self.hook, "--admission", self.admission])
        for line in self.process.stdout:
            if "the director runs" in line:
                # It goes on to tell of what is rare, to nobody.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return self
            print(line, end="", flush=True)
        raise RuntimeError("sluice daemon does not run")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=READY_S)

    def signal(self, number):
        # `ip netns exec` has become what it was to run.
        self.process.send_signal(number)

    def own_ns(self):
        return processor_ns(self.process.pid)


KINDS = {"nothing": Nothing, "driver": Driver, "ipvs": Ipvs, "yardstick": Yardstick, "sluice": Sluice}


def services(method):
    service = "%s:%d" % (VIP, PORT)
    return (
        ("-A", "-u", service, "-s", "rr"),
        ("-a", "-u", service, "-r", "%s:%d" % (SERVER, PORT), {"route": "-g", "masquerade": "-m", "tunnel": "-i"}[method]),
    )


def start(words):
    return subprocess.Popen(
        ["ip", "netns", "exec", "director", *NODE, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def end(process):
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=READY_S)


def said(process):
    process.kill()
    return process.communicate()[0][-2000:]
