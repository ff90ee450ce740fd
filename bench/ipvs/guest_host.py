"""Commands and files of the guest's, and what is in them."""

import array
import fcntl
import json
import os
import socket
import struct
import subprocess

SLUICE = "/mnt/sluice/"
NODE = [SLUICE + "node", "--max-semi-space-size=8", "--disable-warning=ExperimentalWarning"]
SIOCETHTOOL = 0x8946


def run(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise RuntimeError("%s: %s%s" % (" ".join(words), done.stdout, done.stderr))
    return done.stdout


def write(path, line):
    with open(path, "w") as file:
        file.write(line + "\n")


def read(path):
    with open(path) as file:
        return file.read()


def on(host, *words, check=True):
    return run("ip", "netns", "exec", host, *words, check=check)


def offload(device, command, value):
    """Turns one of a device's offloads on or off: ethtool -K DEVICE tx off."""
    asked = array.array("I", [command, value])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, SIOCETHTOOL, struct.pack("16sP16x", device.encode(), asked.buffer_info()[0]))


def received(host, device):
    """How many packets a device of a host's has received."""
    [link] = json.loads(run("ip", "-n", host, "-s", "-j", "link", "show", device))
    return link["stats64"]["rx"]["packets"]


def processor_ns(process):
    """The processor's time that all threads of a process have had."""
    threads = "/proc/%d/task/" % process
    return sum(int(read(threads + thread + "/schedstat").split()[0]) for thread in os.listdir(threads))


def kernel_thread(name):
    """The number of a thread of the kernel's."""
    return next(int(each) for each in os.listdir("/proc") if each.isdigit() and read("/proc/%s/comm" % each) == name + "\n")
