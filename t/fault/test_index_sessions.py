# SPDX-License-Identifier: BSD-2-Clause
"""Sessions on one account and what is done to it meanwhile: one of them stops
in the middle of a write, or of its start, and others are blocked no longer than
imap_lock_timeout; files come, go and change their names by others' hands, which
is seen at NOOP and in IDLE. No UID ever stands for two messages."""
import contextlib
import imaplib
import os
import pathlib
import re
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import faults  # noqa: E402
import suite  # noqa: E402
import works  # noqa: E402
from away import pids_of  # noqa: E402
from index import IndexCase  # noqa: E402

LOCK = 1    # seconds, imap_lock_timeout
SLACK = 1.5
POINTS = 1000 if suite.LONG else 14


class Sessions(IndexCase):
    # --- one that stops -----------------------------------------------------

    def unit(self, opened):
        """All kinds of writes in one session; it may be stopped anywhere."""
        with contextlib.suppress(*works.MISHAPS):
            c = self.imap()
            opened()
            c.select()
            self.append(c)
            c.uid("STORE", "4:6", "+FLAGS", r"(\Seen)")
            c.copy("1", "kept")
            _, data, n = self.append(c)
            uid = re.search(rb"APPENDUID \d+ (\d+)", data[0])[1].decode()
            c.uid("STORE", uid, "+FLAGS", r"(\Deleted)")
            self.doubtful.add(n)
            c.expunge()
            c.logout()

    def timed(self, what, do):
        begin = time.monotonic()
        try:
            return do()
        finally:
            took = time.monotonic() - begin
            self.true(took < LOCK + SLACK, f"{what}: {took:.1f} s")

    def others_get_on(self):
        """Each answer comes in time; a session that has begun may read."""
        try:
            self.session_gets_on()
        except imaplib.IMAP4.abort as e:
            # One that stopped while it opened the index.
            self.contains(str(e), "[UNAVAILABLE]")
        self.timed("delivery", lambda: self.deliver(away.ANN))

    def session_gets_on(self):
        c = self.timed("login", self.imap)
        # New messages need UIDs, and those the lock.
        if self.timed("SELECT", c.select)[0] == "OK":
            kind, _ = self.timed("FETCH", lambda: c.uid(
                "FETCH", "1:3", "(UID FLAGS BODY.PEEK[])"))
            self.equal(kind, "OK")
            self.timed("STORE", lambda: c.uid("STORE", "2", "+FLAGS", "(x)"))
            self.selected += 1
        self.timed("APPEND", lambda: self.append(c))
        self.timed("LOGOUT", c.logout)

    def session_pids(self):
        """Of the one session that there is; it may be a moment behind the
        answer to its login."""
        return suite.wait_for(lambda: pids_of(self.s, "imapd"), "a session")

    def stop_at(self, n, how):
        """True when there is such a point."""
        suite.wait_for(lambda: not pids_of(self.s, "imapd"),
                       "the end of other sessions")
        drivers = []
        starts = how == "start"
        if starts:
            drivers.append(faults.Driver([self.s.master_pid()], n, "stop",
                                         children="imapd"))
        thread = threading.Thread(target=self.unit, args=(
            (lambda: None) if starts else lambda: drivers.append(
                faults.Driver(self.session_pids(), n, "stop")),))
        thread.start()
        try:
            suite.wait_for(lambda: not thread.is_alive() or
                           (drivers and drivers[0].p.poll() is not None),
                           f"point {n}")
            reached = drivers[0].finish()
            if reached:
                self.others_get_on()
        finally:
            away.strike(pids_of(self.s, "imapd"), signal.SIGCONT)
            thread.join(20)
        if not reached:
            self.points = drivers[0].seen
        return reached

    def stops(self, how):
        self.account(n=12)
        self.doubtful, self.points, self.selected = set(), 0, 0
        self.stop_at(100000, how)
        step = max(1, self.points // POINTS)
        n, stopped = step // 2 + 1, 0
        while self.stop_at(n, how):
            n += step
            stopped += 1
        self.true(stopped >= 10, stopped)
        print(f"stopped at {stopped} of {self.points} points ({how}); "
              f"{self.selected} times others could SELECT at once")
        self.true(self.selected > stopped // 3, "others hardly got on")
        self.ends()

    def ends(self):
        """All is there but what was perhaps expunged."""
        c = self.imap()
        found = set(self.look(c, "INBOX"))
        self.look(c, "kept")
        c.logout()
        self.equal(sorted(self.here - self.doubtful - found), [], "lost")

    def test_a_writer_stops(self):
        self.stops("session")

    def test_a_session_stops_as_it_starts(self):
        self.stops("start")

    # --- changes by others --------------------------------------------------

    def put(self, folder, where, name, n):
        """A file as other programs make it; its owner is the tenant's."""
        base = self.s.maildir(away.ANN) / folder
        owner = os.stat(base / "cur")
        path = base / where / name
        tmp = base / "tmp" / name.split(":")[0]
        tmp.write_text(self.body(n).replace("\n", "\r\n").replace(
            "\r\r\n", "\r\n"), newline="")
        os.chown(tmp, owner.st_uid, owner.st_gid)
        tmp.rename(path)
        return path

    def news(self, c, pattern, deadline=3):
        """Wait until NOOP tells it."""
        def told():
            c.noop()
            found = [c.response(w)[1] for w in ("EXISTS", "EXPUNGE", "FETCH")]
            return pattern in repr(found)
        suite.wait_for(told, f"{pattern} at NOOP", deadline)

    def test_changes_by_others_are_seen(self):
        self.account(n=10)
        c = self.opened()
        first, second, third = (next(self.numbers) for _ in range(3))
        self.put("", "new", "900001.X1.other", first)
        self.news(c, "11")
        _, data = c.fetch("11", "(UID BODY.PEEK[])")
        self.take("INBOX", self.validities["INBOX"], data)
        # It was moved to cur/; another program sets a flag.
        there = next(p for p in self.s.messages(away.ANN)
                     if p.name.startswith("900001.X1"))
        there.rename(there.parent.parent / "cur" / "900001.X1.other:2,F")
        self.news(c, "Flagged")
        self.put("", "cur", "900002.X2.other:2,RS", second)
        self.news(c, "12")
        next(p for p in self.s.messages(away.ANN)
             if p.name.startswith("900001.X1")).unlink()
        self.news(c, "'11'")
        # The same name again, and another message: another UID.
        self.put("", "new", "900001.X1.other", third)
        self.news(c, "12")
        _, data = c.fetch("1:*", "(UID BODY.PEEK[])")
        self.take("INBOX", self.validities["INBOX"], data)
        self.here |= {second, third}
        self.idle_hears(c)
        c.logout()
        self.served_again("changes by others")

    def idle_hears(self, c):
        c.send(b"i IDLE\r\n")
        while not c.readline().startswith(b"+"):
            pass
        n = next(self.numbers)
        self.put("", "new", "900003.X3.other", n)
        self.here.add(n)
        begin = time.monotonic()
        while b"EXISTS" not in c.readline():
            pass
        self.true(time.monotonic() - begin < 3, "IDLE hears late")
        c.send(b"DONE\r\n")
        while not c.readline().startswith(b"i OK"):
            pass

    def test_a_storm_of_changes(self):
        """Another program renames, moves, removes, adds, cuts and plants what
        is no message, while two sessions look."""
        self.account(n=30)
        base = self.s.maildir(away.ANN)
        over = threading.Event()

        def storm():
            i = 0
            while not over.is_set():
                i += 1
                with contextlib.suppress(OSError):
                    self.gust(base, i)

        thread = threading.Thread(target=storm)
        thread.start()
        looks = 0
        try:
            end = time.monotonic() + 4
            a, b = self.opened(), self.opened()
            while time.monotonic() < end:
                for c in (a, b):
                    c.noop()
                    kind, data = c.uid("FETCH", "1:*",
                                       "(UID FLAGS BODY.PEEK[HEADER])")
                    for item in data:
                        if isinstance(item, tuple):
                            uid = int(re.search(rb"UID (\d+)", item[0])[1])
                            n = works.number(item[1].decode(errors="replace"))
                            if n:
                                self.uid_is("INBOX", self.validities["INBOX"],
                                            uid, n)
                    looks += 1
                    self.append(c)
                    c.uid("STORE", "5:9", "-FLAGS", r"(\Seen)")
        finally:
            over.set()
            thread.join()
        a.logout()
        b.logout()
        self.true(looks > 8, looks)
        # Nobody else changes it any more: all that is there is shown.
        c = self.imap()
        found = self.look(c, "INBOX")
        c.logout()
        files = [works.number(p.read_text()) for p in
                 self.s.messages(away.ANN) if p.stat().st_size]
        self.equal(sorted(filter(None, found)), sorted(filter(None, files)))
        print(f"{looks} looks in a storm, {len(self.known)} UIDs seen")

    def gust(self, base, i):
        """One change."""
        files = [p for p in (base / "cur").iterdir() if p.is_file()]
        if not files:
            return
        some = files[i * 7 % len(files)]
        name = some.name.split(":")[0]
        kind = i % 6
        if kind == 0:
            some.rename(some.with_name(name + (":2,S", ":2,", ":2,FR")[i % 3]))
        elif kind == 1:
            other = base / ".kept/cur" / some.name
            some.rename(other)
            other.rename(base / "new" / some.name)
        elif kind == 2 and len(files) > 20:
            some.unlink()
        elif kind == 3:
            (base / "new" / f"dir{i % 3}").mkdir()
        elif kind == 4:
            (base / "new" / f"link{i % 3}").symlink_to("/etc/passwd")
        else:
            os.mkfifo(base / "new" / f"fifo{i % 3}")

    def test_a_file_is_cut_or_grows(self):
        """Below an open session: what is said of its size and what is sent of
        it agree, or the message cannot be had; the session goes on."""
        self.account(n=8)
        c = self.opened()
        c.uid("FETCH", "1:*", "(RFC822.SIZE)")
        paths = self.s.messages(away.ANN)
        for i, size in enumerate((0, 1, 30, 100000)):
            os.truncate(paths[i], size)
        for uid in range(1, 9):
            for item in ("BODY.PEEK[]", "BODY.PEEK[TEXT]", "ENVELOPE",
                         "BODY.PEEK[]<5.20>"):
                begin = time.monotonic()
                kind, data = c.uid("FETCH", str(uid), f"({item})")
                self.true(time.monotonic() - begin < 2, "a hang")
                if uid > 4:
                    self.equal(kind, "OK")
        self.equal(c.noop()[0], "OK")
        # They are other messages now, with UIDs of their own.
        c.select()
        kind, data = c.uid("FETCH", "1:*", "(UID RFC822.SIZE BODY.PEEK[])")
        self.equal(kind, "OK")
        sizes = {int(re.search(rb"UID (\d+)", d[0])[1]): len(d[1])
                 for d in data if isinstance(d, tuple)}
        self.equal(sorted(sizes), [5, 6, 7, 8, 9, 10, 11, 12])
        c.logout()


suite.main()
