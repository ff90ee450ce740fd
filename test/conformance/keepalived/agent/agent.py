"""Runs a balancer's configurations while real servers come and go by a script, and reports its rules after each step.

    agent.py                      the programme is /mnt/programme, the report /mnt/report: in a guest
    agent.py PROGRAMME REPORT     elsewhere
    agent.py CASE REPORT FOLDER   one case, in the namespaces that this process has

What the balancer tells of its servers (keepalived's lvs_notify_fifo, and scripts that it runs) comes by the pipe `fifo` in the
case's folder.

The programme's first line names kernel modules, the rest is JSON (programme.ts). The report has a line of JSON for each
case: its number and its rules after each step, or why there are none; the last one is "end".
Uses nothing beyond Debian's python3-minimal.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

POLL_S = 0.1
SETTLE_LIMIT = 8
START_LIMIT_S = 60
OWN = [sys.executable, "-S", "-B"]
HERE = os.path.dirname(os.path.abspath(__file__))


def write(path, text, mode=0o644):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


class Servers:
    """The hosts of all real servers, in a namespace of their own (servers.py)."""

    def __init__(self):
        words = ["unshare", "--net", "--", *OWN, os.path.join(HERE, "servers.py")]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        batch(
            "link set lo up",
            "link add balancer type veth peer name servers netns %d" % self.process.pid,
            "address add 10.77.0.1/24 dev balancer",
            "address add fd77::1/64 dev balancer nodad",
            "link set balancer up",
        )
        self.do(["ready"])

    def do(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError("The servers: " + (answer or "have ended"))


def batch(*lines):
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


class Balancer:
    def __init__(self, words, folder, ipvsadm):
        self.socket = os.path.join(folder, "socket")
        self.ipvsadm = ipvsadm
        self.log = os.path.join(folder, "log")
        os.mkfifo(os.path.join(folder, "fifo"), 0o666)
        # Open for both: so that whoever writes never waits for a reader.
        self.told = os.open(os.path.join(folder, "fifo"), os.O_RDWR | os.O_NONBLOCK)
        with open(self.log, "w") as log:
            filled = [word.replace("{folder}", folder) for word in words]
            self.process = subprocess.Popen(filled, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def rules(self):
        if self.process.poll() is not None:
            raise RuntimeError("It has ended: " + self.last_words())
        if self.ipvsadm is None:
            done = subprocess.run(["ipvsadm", "-S", "-n"], capture_output=True, text=True)
            return done.stdout
        # Our ipvsadm runs in one process for all cases (../host/ipvsadm-server.ts).
        asked = [b"-S\0-n", b"", self.socket.encode()]
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(self.ipvsadm)
            server.sendall((" ".join(each.hex() or "-" for each in asked) + "\n").encode())
            _, output, _ = server.makefile().readline().split()
        return "" if output == "-" else bytes.fromhex(output).decode()

    def news(self):
        """What it told since it was asked last."""
        text = b""
        while True:
            try:
                text += os.read(self.told, 65536)
            except BlockingIOError:
                return text.decode()

    def last_words(self):
        with open(self.log) as file:
            return file.read()[-1500:]

    def await_start(self):
        """Every case has a service."""
        end = time.monotonic() + START_LIMIT_S
        while self.rules() == "" and time.monotonic() < end:
            time.sleep(POLL_S)

    def settled(self, quiet_s):
        """The rules when they have been the same for so long."""
        start = changed = time.monotonic()
        rules = self.rules()
        while time.monotonic() - changed < quiet_s:
            if time.monotonic() - start > SETTLE_LIMIT * quiet_s:
                return rules + "(and goes on changing)\n"
            time.sleep(POLL_S)
            now = self.rules()
            if now != rules:
                rules, changed = now, time.monotonic()
        return rules

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def perform(case_path, report_path, folder):
    with open(case_path) as file:
        case = json.load(file)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    for name, text in case["files"].items():
        write(os.path.join(folder, name), text.replace("{folder}", folder), 0o755 if name.endswith(".sh") else 0o644)
    told = {"number": case["number"]}
    balancer = None
    try:
        servers = Servers()
        act(case["begin"], servers, folder)
        balancer = Balancer(case["balancer"], folder, case["ipvsadm"])
        quiet_s = case["quietMs"] / 1000
        balancer.await_start()
        seen = [balancer.settled(quiet_s)]
        news = [balancer.news()]
        for actions in case["steps"]:
            act(actions, servers, folder)
            seen.append(balancer.settled(quiet_s))
            news.append(balancer.news())
        told["rules"] = seen
        told["news"] = news
        told["log"] = balancer.last_words()
    except Exception as error:
        told["why"] = "%s: %s" % (type(error).__name__, error)
    if balancer is not None:
        balancer.end()
    write(report_path + ".part", json.dumps(told) + "\n")
    os.rename(report_path + ".part", report_path)


def act(actions, servers, folder):
    for action in actions:
        if action[0] == "write":
            # At once: a script may read it just now.
            path = os.path.join(folder, action[1])
            write(path + ".new", action[2])
            os.rename(path + ".new", path)
        else:
            servers.do(action)


def perform_all(programme_path, report_path):
    with open(programme_path) as file:
        modules = file.readline().split()
        programme = json.load(file)
    if modules:
        with open("/proc/sys/kernel/modprobe", "w") as file:
            file.write("/bin/false")
    for module in modules:
        subprocess.run(["busybox", "insmod", "/mnt/modules/" + module])
    waiting = programme["cases"]
    running = {}
    with open(report_path, "w") as report:
        while waiting or running:
            while waiting and len(running) < programme["parallel"]:
                running.update([begun(waiting.pop(0))])
            time.sleep(POLL_S)
            for folder, process in list(running.items()):
                if process.poll() is None:
                    continue
                del running[folder]
                with open(folder + "/report") as file:
                    report.write(file.read())
                report.flush()
                shutil.rmtree(folder)
        report.write("end\n")


def begun(case):
    folder = "%s/keepalived-%d-%d" % (os.environ.get("TMPDIR", "/tmp"), os.getpid(), case["number"])
    os.mkdir(folder)
    write(folder + "/case", json.dumps(case))
    # Whatever it starts ends with it.
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", *OWN]
    words += [os.path.abspath(__file__), folder + "/case", folder + "/report", folder]
    return folder, subprocess.Popen(words)


def main(words):
    if len(words) == 3:
        perform(*words)
    else:
        perform_all(*(words or ["/mnt/programme", "/mnt/report"]))


main(sys.argv[1:])
