"""The kernel's own generator: the next packet is sent when the last one was forwarded and thrown away."""

import re

from guest_host import read, write
from network import PORT, VIP

CONTROL = "/proc/net/pktgen/"
FLOWS = 1000

TRAFFIC = {
    # A thousand clients' ports, one after the other.
    "known": ["src_min 10.1.1.1", "src_max 10.1.1.1", "udp_src_min 10000", "udp_src_max %d" % (10000 + FLOWS - 1)],
    # Nearly each packet is another client's first.
    "new": ["src_min 10.1.1.1", "src_max 10.1.255.250", "udp_src_min 1024", "udp_src_max 65535", "flag IPSRC_RND", "flag UDPSRC_RND"],
}


class Pktgen:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        write(CONTROL + "kpktgend_0", "rem_device_all")

    def send(self, traffic, count, to, delay_ns=0):
        """How many nanoseconds that took."""
        fixed = ["dst_mac " + to, "dst_min " + VIP, "dst_max " + VIP, "udp_dst_min %d" % PORT, "udp_dst_max %d" % PORT]
        write(CONTROL + "kpktgend_0", "rem_device_all")
        write(CONTROL + "kpktgend_0", "add_device out")
        # Masquerading datagrams without a checksum is another matter.
        for line in ["count %d" % count, "pkt_size 60", "delay %d" % delay_ns, "flag UDPCSUM"] + fixed + TRAFFIC[traffic]:
            write(CONTROL + "out", line)
        # Returns when all are sent, having waited an eighth of a second before.
        write(CONTROL + "pgctrl", "start")
        [microseconds] = re.findall(r"Result: OK: (\d+)\(", read(CONTROL + "out"))
        return int(microseconds) * 1000
