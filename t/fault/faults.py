# SPDX-License-Identifier: BSD-2-Clause
"""What the fault tests share: a ledger of messages, and the driver.

The invariant (security.md I15): a message that was answered 250 is found
afterwards, byte for byte, exactly once; one that was not is found at most
once; nothing lies in the queue for ever.
"""
import contextlib
import functools
import os
import pathlib
import re
import signal
import smtplib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import suite  # noqa: E402

FAULT = suite.BUILD / "fault"
USER = "ann@one.example"
SERVES_AGAIN = 5  # seconds


# What stands before a message in a mailbox.
HEAD = re.compile(r"Return-Path: <.*>\r\n(X-Original-To: .*\r\n)?"
                  r"Delivered-To: .*@.*\r\nReceived: from ")


class Ledger:
    """The messages that were sent, and whether each was acknowledged."""

    def __init__(self):
        self.sent = {}
        self.acked, self.refused = set(), set()
        self.lines = 5  # of a message
        self.sender, self.to = "x@y.example", USER

    def next(self):
        """The next message: its number and its text."""
        n = len(self.sent) + 1
        self.sent[n] = f"Subject: number {n}\r\n\r\n" \
            + f"body of {n}\r\n" * self.lines
        return n, self.sent[n]

    def send(self, port):
        """Send the next message; its number."""
        n, body = self.next()
        try:
            with smtplib.SMTP("127.0.0.1", port, "client.example",
                              timeout=suite.DEADLINE) as c:
                c.sendmail(self.sender, [self.to], body)
                self.acked.add(n)
        except (smtplib.SMTPException, OSError) as e:
            if re.search(r"\b5\d\d, b'5\.", str(e)):
                self.refused.add(n)
        return n

    def check(self, paths):
        """Hold what is in the mailbox against what was acknowledged; a list
        of complaints."""
        found = {}
        wrong = []
        for path in paths:
            text = path.read_bytes().decode()
            head, _, rest = text.partition("Subject: number ")
            n = int(rest.split("\r\n")[0]) if rest else 0
            found[n] = found.get(n, 0) + 1
            if self.sent.get(n) != "Subject: number " + rest or \
                    not HEAD.match(head):
                wrong.append(f"message {n} is torn: {path.name}")
        for n in self.sent:
            if n in self.refused:
                wrong.append(f"message {n} was refused for good")
            if n in self.acked and n not in found:
                wrong.append(f"message {n} was acknowledged and is lost")
            if found.get(n, 0) > 1:
                wrong.append(f"message {n} was delivered {found[n]} times")
        return wrong


class Driver:
    """The fault program, watching processes, or (`children` is a program's
    name) those of that program which they will start."""

    def __init__(self, pids, n, *action, children=None):
        who = ",".join(map(str, pids)) + (f"+{children}" if children else "")
        self.p = subprocess.Popen(
            [FAULT / "fault", who, str(n), *map(str, action)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        # A process that ended meanwhile cannot be watched: not ready.
        self.ready = self.p.stdout.readline() == "ready\n"
        if not self.ready:
            self.p.stdin.close()
            self.p.wait()

    def finish(self):
        """Close it; True when the point was reached. self.seen is how many
        points there were when it was not."""
        self.p.stdin.close()
        word, number = (self.p.stdout.readline().split() + ["", "0"])[:2]
        self.p.wait()
        self.seen = int(number)
        return word == "done"


class Patience:
    """Tells when a program's last point was passed: three messages in turn
    passed before point `n`, though each made nearly as many calls, and more
    than waiting costs. One that a process served which was not watched (it had
    just been started) made few, and only twenty of those are the end."""
    WAITING = 20

    def __init__(self):
        self.full = self.any = 0

    def is_over(self, driver, n):
        self.any += 1
        self.full += driver.seen >= max((n - 1) * 3 // 4, self.WAITING)
        return self.full >= 3 or self.any >= 20


def drain(s):
    """Wait until nothing is queued, without waiting for its time to come."""
    def is_empty():
        if not any(map(s.queue_files, ("incoming", "active", "deferred"))):
            return True
        subprocess.run([s.bin / "postqueue", "-c", s.conf, "-f"],
                       capture_output=True)
        return False
    suite.wait_for(is_empty, "an empty queue")


def with_planted(s, *planted):
    """Let programs of instance `s` be those with planted faults: each a pair
    (program, fault), or None. All can be replaced."""
    programs = s.own_programs()
    for program, fault in filter(None, planted):
        (programs / program).unlink()
        (programs / program).symlink_to(FAULT / fault / program)


def ready_pids(s, program):
    """The processes of `program`, once one of them is ready to work; a busy
    one may be kept by its last client for the next message."""
    if program == "master":
        return [s.master_pid()]
    found = [p for p in s.processes() if p[1] == program]
    if any(state in ("idle", "running", "busy") for _, _, _, state in found):
        return [pid for pid, _, _, _ in found if suite.running(pid)]
    return None


def kill_everything(s):
    """As a power cut does: nothing of the suite runs on. Its programs die
    with master."""
    master, children = s.master_pid(), [pid for pid, _ in children_of(s)]
    with contextlib.suppress(ProcessLookupError):
        os.kill(master, signal.SIGKILL)
    for pid in [master, *children]:
        suite.wait_for(lambda: not suite.running(pid), f"the end of {pid}")
    s.running = False


def start_again(s):
    """As an init system does after master's end, whose programs may take a
    moment longer: within SERVES_AGAIN."""
    def started():
        with contextlib.suppress(AssertionError):
            return s.start()
    suite.wait_for(started, "another start", SERVES_AGAIN)


def children(pid):
    """The processes that this one and its threads have started."""
    found = []
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def children_of(s):
    """[(pid, program)] of all that master has started."""
    found = []
    with contextlib.suppress(OSError):
        for pid in children(s.master_pid()):
            with contextlib.suppress(OSError):
                found.append((pid, pathlib.Path(
                    f"/proc/{pid}/comm").read_text().strip()))
    return found


@functools.cache
def place_of(exe, name):
    symbols = subprocess.run(["nm", exe], check=True, capture_output=True,
                             text=True).stdout
    return int(re.search(rf"^(\w+) \w {name}$", symbols, re.M)[1], 16)


def variable(pid, name):
    """Where the uint64_t `name` of this process's program is: (an open file of
    its memory, the place in it). Needs root."""
    exe = os.readlink(f"/proc/{pid}/exe")
    with open(f"/proc/{pid}/maps") as f:
        base = min(int(line.split("-")[0], 16) for line in f
                   if line.rstrip().endswith(exe))
    return os.open(f"/proc/{pid}/mem", os.O_RDWR), base + place_of(exe, name)
