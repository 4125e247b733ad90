# SPDX-License-Identifier: BSD-2-Clause
"""F9: there is no memory, for each single allocation that a program or one of
its libraries makes meanwhile. The program may end or refuse; what was
acknowledged is so, and no index is given up for it."""
import contextlib
import os
import struct

import errors
import faults
import suite
import works

POINTS = 1 << 30 if suite.LONG else 25  # of a program, spread evenly
FAR = 1 << 60                           # no program gets there


class Starver:
    """In these processes the allocation `n`, counted from now, has none."""

    def __init__(self, n, pids):
        self.n, self.places, self.left = n, [], {}
        for pid in pids:
            try:
                file, at = faults.variable(pid, "no_memory_at")
                os.pwrite(file, struct.pack("Q", n), at)
            except OSError:  # it has ended
                continue
            self.places.append((file, at))

    def look(self):
        for file, at in self.places:
            try:
                self.left[file], = struct.unpack("Q", os.pread(file, 8, at))
            except (OSError, struct.error):  # it has ended
                self.left.setdefault(file, 0)

    def stop(self):
        """How many allocations there were at most, as far as it was looked;
        `n` when it came to that."""
        self.look()
        for file, at in self.places:
            with contextlib.suppress(OSError):
                os.pwrite(file, bytes(8), at)
            os.close(file)
        return self.n - min(self.left.values(), default=self.n)


class Memory(errors.ErrorCase):
    def starve(self, work, *programs, at_login=False, **settings):
        for program in programs:
            s = works.server(self, "me", (program, "no_memory"), **settings)
            w = work()
            w.start(s)
            w.settle(s)
            self.starve_one(s, w, program, at_login)
            s.stop()

    def starve_one(self, s, work, program, at_login):
        def unit(n):
            found = []

            def begin(pids):
                found.append(Starver(n, pids))
                return found[-1]

            # A session's process ends with it.
            work.closing = lambda: [f.look() for f in found]
            return self.one(s, work, program, begin, at_login)

        total = max(unit(FAR) for _ in range(3))
        most = min(total, POINTS)
        hit = 0
        for i in range(most):
            n = i * total // most + 1
            hit += unit(n) == n
            self.equal(self.check(s, work), [], f"{program}: allocation {n}")
            work.settle(s)
            self.true("made anew" not in s.log_text(), f"{program}: {n}")
        print(f"{program}: {hit} of {total} allocations failed; {work}")
        self.true(hit > 0, f"{program}: none of {total}")

    def test_F9_mail(self):
        self.starve(works.Mail, "smtpd", "cleanup", "qmgr", "local", "mapd",
                    "authd", fast_delivery_time="0")

    def test_F9_relaying(self):
        self.starve(works.Relay, "smtp", "dnsd")

    def test_F9_bouncing(self):
        self.starve(works.Bounce, "bounce")

    def test_F9_imap(self):
        self.starve(works.Imap, "imapd", at_login=True)
        self.starve(works.Imap, "login", "keyd", "authd", "notify")

    def test_F9_folders(self):
        self.starve(works.Folders, "imapd", at_login=True)

    def test_F9_pop3(self):
        self.starve(works.Pop, "pop3d", at_login=True)

    def test_F9_strangers(self):
        for mechanism in ("SCRAM-SHA-256", "PLAIN"):
            self.starve(lambda m=mechanism: works.Strangers(m), "authd",
                        "login", auth_failure_delay="0",
                        login_mechanisms="PLAIN SCRAM-SHA-256")

    def test_F9_no_memory_for_a_hash(self):
        s = works.server(self, "me", ("authd", "no_memory"),
                         login_mechanisms="PLAIN", auth_failure_delay="0")
        work = works.Strangers("PLAIN")
        work.start(s)
        authd, = [p for p, name in faults.children_of(s) if name == "authd"]
        starver = Starver(1, faults.children(authd))
        work.right(s)
        self.equal(starver.stop(), 1)
        self.equal(self.check(s, work), [])

    def test_F9_accounts(self):
        self.starve(works.Accounts, "authd")


if os.geteuid() == 0:
    suite.main()
else:
    print("other programs' memory needs root: skipped")
    print("0 passed, 0 failed, 9 skipped")
