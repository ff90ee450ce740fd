#!/usr/bin/env python3
"""Answers questions about topologies on real network namespaces: topologies as JSON on stdin, answers as JSON on stdout.

To be started in a network namespace of its own, which holds the switches; whatever ends it ends everything else.
"""
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

ANSWER_SECONDS = 0.04
CLONE_NEWNET = 0x40000000
RESET = """
for conf in /proc/sys/net/ipv4/conf/*; do
  for name in arp_ignore arp_announce arp_filter rp_filter accept_local; do echo 0 >$conf/$name; done
done
echo 0 >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/ipv6/conf ] || for conf in all default; do echo 1 >/proc/sys/net/ipv6/conf/$conf/disable_ipv6; done
ip link set lo up
"""


def run(line):
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True)


class Host:
    def __init__(self, name):
        self.name = name
        self.holder = subprocess.Popen(["unshare", "--net", "--", "sh", "-c", "echo; exec sleep 300"], stdout=subprocess.PIPE)
        self.holder.stdout.readline()

    def enter(self, line):
        return ["nsenter", "--target", str(self.holder.pid), "--net", "--", "sh", "-c", line]

    def run(self, line):
        return subprocess.run(self.enter(line), capture_output=True, text=True)


def build(topology):
    hosts = {}
    for segment in topology["segments"]:
        run(f"ip link add {segment} type bridge && ip link set {segment} up")
    for described in topology["hosts"]:
        host = Host(described["name"])
        hosts[host.name] = host
        host.run(RESET)
        for card in described["cards"]:
            port = f"{host.name}-{card['name']}"
            run(f"ip link add {port} type veth peer name {card['name']} address {card['mac']} netns {host.holder.pid}")
            run(f"ip link set {port} master {card['segment']} up")
            host.run(RESET)
        described["done"] = [host.run(line).returncode == 0 for line in described["lines"]]
    return hosts


def remove(topology, hosts):
    for host in hosts.values():
        host.holder.kill()
        host.holder.wait()
    for segment in topology["segments"]:
        run(f"ip link del {segment}")
    # A namespace's end is not waited for by the kernel: its cards' other ends go by hand.
    for described in topology["hosts"]:
        for card in described["cards"]:
            run(f"ip link del {described['name']}-{card['name']}")


def ask(listener, card, mac, sender, target):
    """Who says that it has the target: link-layer addresses, sorted."""
    own = bytes.fromhex(mac.replace(":", ""))
    frame = b"\xff" * 6 + own + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    frame += own + socket.inet_aton(sender) + b"\0" * 6 + socket.inet_aton(target)
    while select.select([listener], [], [], 0)[0]:
        listener.recv(2048)
    listener.sendto(frame, (card, 0x0806))
    found = set()
    end = time.monotonic() + ANSWER_SECONDS
    while (left := end - time.monotonic()) > 0:
        if not select.select([listener], [], [], left)[0]:
            break
        heard = listener.recv(2048)
        is_answer = heard[20:22] == b"\0\2" and heard[28:32] == socket.inet_aton(target)
        if is_answer and heard[38:42] == socket.inet_aton(sender):
            found.add(heard[22:28].hex(":"))
    return sorted(found)


def answer_questions(topology, asker):
    """In a child of its own: a process enters a namespace as a whole."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        descriptor = os.open(f"/proc/{asker.holder.pid}/ns/net", os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
            os._exit(1)
        listeners = {}
        answers = []
        macs = {card["name"]: card["mac"] for host in topology["hosts"] if host["name"] == asker.name for card in host["cards"]}
        for question in topology["questions"]:
            card = question["card"]
            if card not in listeners:
                listeners[card] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
                listeners[card].bind((card, 0x0806))
            answers.append(ask(listeners[card], card, macs[card], question["sender"], question["target"]))
        os.write(write, json.dumps(answers).encode())
        os._exit(0)
    os.close(write)
    text = b""
    while chunk := os.read(read, 65536):
        text += chunk
    os.close(read)
    os.waitpid(child, 0)
    return json.loads(text)


def examine(topology):
    hosts = {}
    try:
        hosts = build(topology)
        time.sleep(0.1)
        pings = [
            subprocess.Popen(hosts[ping["host"]].enter(f"ping -c 1 -W 1 -w 1 {ping['target']}"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for ping in topology["pings"]
        ]
        reached = [ping.wait() == 0 for ping in pings]
        done = [done for host in topology["hosts"] for done in host["done"]]
        return {"done": done, "answers": answer_questions(topology, hosts["asker"]), "reached": reached}
    finally:
        remove(topology, hosts)


print(json.dumps([examine(topology) for topology in json.load(sys.stdin)]))
