# SPDX-License-Identifier: BSD-2-Clause
"""F5 to F9: system calls fail in sessions, while accounts are changed, and
while mail is relayed and returned: each of them once, and then all of a kind.
What was answered OK is so afterwards, and only that; and an index is not given
up for what the system refused, for it holds what no file does: UIDs and
keywords."""
import contextlib

import errors
from errors import DISK, FILES
import faults
import suite
import works

SESSION = {
    "openat": FILES + " ENOSPC", "newfstatat": "EIO", "fcntl": "ENOLCK EMFILE",
    "pwrite64": DISK + " EROFS", "writev": DISK + " EROFS", "write": "ENOSPC",
    "fdatasync": DISK + " EROFS", "fsync": DISK, "lseek": "EIO",
    "getdents64": "EIO", "renameat": DISK + " EROFS", "renameat2": "EIO",
    "linkat": "EIO EROFS EMLINK", "unlinkat": "EIO EROFS", "utimensat": "EIO",
    "sendfile": DISK, "pread64": "EIO", "memfd_create": "EMFILE ENOMEM",
    "mmap": "ENOMEM", "sendto": "EPIPE EINTR", "recvfrom": "ECONNRESET EINTR",
    "sendmsg": "ENOBUFS EINTR", "recvmsg": "EINTR ENOMEM", "poll": "ENOMEM",
}
ACCOUNTS = {
    "pwrite64": DISK + " EROFS", "fdatasync": DISK, "pread64": "EIO",
    "recvmsg": "EINTR ENOMEM", "sendmsg": "ENOBUFS EINTR", "fcntl": "ENOLCK",
    "accept4": "ECONNABORTED", "epoll_ctl": "ENOMEM", "openat": FILES,
}
EVERY = {
    "recvmsg": "EINTR ENOMEM EMFILE", "sendmsg": "ENOBUFS EINTR EPERM",
    "poll": "ENOMEM", "epoll_wait": "EINTR", "epoll_ctl": "ENOMEM ENOSPC",
    "fcntl": "EPERM", "recvfrom": "EINTR ECONNRESET", "sendto": "EINTR EPIPE",
    "read": "ECONNRESET", "write": "EPIPE ENOSPC", "socket": "EMFILE ENOBUFS",
    "connect": "ECONNREFUSED ENETUNREACH EADDRNOTAVAIL", "pread64": "EIO",
    "memfd_create": "EMFILE ENOMEM", "getrandom": "EINTR", "accept4": "EMFILE",
    "socketpair": "EMFILE", "newfstatat": "EIO", "mmap": "ENOMEM",
}
# No system interrupts every call, or never has room again.
PASSING = ("EINTR", "ENOBUFS", "ECONNABORTED")
EACH_MOST = 1000 if suite.LONG else 30


class ErrorSessions(suite.Case):
    def drill(self, work, program, calls, least, at_login=False, **settings):
        """`at_login`: the program begins with a session."""
        s = works.server(self, "es", **errors.SETTINGS, **settings)
        work.start(s)
        work.settle(s)
        counts = []

        def fail(call, error, when):
            what = f"{program} {call} {error} when={when}"
            try:
                n = self.one(s, work, program, call, error, when, at_login)
            except AssertionError as e:
                raise AssertionError(f"{what}: {e}") from e
            counts.append(n)
            self.equal(self.check(s, work), [], what)
            self.true("made anew" not in s.log_text(), what)
            return n

        for call, names in calls.items():
            first, *others = names.split()
            n = 1
            while n <= EACH_MOST and fail(call, first, n):
                n += 1
            for error in [first] * (first not in PASSING) + others:
                fail(call, error, 1 if error in PASSING else "2+")
        print(f"{program}: {len(counts)} faults, {sum(counts)} calls failed; "
              f"{work}")
        self.true(sum(c > 0 for c in counts) >= least, counts)

    def one(self, s, work, program, call, error, when, at_login):
        """A unit in which the call fails; how many did."""
        injectors = []

        def begin():
            pids = suite.wait_for(
                lambda: [p for p, name in faults.children_of(s)
                         if name == program], f"a {program}")
            injectors.append(errors.Injector(s, pids, call, error, when))

        if at_login:
            work.opened = begin
        else:
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

    def test_imap(self):
        self.drill(works.Imap(), "imapd", SESSION, 60, at_login=True)

    def test_folders(self):
        self.drill(works.Folders(), "imapd", SESSION, 60, at_login=True)

    def test_pop3(self):
        self.drill(works.Pop(), "pop3d", SESSION, 30, at_login=True)

    def test_mail(self):
        for program in ("smtpd", "cleanup", "local", "qmgr", "mapd"):
            self.drill(works.Mail(), program, errors.MAIL_PATH[program], 3)

    def test_mail_queued_first(self):
        for program in ("cleanup", "local", "qmgr"):
            self.drill(works.Mail(), program, errors.MAIL_PATH[program], 3,
                       fast_delivery_time="0")

    def test_relaying(self):
        self.drill(works.Relay(), "smtp", EVERY, 10)
        self.drill(works.Relay(), "dnsd", EVERY, 10)

    def test_bouncing(self):
        self.drill(works.Bounce(), "bounce", EVERY, 5)

    def test_logins(self):
        self.drill(works.Imap(), "login", EVERY, 10)
        local = {call: EVERY[call] for call in
                 ("recvmsg", "sendmsg", "epoll_wait", "epoll_ctl", "accept4")}
        self.drill(works.Imap(), "keyd", local, 3)
        self.drill(works.Imap(), "notify", local, 3)

    def test_accounts(self):
        self.drill(works.Accounts(), "authd", ACCOUNTS, 10)


suite.main()
