"""
In a guest: what a packet costs through the kernel's IPVS and through Sluice, the same packets between the same devices.

The programme (/mnt/programme) names kernel modules in its first line; the rest is JSON: Programme of main.ts. The report
(/mnt/report) has a line of JSON for each measurement. On a single processor all that a packet costs is in how long it takes to send
and forward many; the guest's clock is the count of the instructions that were executed.
"""

import json
import os
import signal

from balancers import KINDS
from generators import FLOWS, GENERATORS
from guest_host import kernel_thread, processor_ns, run, write
from network import NOBODY, Network

# A daemon sees the first packets and learns the ways; it keeps what it opened for some packets more.
FIRST = 20
FIRST_DELAY_NS = 20_000_000
WARM_UPS_MAX = 60


class Measurement:
    """Of one variant: a network, a balancer and a generator, each the variant's own."""

    def __init__(self, variant, network, balancer, generator):
        self.softirqs = kernel_thread("ksoftirqd/0")
        self.variant = variant
        self.network = network
        self.balancer = balancer
        self.generator = generator

    def send(self, traffic, count, **more):
        """How many nanoseconds that took, and how many packets came out of the director."""
        before = self.network.arrived()
        taken = self.generator.send(traffic, count, self.balancer.to, **more)
        return taken, self.network.arrived() - before

    def worked(self):
        """The processor's time that they have had by whom packets are sent, forwarded and heard of."""
        return self.generator.own_ns() + processor_ns(self.softirqs) + self.balancer.own_ns()

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
            worked = self.worked()
            nanoseconds, came = self.send(traffic, portion)
            if is_stopped:
                self.balancer.signal(signal.SIGCONT)
            self.network.settle()
            sent += portion
            arrived += came
            taken += nanoseconds
            # Known flows owe nothing; what a daemon does in half a second besides is not about them.
            if traffic == "new" and not is_stopped and self.balancer.own_ns() > 0:
                owed += max(0, self.worked() - worked - nanoseconds)
        return {
            "generator": self.variant["generator"],
            "name": self.variant["name"],
            "traffic": traffic,
            "sent": sent,
            "arrived": arrived,
            "nanoseconds": taken,
            "owedNanoseconds": owed,
        }


def measure(variant, portions):
    generator_kind = GENERATORS[variant["generator"]]
    takes_xdp = variant.get("hook") == "xdp"
    with Network(generator_kind.takes_frames, takes_xdp) as network, KINDS[variant["kind"]](
        variant
    ) as balancer, generator_kind() as generator:
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
            for variant in wanted["variants"]:
                for told in measure(variant, wanted["portions"]):
                    tell(**told)
        except Exception as error:
            tell(failure=str(error))
        report.write("end\n")


main()
