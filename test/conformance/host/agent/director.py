"""The director under test, where it is a process."""

import os
import signal
import socket
import time

from words import read

POLL_S = 0.01
START_MAX_S = 30


class Director:
    """Nothing of the kind where the kernel is the director: no words."""

    def __init__(self, words, folder, environment):
        self.child = None
        if not words:
            return
        self.log = os.path.join(folder, "log")
        path = environment["SLUICE_SOCKET"]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions = [(os.POSIX_SPAWN_OPEN, descriptor, self.log, flags, 0o600) for descriptor in (1, 2)]
        words = ["setpriv", "--pdeathsig", "KILL", "--", *words, "--socket", path]
        self.child = os.posix_spawnp(words[0], words, environment, file_actions=actions)
        end = time.monotonic() + START_MAX_S
        while not answers(path):
            time.sleep(POLL_S)
            if self.has_ended() or time.monotonic() > end:
                raise RuntimeError("The director does not start: " + self.last_words())

    def has_ended(self):
        if self.child is None:
            return False
        return has_ended(self.child)

    def last_words(self):
        return read(self.log).decode()[-2000:]

    def is_busy(self):
        """Whether one of its threads runs or would, if there were a processor."""
        if self.child is None:
            return False
        folder = "/proc/%d/task" % self.child
        try:
            return any(state_of(folder, task) in (b"R", b"D") for task in os.listdir(folder))
        except FileNotFoundError:
            return False

    def end(self):
        if self.child is not None:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)


def answers(path):
    """Not as soon as the socket is there: for a moment nobody listens on it yet."""
    with socket.socket(socket.AF_UNIX) as asked:
        return asked.connect_ex(path) == 0


def state_of(folder, task):
    try:
        return read("%s/%s/stat" % (folder, task)).rpartition(b")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return b"X"


def has_ended(child):
    return os.waitpid(child, os.WNOHANG)[0] != 0
