"""
In a guest: what a packet costs through the kernel's IPVS and through Sluice, the same packets between the same devices, by turns.

The programme (/mnt/programme) names kernel modules in its first line; the rest is JSON: Programme of main.ts. The report
(/mnt/report) has a line of JSON for each measurement. On a single processor all that a packet costs is in how long it takes to send
and forward many; the guest's clock is the count of the instructions that were executed.
"""

import json
import os
import signal

from balancers import KINDS
from guest_host import run, write
from network import NOBODY, Network
from pktgen import FLOWS, Pktgen

# A daemon sees the first packets and learns the ways; it keeps what it opened for some packets more.
FIRST = 20
FIRST_DELAY_NS = 20_000_000
WARM_UPS_MAX = 60


class Measurement:
    """Of one variant: a network, a balancer and a generator, each the variant's own."""

    def __init__(self, variant, network, balancer, generator):
        self.variant = variant
        self.network = network
        self.balancer = balancer
        self.generator = generator

    def send(self, traffic, count, **more):
        """How many nanoseconds that took, and how many packets came out of the director."""
        before = self.network.arrived()
        taken = self.generator.send(traffic, count, self.balancer.to, **more)
        return taken, self.network.arrived() - before

    def warm_up(self, traffic):
        """Until packets arrive by what is in the kernel alone."""
        self.send(traffic, FIRST, delay_ns=FIRST_DELAY_NS)
        for _ in range(WARM_UPS_MAX):
            self.network.settle()
            self.balancer.signal(signal.SIGSTOP)
            _, arrived = self.send(traffic, FLOWS)
            self.balancer.signal(signal.SIGCONT)
            if self.balancer.to == NOBODY or arrived == FLOWS:
                return
        raise RuntimeError("Packets do not arrive: %d of %d" % (arrived, FLOWS))

    def measure(self, traffic, portions):
        """Sends the portions, one after the other was dealt with."""
        self.warm_up(traffic)
        is_stopped = self.variant.get("isStopped", False)
        sent = arrived = taken = owed = 0
        for portion in portions:
            self.network.settle()
            if is_stopped:
                self.balancer.signal(signal.SIGSTOP)
            nanoseconds, came = self.send(traffic, portion)
            before = self.balancer.own_ns()
            if is_stopped:
                self.balancer.signal(signal.SIGCONT)
            self.network.settle()
            sent += portion
            arrived += came
            taken += nanoseconds
            owed += self.balancer.own_ns() - before
        return {
            "name": self.variant["name"],
            "traffic": traffic,
            "sent": sent,
            "arrived": arrived,
            "nanoseconds": taken,
            "owedNanoseconds": owed,
        }


def measure(variant, portions):
    takes_xdp = "xdp" in variant.get("options", [])
    with Network(takes_xdp) as network, KINDS[variant["kind"]](variant) as balancer, Pktgen() as generator:
        measurement = Measurement(variant, network, balancer, generator)
        for traffic in variant["traffics"]:
            yield measurement.measure(traffic, portions[traffic])


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
        try:
            for _ in range(wanted["rounds"]):
                for variant in wanted["variants"]:
                    for told in measure(variant, wanted["portions"]):
                        tell(**told)
        except Exception as error:
            tell(failure=str(error))
        report.write("end\n")


main()
