"""Carries out host cases, each in a network namespace of its own, and reports what happened.

    agent.py                                the programme is /mnt/programme, the report /mnt/report: in a guest
    agent.py PROGRAMME REPORT               elsewhere
    agent.py CASE NUMBER REPORT             one case, in the namespace that this process has: its lines of the report

The programme is lines of words; whatever may hold a blank is in hexadecimal digits, and "-" stands for nothing. Its
first line names kernel modules, then come settings and cases (programme.ts writes it and explains the words).
The report has a line for each step: case, step, and what was seen. Uses nothing beyond Debian's python3-minimal.
"""

import os
import sys
import time

from case import Case
from director import has_ended
from words import packed, read, unpacked

POLL_S = 0.02
FOLDER = os.environ.get("TMPDIR", "/tmp")


class Settings:
    """What all cases have in common."""

    def __init__(self):
        self.parallel = 1
        self.quiet_s = 0.03
        self.director = []
        self.tools = {}
        self.ipvsadm = None

    def take(self, verb, words):
        """Whether it is a setting at all."""
        if verb == "parallel":
            self.parallel = int(words[0])
        elif verb == "quiet":
            self.quiet_s = int(words[0]) / 1000
        elif verb == "director":
            self.director = unpacked(words[0]).decode().split("\0")
        elif verb == "ipvsadm":
            self.ipvsadm = unpacked(words[0]).decode()
        elif verb == "tool":
            self.tools[words[0]] = unpacked(words[1])
        else:
            return False
        return True


def read_programme(path):
    """Modules, the settings' lines, and the cases' by number."""
    settings = []
    cases = {}
    lines = settings
    with open(path) as file:
        modules = file.readline().split()
        for line in file:
            if line.startswith("case "):
                lines = cases[line.split()[1]] = []
            else:
                lines.append(line)
    return modules, settings, cases


def read_case(path):
    """Settings, and the lines of a case as verbs and words."""
    settings = Settings()
    steps = []
    with open(path) as file:
        for line in file:
            verb, *words = line.split()
            if not settings.take(verb, words):
                steps.append((verb, words))
    return settings, steps


def perform(path, number, report):
    settings, lines = read_case(path)
    folder = report + ".folder"
    os.mkdir(folder)
    case = Case(settings, folder)
    step = 0
    with open(report + ".part", "w") as file:
        try:
            for verb, words in lines:
                told = case.do(verb, words)
                if case.director.has_ended():
                    raise RuntimeError("The director has ended: " + case.director.last_words())
                if told is None:
                    continue
                if verb == "start":
                    step = 1
                elif step == 0:
                    tell(file, number, "set-up", *told)
                else:
                    tell(file, number, str(step), *told)
                    step += 1
            tell(file, number, "done")
        except Exception as error:
            tell(file, number, "failed", packed(("%s: %s" % (type(error).__name__, error)).encode()))
    case.director.end()
    os.rename(report + ".part", report)
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)


def tell(file, *words):
    file.write(" ".join(words) + "\n")


def spawn(words):
    return os.posix_spawnp(words[0], words, os.environ)


def perform_all(programme, report_path):
    """So many cases at once as the settings say, in their order."""
    modules, settings, cases = read_programme(programme)
    common = Settings()
    for line in settings:
        verb, *words = line.split()
        common.take(verb, words)
    if modules:
        # What there is, is loaded: no other is ever looked for.
        with open("/proc/sys/kernel/modprobe", "w") as file:
            file.write("/bin/false")
    for file in modules:
        os.waitpid(spawn(["busybox", "insmod", "/mnt/modules/" + file]), 0)
    own = [sys.executable, "-S", "-B", os.path.abspath(__file__)]
    namespace = ["unshare", "--net", "--"]
    if common.director:
        # What it starts ends when it does.
        namespace = ["setpriv", "--pdeathsig", "KILL", "--", *namespace]
    waiting = list(cases)
    running = {}
    leaving = []
    with open(report_path, "w") as report:
        while waiting or running:
            while waiting and len(running) < common.parallel:
                number = waiting.pop(0)
                path = "%s/case-%d-%s" % (FOLDER, os.getpid(), number)
                with open(path + ".case", "w") as file:
                    file.writelines(settings + cases[number])
                running[path] = spawn([*namespace, *own, path + ".case", number, path])
            # Not until it has ended: a kernel whose IPVS still holds a route through a device waits for that in vain,
            # and who closes the device waits with it.
            for path, child in list(running.items()):
                if os.path.exists(path):
                    report.write(read(path).decode())
                    report.flush()
                    leaving.append(child)
                elif not has_ended(child):
                    continue
                del running[path]
            leaving = [child for child in leaving if not has_ended(child)]
            time.sleep(POLL_S)
        tell(report, "end")


def main(words):
    if len(words) == 3:
        perform(*words)
    else:
        perform_all(*(words or ["/mnt/programme", "/mnt/report"]))


main(sys.argv[1:])
