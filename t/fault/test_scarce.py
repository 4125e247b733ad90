# SPDX-License-Identifier: BSD-2-Clause
"""F9: there is no memory, for each single allocation that a program or one of
its libraries makes meanwhile. F6: each single read or write does half. The
program may end or refuse; what was acknowledged is so, and no index is given up
for it."""
import contextlib
import os
import struct

import errors
import faults
import suite
import works

POINTS = 1 << 30 if suite.LONG else 25  # of a program, spread evenly
FAR = 1 << 60                           # no program asks so often
MEMORY, SHORT = "no_memory_at", "short_at"  # of planted/scarce.c


class Starver:
    """In these processes it is scarce for the `n`th time from now that they
    ask."""

    def __init__(self, what, n, pids):
        self.n, self.places, self.left = n, [], {}
        for pid in pids:
            try:
                file, at = faults.variable(pid, what)
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
        """How many times they asked at most, as far as it was looked; `n` when
        it came to that."""
        self.look()
        for file, at in self.places:
            with contextlib.suppress(OSError):
                os.pwrite(file, bytes(8), at)
            os.close(file)
        return self.n - min(self.left.values(), default=self.n)


class Scarce(errors.ErrorCase):
    def starve(self, work, *programs, what=MEMORY, at_login=False,
               fault="scarce", **settings):
        for program in programs:
            s = works.server(self, "me", (program, fault), **settings)
            w = work()
            w.start(s)
            w.settle(s)
            self.starve_one(s, w, program, what, at_login)
            s.stop()

    def starve_one(self, s, work, program, what, at_login):
        def unit(n):
            found = []

            def begin(pids):
                found.append(Starver(what, n, pids))
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
            self.equal(self.check(s, work), [], f"{program}: {what} {n}")
            work.settle(s)
            self.true("made anew" not in s.log_text(), f"{program}: {n}")
        print(f"{program}: {what} {hit} of {total}; {work}")
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

    def test_F9_accounts(self):
        self.starve(works.Accounts, "authd")

    def test_F9_strangers(self):
        for mechanism in ("SCRAM-SHA-256", "PLAIN"):
            self.starve(lambda m=mechanism: works.Strangers(m), "authd",
                        "login", auth_failure_delay="0",
                        login_mechanisms="PLAIN SCRAM-SHA-256")

    def test_F9_no_memory_for_a_hash(self):
        s = works.server(self, "me", ("authd", "scarce"),
                         login_mechanisms="PLAIN", auth_failure_delay="0")
        work = works.Strangers("PLAIN")
        work.start(s)
        authd, = [p for p, name in faults.children_of(s) if name == "authd"]
        starver = Starver(MEMORY, 1, faults.children(authd))
        work.right(s)
        self.equal(starver.stop(), 1)
        self.equal(self.check(s, work), [])

    def finds(self, complaint, *args, **how):
        try:
            self.starve(*args, **how)
        except AssertionError as e:
            self.contains(str(e), complaint)
        else:
            raise AssertionError(f"nothing of {complaint!r} was found")

    def test_planted_ends_by_signal_and_half_writes_are_found(self):
        self.finds("lost its keyword", works.Folders, "imapd", at_login=True,
                   fault="ends_by_signal")
        self.finds("is torn", works.Mail, "local", what=SHORT,
                   fault="one_write", fast_delivery_time="0")

    def test_F6_mail(self):
        self.starve(works.Mail, "smtpd", "cleanup", "qmgr", "local",
                    what=SHORT, fast_delivery_time="0")

    def test_F6_relaying(self):
        self.starve(works.Relay, "smtp", what=SHORT)

    def test_F6_sessions(self):
        self.starve(works.Imap, "imapd", what=SHORT, at_login=True)
        self.starve(works.Folders, "imapd", what=SHORT, at_login=True)
        self.starve(works.Pop, "pop3d", what=SHORT, at_login=True)
        self.starve(works.Imap, "login", what=SHORT)

    def test_F6_accounts(self):
        self.starve(works.Accounts, "authd", what=SHORT)


if os.geteuid() == 0:
    suite.main()
else:
    print("other programs' memory needs root: skipped")
    print("0 passed, 0 failed, 14 skipped")
