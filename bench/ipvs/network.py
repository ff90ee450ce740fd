"""The generator's device leads to the director, whose other one leads to where packets end."""

import time

from guest_host import SLUICE, offload, on, received, run

VIP = "10.9.0.100"
SERVER = "10.2.0.2"
PORT = 53
CARD = "02:00:00:00:00:02"
# No device has this address: who gets a frame for it throws it away, first thing.
NOBODY = "02:00:00:00:00:99"
SETTLE_S = 0.5
ETHTOOL_STXCSUM = 0x17
ETHTOOL_SGRO = 0x2C


class Network:
    def __init__(self, takes_frames, takes_xdp):
        """Whether the director's device is given frames, and whether it may send frames on."""
        self.takes_frames = takes_frames
        self.takes_xdp = takes_xdp

    def __enter__(self):
        for host in ("director", "sink"):
            run("ip", "netns", "add", host)
            run("ip", "-n", host, "link", "set", "lo", "up")
        run("ip", "link", "add", "out", "type", "veth", "peer", "name", "card", "address", CARD)
        run("ip", "-n", "director", "link", "add", "onward", "type", "veth", "peer", "name", "end", "netns", "1")
        # As what comes from a wire has them: whoever sends makes them.
        offload("out", ETHTOOL_STXCSUM, 0)
        # A veth device takes frames when its peer has NAPI, which comes with GRO.
        for device, is_needed in (("card", self.takes_frames), ("out", self.takes_xdp), ("end", self.takes_xdp)):
            if is_needed:
                offload(device, ETHTOOL_SGRO, 1)
        run("ip", "link", "set", "card", "netns", "director")
        run("ip", "link", "set", "end", "netns", "sink")
        run("ip", "link", "set", "out", "up")
        run("ip", "-n", "sink", "link", "set", "end", "up")
        for device, address in (("card", "10.1.0.1/16"), ("onward", "10.2.0.1/24"), ("lo", VIP + "/32")):
            run("ip", "-n", "director", "address", "add", address, "dev", device)
            run("ip", "-n", "director", "link", "set", device, "up")
        run("ip", "-n", "director", "neigh", "add", SERVER, "lladdr", NOBODY, "dev", "onward", "nud", "permanent")
        on("director", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        # A network card sends frames as they are: no socket buffers are to be made of them here.
        if self.takes_frames and self.takes_xdp:
            throw_away("sink", "end")
        return self

    def __exit__(self, *_):
        run("ip", "link", "delete", "out")
        for host in ("director", "sink"):
            run("ip", "netns", "delete", host)

    def arrived(self):
        return received("sink", "end")

    def settle(self):
        """Until nothing arrives any more."""
        before = -1
        while (now := self.arrived()) != before:
            before = now
            time.sleep(SETTLE_S)


def throw_away(host, device):
    """What comes to the device ends in its driver."""
    run("ip", "-n", host, "link", "set", "dev", device, "xdp", "object", SLUICE + "bench/frames.bpf.o", "program", "throw_away")
