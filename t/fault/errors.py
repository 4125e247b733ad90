# SPDX-License-Identifier: BSD-2-Clause
"""System calls that fail, by strace's hand, from outside."""
import contextlib
import functools
import re
import subprocess

import faults
import suite
import works

DISK = "EIO ENOSPC EDQUOT"
FILES = "EMFILE ENFILE ENOMEM EROFS"

# What the programs that a message passes call, and the errors it may have.
MAIL_PATH = {
    "cleanup": {"openat": FILES + " ENOSPC", "write": DISK, "pwrite64": DISK,
                "fsync": DISK, "linkat": DISK + " EROFS",
                "memfd_create": "EMFILE ENFILE ENOMEM", "fcntl": "EPERM EINVAL",
                "recvmsg": "EINTR EAGAIN ENOMEM EMFILE",
                "sendmsg": "ENOBUFS EINTR EAGAIN",
                "mmap": "ENOMEM", "brk": "ENOMEM"},
    "qmgr": {"openat": FILES, "pread64": "EIO", "renameat": DISK + " EROFS",
             "unlinkat": "EIO EROFS", "utimensat": "EIO EROFS",
             "fchmod": "EIO EROFS", "pwrite64": DISK, "fdatasync": DISK,
             "recvmsg": "EINTR EAGAIN ENOMEM",
             "sendmsg": "ENOBUFS EINTR EAGAIN",
             "epoll_ctl": "ENOMEM ENOSPC", "mmap": "ENOMEM"},
    "local": {"openat2": FILES, "openat": FILES + " ENOSPC", "write": DISK,
              "sendfile": DISK, "fsync": DISK, "linkat": DISK + " EROFS EMLINK",
              "utimensat": "EIO", "recvmsg": "EINTR EAGAIN ENOMEM",
              "sendmsg": "ENOBUFS EINTR EAGAIN", "pread64": "EIO"},
    "smtpd": {"accept4": "EMFILE ENFILE ENOMEM ECONNABORTED EINTR EAGAIN",
              "memfd_create": "EMFILE ENFILE ENOMEM", "write": "ENOSPC ENOMEM",
              "fcntl": "EPERM", "recvfrom": "EINTR EAGAIN ECONNRESET",
              "sendto": "EINTR EAGAIN EPIPE", "recvmsg": "EINTR EAGAIN ENOMEM",
              "sendmsg": "ENOBUFS EINTR EAGAIN"},
    "mapd": {"recvmsg": "EINTR EAGAIN ENOMEM",
             "sendmsg": "ENOBUFS EINTR EAGAIN"},
    # EPERM: what nobody foresees; who asked must not wait for ever.
    "authd": {"pread64": "EIO", "recvmsg": "EINTR EAGAIN ENOMEM",
              "sendmsg": "ENOBUFS EINTR EAGAIN EPERM"},
    "logd": {"write": "ENOSPC EIO", "recvmsg": "EINTR EAGAIN ENOMEM"},
}

# What any program may call.
EVERY = {
    "recvmsg": "EINTR EAGAIN ENOMEM EMFILE",
    "sendmsg": "ENOBUFS EINTR EAGAIN EPERM",
    "poll": "ENOMEM", "epoll_wait": "EINTR", "epoll_ctl": "ENOMEM ENOSPC",
    "fcntl": "EPERM", "recvfrom": "EINTR EAGAIN ECONNRESET",
    "sendto": "EINTR EAGAIN EPIPE",
    "read": "ECONNRESET", "write": "EPIPE ENOSPC", "socket": "EMFILE ENOBUFS",
    "connect": "ECONNREFUSED ENETUNREACH EADDRNOTAVAIL", "pread64": "EIO",
    "memfd_create": "EMFILE ENOMEM", "getrandom": "EINTR", "accept4": "EMFILE",
    "socketpair": "EMFILE", "newfstatat": "EIO", "mmap": "ENOMEM",
}
# No system interrupts every call, or never has room again.
PASSING = ("EINTR", "EAGAIN", "ENOBUFS", "ECONNABORTED")
EACH_MOST = 1000 if suite.LONG else 12

# strace makes a call fail by making it none; that wall would end the program
# for it.
SETTINGS = {"sandbox_walls": "root landlock network uid",
            "sandbox_required": "no"}


class Injector:
    """strace on these processes of `s`; ready when it has them all."""

    def __init__(self, s, call, error, when, pids):
        self.out = s.dir / "injected"
        self.p = subprocess.Popen(
            ["strace", "-f", "-o", self.out, "-e", f"trace={call},close",
             "-e", f"inject={call}:error={error}:when={when}",
             *[a for p in pids for a in ("-p", str(p))]],
            stderr=subprocess.PIPE, text=True)
        for _ in pids:
            if "attached" not in self.p.stderr.readline():
                break

    def stop(self):
        """How many calls failed by our hand. Whoever closes on its way out
        what was not open closes another's file some day."""
        self.p.terminate()
        self.p.stderr.read()
        self.p.wait()
        text = self.out.read_text()
        if re.search(r"close\(\d+\) += -1 EBADF", text):
            raise AssertionError(f"closed what was not open: {text}")
        return text.count("(INJECTED)")


class ErrorCase(suite.Case):
    def drill(self, work, program, calls, least, at_login=False, fault=None,
              most=EACH_MOST, **settings):
        """`at_login`: the program begins with a session."""
        s = works.server(self, "es", fault, **SETTINGS, **settings)
        work.start(s)
        work.settle(s)
        counts = []

        def fail(call, error, when):
            what = f"{program} {call} {error} when={when}"
            try:
                n = self.one(s, work, program, functools.partial(
                    Injector, s, call, error, when), at_login)
            except AssertionError as e:
                raise AssertionError(f"{what}: {e}") from e
            counts.append(n)
            self.equal(self.check(s, work), [], what)
            work.settle(s)
            self.true("made anew" not in s.log_text(), what)
            return n

        for call, names in calls.items():
            first, *others = names.split()
            n = 1
            while n <= most and fail(call, first, n):
                n += 1
            for error in [first] * (first not in PASSING) + others:
                fail(call, error, 1 if error in PASSING else "2+")
        print(f"{program}: {len(counts)} faults, {sum(counts)} calls failed; "
              f"{work}")
        self.true(sum(c > 0 for c in counts) >= least, counts)

    def one(self, s, work, program, injector, at_login):
        """A unit in which something fails; how many times it did. `injector`
        is called with the processes, and stopped in the end."""
        injectors = []

        def pids():
            return [p for p, name in faults.children_of(s) if name == program]

        def begin():
            injectors.append(injector(
                suite.wait_for(pids, f"a {program}")))

        if at_login:
            work.opened = begin
        else:
            if not pids():
                work.unit(s)  # what is started by need alone
            begin()
        try:
            work.unit(s)
            with contextlib.suppress(AssertionError):  # not while all fail
                suite.wait_for(lambda: work.quiet(s), "its end", 3)
        finally:
            work.opened = lambda: None
            injected = sum(i.stop() for i in injectors)
        return injected

    def check(self, s, work):
        """The complaints, as soon as it serves again."""
        def checked():
            with contextlib.suppress(*works.MISHAPS):
                return work.check(s),
            return None

        return suite.wait_for(checked, "the suite to serve again",
                              faults.SERVES_AGAIN)[0]
