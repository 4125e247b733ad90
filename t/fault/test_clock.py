# SPDX-License-Identifier: BSD-2-Clause
"""The wall clock jumps: 400 days and one second, forward and back (F12). No
message is returned for it, no retry is lost, and no queue id and no UIDVALIDITY
comes twice. All programs of one server, master too, are started with a library
in which the test sets their clock (planted/set_clock.c)."""
import pathlib
import re
import signal
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import faults  # noqa: E402
import peers  # noqa: E402
import suite  # noqa: E402
from away import pids_of  # noqa: E402

DAY = 86400
JUMPS = (400 * DAY, -400 * DAY, 1, -1)


class Clock(away.AwayCase):
    def clocked(self, **settings):
        self.clock = None

        def prepare(s):
            self.clock = s.dir / "clock"
            self.clock.write_bytes(bytes(8))
            for p in (s.dir / "libexec").iterdir():
                real = p.resolve()
                p.unlink()
                p.write_text(f"#!/bin/sh\nLD_PRELOAD={faults.FAULT}/"
                             f"set_clock.so POSTERN_SET_CLOCK={self.clock} "
                             f"exec {real} \"$@\"\n")
                p.chmod(0o755)

        return self.server("ck", prepare, **{
            "minimal_backoff_time": "2s", "maximal_backoff_time": "4s",
            "queue_run_delay": "2s"} | settings)

    def set(self, seconds):
        """The programs' clock is ahead by so much."""
        with open(self.clock, "r+b") as f:
            f.write(struct.pack("q", seconds * 1000000))

    def refuse(self, yes):
        """Does the other server want nothing for now?"""
        self.s.sink.replies = {"MAIL": "451 4.3.0 later"} if yes else {}

    def deferrals(self):
        return self.s.log_text().count("status=deferred")

    def waits(self):
        """A message to another site that was put off."""
        self.refuse(True)
        n = self.deferrals()
        self.equal(self.relay(), 250)
        suite.wait_for(lambda: self.deferrals() > n, "a deferral")

    def goes(self, what):
        """It goes by itself, and soon."""
        suite.wait_for(lambda: not self.s.queue_files(), what, 12)
        for line in self.s.log_text().splitlines():
            self.true("status=bounced" not in line and
                      "status=expired" not in line, f"{what}: {line}")

    def ids(self):
        found = re.findall(r"smtpd\[\d+\]: ([0-9A-F]{16}): client=",
                           self.s.log_text())
        self.equal(len(found), len(set(found)), "queue ids")
        return found

    def test_F12_while_mail_waits(self):
        s = self.clocked()
        at = 0
        for jump in JUMPS:
            self.waits()
            n = self.deferrals()
            at += jump
            self.set(at)
            suite.wait_for(lambda: self.deferrals() > n,
                           f"a retry after {jump} s", 10)
            self.refuse(False)
            self.goes(f"a message that waited when the clock jumped {jump} s")
            self.serves_again(f"a jump of {jump} s")
        self.true(len(self.ids()) > 8, "ids")
        self.done("F12 while mail waits")

    def test_F12_and_qmgr_starts_anew(self):
        """What it finds looks old, or as if its time were far away."""
        s = self.clocked()
        for jump in JUMPS:
            self.set(0)
            self.waits()
            self.set(jump)
            old, n = pids_of(s, "qmgr"), self.deferrals()
            away.strike(old, signal.SIGKILL)
            suite.wait_for(lambda: self.deferrals() > n,
                           f"a retry after {jump} s", 15)
            self.set(0)
            self.refuse(False)
            self.goes(f"a message that waited when the clock jumped {jump} s")
        self.done("F12 qmgr")

    def test_F12_a_destination_is_not_dead_for_ever(self):
        s = self.clocked()
        port, s.sink = s.sink.port, s.sink.close()
        n = self.deferrals()
        self.set(400 * DAY)
        self.equal(self.relay(), 250)
        suite.wait_for(lambda: self.deferrals() > n, "a deferral")
        self.set(0)
        s.sink = peers.Sink(port=port)
        self.goes("mail for a server that was away before the clock was set")
        self.done("F12 destinations")

    def validity(self):
        with_session = self.imap()
        try:
            with_session.select()
            return int(with_session.response("UIDVALIDITY")[1][0])
        finally:
            with_session.logout()

    def test_F12_and_all_starts_anew(self):
        """Ids and UIDVALIDITYs go on upwards, whatever the clock says."""
        s = self.clocked()
        seen, validities = [], [self.validity()]
        for jump in JUMPS:
            self.set(jump)
            faults.kill_everything(s)
            faults.start_again(s)
            self.serves_again(f"a start with a clock {jump} s off")
            seen = self.ids()
            index = s.maildir(away.ANN) / "index"
            index.rename(s.dir / f"index{jump}")
            validities.append(self.validity())
        self.equal(seen, sorted(seen), "queue ids")
        self.equal(validities, sorted(set(validities)), "UIDVALIDITY")
        print(f"{len(seen)} queue ids, {len(validities)} UIDVALIDITYs")
        self.done("F12 starts")


cache = (suite.BUILD / "CMakeCache.txt").read_text()
if "POSTERN_SANITIZE:BOOL=ON" in cache or \
        "POSTERN_SANITIZE:UNINITIALIZED=ON" in cache:
    print("a library cannot be preloaded into a sanitizer's build: skipped")
    print("0 passed, 0 failed, 4 skipped")
else:
    suite.main()
