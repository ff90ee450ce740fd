"""Where packets come from, and what of: socket buffers, or a driver's frames."""

import re
import subprocess
import time

from guest_host import NODE, SLUICE, kernel_thread, processor_ns, read, write
from network import PORT, VIP

CONTROL = "/proc/net/pktgen/"
FLOWS = 1000

PKTGEN_TRAFFIC = {
    # A thousand clients' ports, one after the other.
    "known": ["src_min 10.1.1.1", "src_max 10.1.1.1", "udp_src_min 10000", "udp_src_max %d" % (10000 + FLOWS - 1)],
    # Nearly each packet is another client's first.
    "new": ["src_min 10.1.1.1", "src_max 10.1.255.250", "udp_src_min 1024", "udp_src_max 65535", "flag IPSRC_RND", "flag UDPSRC_RND"],
}


class Pktgen:
    """The kernel's own generator: the next socket buffer is sent when the last one was forwarded and thrown away."""

    # Socket buffers have nothing to wait for there.
    takes_frames = False

    def __enter__(self):
        self.thread = kernel_thread("kpktgend_0")
        return self

    def __exit__(self, *_):
        write(CONTROL + "kpktgend_0", "rem_device_all")

    def own_ns(self):
        """The processor's time that it has had."""
        return processor_ns(self.thread)

    def send(self, traffic, count, to, delay_ns=0):
        """How many nanoseconds that took."""
        fixed = ["dst_mac " + to, "dst_min " + VIP, "dst_max " + VIP, "udp_dst_min %d" % PORT, "udp_dst_max %d" % PORT]
        write(CONTROL + "kpktgend_0", "rem_device_all")
        write(CONTROL + "kpktgend_0", "add_device out")
        # Masquerading datagrams without a checksum is another matter.
        for line in ["count %d" % count, "pkt_size 60", "delay %d" % delay_ns, "flag UDPCSUM"] + fixed + PKTGEN_TRAFFIC[traffic]:
            write(CONTROL + "out", line)
        # Returns when all are sent, having waited an eighth of a second before.
        write(CONTROL + "pgctrl", "start")
        [microseconds] = re.findall(r"Result: OK: (\d+)\(", read(CONTROL + "out"))
        return int(microseconds) * 1000


class Frames:
    """BPF's live frames, the next 64 when the last ones were forwarded and thrown away, as a driver's NAPI has them."""

    takes_frames = True

    def __enter__(self):
        words = [*NODE, SLUICE + "bench/frames-process.ts", "out", VIP, str(PORT)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("The generator of frames does not run")
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def own_ns(self):
        return processor_ns(self.process.pid)

    def send(self, traffic, count, to, delay_ns=0):
        if delay_ns == 0:
            return self.ask(traffic, count, to)
        for _ in range(count):
            self.ask(traffic, 1, to)
            time.sleep(delay_ns / 1e9)

    def ask(self, traffic, count, to):
        self.process.stdin.write("%s %d %s\n" % (traffic, count, to))
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


GENERATORS = {"pktgen": Pktgen, "frames": Frames}
