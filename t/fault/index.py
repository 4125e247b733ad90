# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of a damaged index share: an account with messages, and a
ledger in which no UID ever stands for two of them."""
import contextlib
import imaplib
import itertools
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import suite  # noqa: E402
import works  # noqa: E402

AT_ONCE = 5  # seconds within which the account is served again
BOXES = ("INBOX", "kept")


class IndexCase(away.AwayCase):
    def account(self, n=40, fault=None, **settings):
        """ann has n messages and a few more in another mailbox; bob too."""
        s = self.server("ix", fault=fault, imap_lock_timeout="1s",
                        imap_idle_poll="1s", **settings)
        self.known = {}     # (mailbox, its UIDVALIDITY, UID): number
        self.validities = {box: 0 for box in BOXES}
        self.here = set()   # the numbers that must be there
        self.numbers = itertools.count(1)
        c = self.imap()
        self.equal(c.create("kept")[0], "OK")
        for _ in range(n):
            self.append(c)
        c.select()
        c.copy("1:5", "kept")
        self.in_kept = 5
        c.uid("STORE", "3:9", "+FLAGS", r"(\Flagged $Work)")
        c.uid("FETCH", "1:*", "(ENVELOPE BODYSTRUCTURE)")
        c.logout()
        self.deliver(away.BOB)
        other = self.imap(away.BOB)
        other.select()
        other.logout()
        return s

    def deliver(self, to):
        """A message of no number, as others send it."""
        have = len(self.s.messages(to))
        with self.s.smtp() as m:
            m.sendmail("x@y.example", [to], "Subject: other\r\n\r\nx\r\n")
        self.s.wait_messages(to, have + 1)

    def body(self, n):
        return f"Subject: number {n}\r\nMessage-ID: <{n}@t.example>\r\n\r\n" \
            + f"body of {n}\r\n" * (n % 7 + 1)

    def append(self, c):
        n = next(self.numbers)
        kind, data = c.append("INBOX", None, None, self.body(n).encode())
        if kind == "OK":
            self.here.add(n)
        return kind, data, n

    @property
    def index(self):
        return self.s.maildir(away.ANN) / "index"

    def uid_is(self, box, validity, uid, n):
        had = self.known.setdefault((box, validity, uid), n)
        if had != n:
            raise AssertionError(f"UID {uid} of {box} (UIDVALIDITY "
                                 f"{validity}) was message {had} and is {n}")

    def look(self, c, box):
        """The numbers of the messages in a mailbox, each held against the
        ledger."""
        kind, _ = c.select(box, readonly=True)
        if kind != "OK":
            raise imaplib.IMAP4.error("no SELECT")
        validity = int(c.response("UIDVALIDITY")[1][0])
        if validity < self.validities[box]:
            raise AssertionError(f"UIDVALIDITY {validity} of {box} after "
                                 f"{self.validities[box]}")
        self.validities[box] = validity
        kind, data = c.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
        if kind != "OK":
            raise imaplib.IMAP4.error("no FETCH")
        return self.take(box, validity, data)

    def take(self, box, validity, data):
        numbers = []
        for item in data:
            if not isinstance(item, tuple):
                continue
            uid = int(re.search(rb"UID (\d+)", item[0])[1])
            n = works.number(item[1].decode())
            self.uid_is(box, validity, uid, n)
            if n and item[1].decode() != self.body(n):
                raise AssertionError(f"message {n} is torn")
            numbers.append(n)
        return numbers

    def whole(self):
        """A new session has everything, once. None: it cannot be had yet."""
        try:
            c = self.imap()
        except works.MISHAPS:
            return None
        try:
            found = sorted(filter(None, self.look(c, "INBOX")))
            kept = self.look(c, "kept")
        except works.MISHAPS:
            return None
        finally:
            with contextlib.suppress(*works.MISHAPS):
                c.logout()
        # One whose APPEND was not answered may be there.
        self.equal(sorted(self.here - set(found)), [], "missing in INBOX")
        self.equal(found, sorted(set(found)), "twice in INBOX")
        self.here |= set(found)
        self.equal(len(kept), self.in_kept, "kept")
        return True

    def served_again(self, what):
        begin = time.monotonic()
        suite.wait_for(self.whole, f"all of it after {what}", AT_ONCE)
        return time.monotonic() - begin

    def use(self, c):
        """What an open session does now: any answer is good, or its end; what
        it shows must be right, and it must come in time."""
        begin = time.monotonic()
        with contextlib.suppress(*works.MISHAPS):
            c.noop()
            kind, data = c.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
            if kind == "OK":
                self.take("INBOX", self.validities["INBOX"], data)
            c.uid("STORE", "2", "+FLAGS", r"(\Answered)")
            self.append(c)
            c.noop()
        took = time.monotonic() - begin
        self.true(took < AT_ONCE, f"an open session hung for {took:.1f} s")
        with contextlib.suppress(*works.MISHAPS):
            c.shutdown()

    def opened(self):
        """A session that has INBOX open. Damage that nobody met before may
        show only now, and end one."""
        return suite.wait_for(self.try_to_open, "a session", AT_ONCE)

    def try_to_open(self):
        c = self.imap()
        with contextlib.suppress(*works.MISHAPS):
            if c.select()[0] == "OK":
                validity = int(c.response("UIDVALIDITY")[1][0])
                self.validities["INBOX"] = max(self.validities["INBOX"],
                                               validity)
                return c
        c.shutdown()
        return None
