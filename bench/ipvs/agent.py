"""
In a guest: packets a second through the kernel's IPVS and through Sluice, the same packets between the same devices, by turns.

The programme (/mnt/programme) names kernel modules in its first line; the rest is JSON: Programme of main.ts. The report
(/mnt/report) has a line of JSON for each measurement. Packets are the kernel's own generator's (pktgen), which sends
the next one when the last one was forwarded and thrown away: on a single processor all that a packet costs is in its rate.
"""

import array
import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time

SLUICE = "/mnt/sluice/"
NODE = [SLUICE + "node", "--max-semi-space-size=8", "--disable-warning=ExperimentalWarning"]
VIP = "10.9.0.100"
SERVER = "10.2.0.2"
CARD = "02:00:00:00:00:02"
# No device has this address: who gets a frame for it throws it away, first thing.
NOBODY = "02:00:00:00:00:99"
READY_S = 120
# A daemon sees the first packets and learns the ways; it keeps what it opened for some packets more.
FIRST = 20
FIRST_DELAY_NS = 20_000_000
WARM_UPS_MAX = 60
SETTLE_S = 0.5
FLOWS = 1000
PORT = 53
SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM = 0x17
ETHTOOL_SGRO = 0x2C

TRAFFIC = {
    # A thousand clients' ports, one after the other.
    "known": ["src_min 10.1.1.1", "src_max 10.1.1.1", "udp_src_min 10000", "udp_src_max %d" % (10000 + FLOWS - 1)],
    # Nearly each packet is another client's first.
    "new": ["src_min 10.1.1.1", "src_max 10.1.255.250", "udp_src_min 1024", "udp_src_max 65535", "flag IPSRC_RND", "flag UDPSRC_RND"],
}


def run(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise RuntimeError("%s: %s%s" % (" ".join(words), done.stdout, done.stderr))
    return done.stdout


def write(path, line):
    with open(path, "w") as file:
        file.write(line + "\n")


def on(host, *words, check=True):
    return run("ip", "netns", "exec", host, *words, check=check)


def offload(device, command, value):
    """Turns one of a device's offloads on or off: ethtool -K DEVICE tx off."""
    asked = array.array("I", [command, value])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, SIOCETHTOOL, struct.pack("16sP16x", device.encode(), asked.buffer_info()[0]))


class Network:
    """The generator's device leads to the director, whose other one leads to where packets end."""

    def __init__(self, takes_xdp):
        self.takes_xdp = takes_xdp

    def __enter__(self):
        for host in ("director", "sink"):
            run("ip", "netns", "add", host)
            run("ip", "-n", host, "link", "set", "lo", "up")
        run("ip", "link", "add", "out", "type", "veth", "peer", "name", "card", "address", CARD, "netns", "director")
        run("ip", "-n", "director", "link", "add", "onward", "type", "veth", "peer", "name", "end", "netns", "1")
        # As what comes from a wire has them: whoever sends makes them.
        offload("out", ETHTOOL_STXCSUM, 0)
        # A veth device takes frames from XDP when its peer has NAPI, which comes with GRO.
        if self.takes_xdp:
            for device in ("out", "end"):
                offload(device, ETHTOOL_SGRO, 1)
        run("ip", "link", "set", "end", "netns", "sink")
        run("ip", "link", "set", "out", "up")
        run("ip", "-n", "sink", "link", "set", "end", "up")
        for device, address in (("card", "10.1.0.1/16"), ("onward", "10.2.0.1/24"), ("lo", VIP + "/32")):
            run("ip", "-n", "director", "address", "add", address, "dev", device)
            run("ip", "-n", "director", "link", "set", device, "up")
        run("ip", "-n", "director", "neigh", "add", SERVER, "lladdr", NOBODY, "dev", "onward", "nud", "permanent")
        on("director", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        return self

    def __exit__(self, *_):
        write("/proc/net/pktgen/kpktgend_0", "rem_device_all")
        run("ip", "link", "delete", "out")
        for host in ("director", "sink"):
            run("ip", "netns", "delete", host)

    def arrived(self):
        [link] = json.loads(run("ip", "-n", "sink", "-s", "-j", "link", "show", "end"))
        return link["stats64"]["rx"]["packets"]

    def settle(self):
        """Until nothing arrives any more."""
        before = -1
        while (now := self.arrived()) != before:
            before = now
            time.sleep(SETTLE_S)

    def warm_up(self, traffic, balancer):
        """Until packets arrive by what is in the kernel alone. How long the last thousand took."""
        self.send(traffic, FIRST, balancer.to, FIRST_DELAY_NS)
        for _ in range(WARM_UPS_MAX):
            self.settle()
            balancer.signal(signal.SIGSTOP)
            taken, arrived = self.send(traffic, FLOWS, balancer.to)
            balancer.signal(signal.SIGCONT)
            if balancer.to == NOBODY or arrived == FLOWS:
                return taken
        raise RuntimeError("Packets do not arrive: %d of %d" % (arrived, FLOWS))

    def send(self, traffic, count, to, delay=0):
        """How many nanoseconds that took, and how many packets came out of the director."""
        write("/proc/net/pktgen/kpktgend_0", "rem_device_all")
        write("/proc/net/pktgen/kpktgend_0", "add_device out")
        fixed = ["dst_mac " + to, "dst_min " + VIP, "dst_max " + VIP, "udp_dst_min %d" % PORT, "udp_dst_max %d" % PORT]
        # Masquerading datagrams without a checksum is another matter.
        for line in ["count %d" % count, "pkt_size 60", "delay %d" % delay, "flag UDPCSUM"] + fixed + TRAFFIC[traffic]:
            write("/proc/net/pktgen/out", line)
        before = self.arrived()
        # Returns when all are sent, having waited an eighth of a second before.
        write("/proc/net/pktgen/pgctrl", "start")
        with open("/proc/net/pktgen/out") as told:
            [microseconds] = re.findall(r"Result: OK: (\d+)\(", told.read())
        return int(microseconds) * 1000, self.arrived() - before


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
        pass

    def __enter__(self):
        program = [SLUICE + "bench/yardstick-process.ts", "card", VIP, SERVER, "onward"]
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
        self.options = variant["options"]

    def __enter__(self):
        server = {"address": SERVER, "forwarding": self.method}
        service = {"vip": VIP, "port": PORT, "protocol": "udp", "scheduler": "rr", "destinations": [server]}
        # JSON is YAML.
        write("/run/sluice.yaml", json.dumps({"services": [service]}))
        words = [SLUICE + "dist/sluice.js", "daemon", "--no-state", "--grace", "0", "--config", "/run/sluice.yaml"]
        self.process = start(words + self.options)
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


KINDS = {"nothing": Nothing, "ipvs": Ipvs, "yardstick": Yardstick, "sluice": Sluice}


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


def measure(variant, millis):
    takes_xdp = "xdp" in variant.get("options", [])
    with Network(takes_xdp) as network, KINDS[variant["kind"]](variant) as balancer:
        for traffic in TRAFFIC:
            warm = network.warm_up(traffic, balancer)
            network.settle()
            count = max(FLOWS, int(FLOWS * millis * 1e6 / warm))
            taken, arrived = network.send(traffic, count, balancer.to)
            yield {
                "name": variant["name"],
                "traffic": traffic,
                "sent": count,
                "arrived": arrived,
                "nanoseconds": taken,
            }


def main():
    with open("/mnt/programme") as programme, open("/mnt/report", "w") as report:

        def tell(**words):
            report.write(json.dumps(words) + "\n")
            report.flush()

        for file in programme.readline().split():
            run("busybox", "insmod", "/mnt/modules/" + file)
        wanted = json.loads(programme.read())
        os.makedirs("/run/netns", exist_ok=True)
        write("/proc/sys/net/core/bpf_jit_enable", "1")
        with open("/proc/cpuinfo") as cpuinfo:
            model = [line for line in cpuinfo if line.startswith("model name")][0]
        tell(processor=model.split(":", 1)[1].strip())
        try:
            for turn in range(wanted["rounds"]):
                for variant in wanted["variants"]:
                    for told in measure(variant, wanted["millis"]):
                        tell(**told)
        except Exception as error:
            tell(failure=str(error))
        report.write("end\n")


main()
