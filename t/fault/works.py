# SPDX-License-Identifier: BSD-2-Clause
"""Kinds of work during which the fault tests do harm, each with its ledger.

A work has:
  start(s)   what must be there before the first unit, on a running instance;
  unit(s)    one piece of work, which may fail at any point, but not raise;
  quiet(s)   has what it began come to an end, or will it be tried again?
  settle(s)  wait until nothing of it is left to be tried again
  check(s)   a list of complaints: what was acknowledged and is not so. The
             instance runs undisturbed then.
"""
import base64
import contextlib
import copy
import imaplib
import operator
import poplib
import re
import smtplib
import socket
import subprocess

import faults
import peers
import scram
import suite

ANN, BOB = faults.USER, "bob@one.example"
ACCOUNT_DONE = b"\x03\x09"  # account_done of proto/accounts.h, as it is sent
MISHAPS = (OSError, EOFError, smtplib.SMTPException, imaplib.IMAP4.error,
           poplib.error_proto)


def number(text):
    """Of a message that a unit sent; 0: it is none."""
    m = re.search(r"^Subject: number (\d+)", text, re.M)
    return int(m[1]) if m else 0


def queue_is_empty(s):
    try:
        return not any(map(s.queue_files, ("incoming", "active")))
    except OSError:  # the power goes just now
        return False


class Work:
    """What all have: `acks`, the attributes that hold what was acknowledged;
    and told(), called with the words of each acknowledgement when it came."""
    acks = ("ledger.acked",)

    def told(self, words):
        pass

    def opened(self):
        """Called when a unit has logged in."""

    def closing(self):
        """Called when it is about to log out."""

    def quiet(self, s):
        return True

    def settle(self, s):
        pass

    def acknowledged(self):
        """A copy of what was; given back, it is what was no longer."""
        return {name: copy.copy(operator.attrgetter(name)(self))
                for name in self.acks}

    def only(self, acknowledged):
        for name, value in acknowledged.items():
            holder, _, last = name.rpartition(".")
            setattr(operator.attrgetter(holder)(self) if holder else self,
                    last, copy.copy(value))


class Mail(Work):
    """A message over SMTP to a mailbox of ours: there exactly once."""

    def __init__(self, lines=5):
        self.ledger = faults.Ledger()
        self.ledger.lines = lines

    def start(self, s):
        self.unit(s)
        s.wait_messages(ANN, 1)

    def unit(self, s):
        if self.ledger.send(s.port) in self.ledger.acked:
            self.told(b"250 2.0.0 Ok: queued")

    quiet = staticmethod(queue_is_empty)
    settle = staticmethod(faults.drain)

    def check(self, s):
        self.settle(s)
        return self.ledger.check(s.messages(ANN))

    def __str__(self):
        return f"{len(self.ledger.sent)} sent, " \
            f"{len(self.ledger.acked)} acknowledged"


class Submit(Mail):
    """The same by sendmail(1); its exit code is the acknowledgement."""

    def unit(self, s):
        n, body = self.ledger.next()
        done = subprocess.run([s.bin / "sendmail", "-C", s.conf, "-f",
                               "x@y.example", ANN], input=body.encode(),
                              capture_output=True)
        if done.returncode == 0:
            self.ledger.acked.add(n)


class Relay(Work):
    """A message to somebody else's server: there at least once, and no
    bounce of it."""
    to = "yes@far.example"

    def __init__(self):
        self.ledger = faults.Ledger()
        self.ledger.sender, self.ledger.to = ANN, self.to

    def start(self, s):
        self.unit(s)
        suite.wait_for(lambda: self.found(s), "the first message")

    def unit(self, s):
        if self.ledger.send(s.port) in self.ledger.acked:
            self.told(b"250 2.0.0 Ok: queued")

    quiet = staticmethod(queue_is_empty)
    settle = staticmethod(faults.drain)

    def found(self, s):
        return [number(m[2].decode()) for m in s.sink.messages]

    def check(self, s):
        self.settle(s)
        found = self.found(s)
        self.twice = sum(found.count(n) > 1 for n in set(found))
        wrong = [f"message {n} was acknowledged and never relayed"
                 for n in self.ledger.acked if n not in found]
        for m in s.sink.messages:
            sent = self.ledger.sent[number(m[2].decode())]
            if not m[2].decode().endswith(sent):
                wrong.append(f"message {number(m[2].decode())} came torn")
        if s.messages(ANN):
            wrong.append("a message was bounced and relayed")
        return wrong

    def __str__(self):
        return f"{len(self.ledger.sent)} sent, {len(self.ledger.acked)} " \
            f"acknowledged, {self.twice} relayed twice"


class Bounce(Relay):
    """A message that the other server refuses: its sender is told."""
    to = "no@far.example"

    def found(self, s):
        return [number(p.read_text()) for p in s.messages(ANN)]

    def check(self, s):
        self.settle(s)
        found = self.found(s)
        self.twice = sum(found.count(n) > 1 for n in set(found))
        return [f"message {n} was acknowledged, and its failure told nobody"
                for n in self.ledger.acked if n not in found]


class Imap(Work):
    """A session that appends, flags, moves and expunges. What it was told
    OK stays so; no message is doubled; no UID ever stands for two."""
    acks = ("appended", "flagged", "moved", "expunged", "uids")

    def __init__(self):
        self.n = 0
        self.appended, self.tried = set(), set()
        self.flagged, self.moved, self.expunged = set(), set(), set()
        self.expunge_tried = set()
        self.uids = {}  # (mailbox, its UIDVALIDITY, UID): number
        self.wrong = []

    @contextlib.contextmanager
    def session(self, s):
        c = imaplib.IMAP4_SSL("localhost", s.imaps, ssl_context=s.context(),
                              timeout=suite.DEADLINE)
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            c.authenticate("SCRAM-SHA-256", scram.Scram(ANN, "secret").say)
            yield c
        finally:
            c.shutdown()

    def start(self, s):
        with self.session(s) as c:
            c.create("kept")
        self.unit(s)

    @staticmethod
    def body(n):
        return f"Subject: number {n}\r\n\r\n" + f"body of {n}\r\n" * 5

    def uid_is(self, box, validity, uid, n):
        had = self.uids.setdefault((box, validity, uid), n)
        if had != n:
            self.wrong.append(f"UID {uid} of {box} was {had} and is {n}")

    def append(self, c):
        self.n += 1
        self.tried.add(self.n)
        kind, data = c.append("INBOX", None, None, self.body(self.n).encode())
        if kind != "OK":
            return None
        validity, uid = re.search(rb"APPENDUID (\d+) (\d+)", data[0]).groups()
        self.uid_is("INBOX", int(validity), int(uid), self.n)
        self.said_ok(c, self.appended, self.n)
        return uid.decode()

    def said_ok(self, c, what, n):
        """The command before this one was answered OK."""
        what.add(n)
        self.told(c.tagpre + b"%d OK" % (c.tagnum - 1))

    def unit(self, s):
        with contextlib.suppress(*MISHAPS), self.session(s) as c:
            self.opened()
            self.steps(c)

    def steps(self, c):
        c.select()
        uid = self.append(c)
        keep = self.n
        if uid and c.uid("STORE", uid, "+FLAGS", r"(\Flagged)")[0] == "OK":
            self.said_ok(c, self.flagged, keep)
        if uid and c.uid("MOVE", uid, "kept")[0] == "OK":
            self.said_ok(c, self.moved, keep)
        uid = self.append(c)
        if uid:
            self.expunge_tried.add(self.n)
            if c.uid("STORE", uid, "+FLAGS", r"(\Deleted)")[0] == "OK" and \
                    c.expunge()[0] == "OK":
                self.said_ok(c, self.expunged, self.n)
        self.closing()
        c.logout()

    def look(self, c, box):
        """{number: [flags of each copy]}"""
        kind, answer = c.select(box, readonly=True)
        if kind != "OK":
            raise AssertionError(f"{box} cannot be opened: {answer}")
        validity = int(c.response("UIDVALIDITY")[1][0])
        found = {}
        _, data = c.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
        for item in data:
            if not isinstance(item, tuple):
                continue
            uid = int(re.search(rb"UID (\d+)", item[0])[1])
            text = item[1].decode()
            n = number(text)
            self.uid_is(box, validity, uid, n)
            if text != self.body(n):
                self.wrong.append(f"message {n} in {box} is torn")
            found.setdefault(n, []).append(item[0])
        return found

    def check(self, s):
        with self.session(s) as c:
            inbox, kept = self.look(c, "INBOX"), self.look(c, "kept")
        for n in self.tried:
            copies = inbox.get(n, []) + kept.get(n, [])
            must = n in self.appended and n not in self.expunge_tried
            if must and not copies:
                self.wrong.append(f"message {n} was appended and is lost")
            if len(copies) > 1:
                self.wrong.append(f"message {n} is there {len(copies)} times")
            if n in self.expunged and copies:
                self.wrong.append(f"message {n} was expunged and is back")
            if n in self.moved and n in inbox:
                self.wrong.append(f"message {n} was moved and is back")
            if n in self.flagged and any(rb"\Flagged" not in c
                                         for c in copies):
                self.wrong.append(f"message {n} lost its flag")
        if set(inbox) | set(kept) - self.tried:
            strange = (set(inbox) | set(kept)) - self.tried
            self.wrong += [f"message {n} is nobody's" for n in strange]
        wrong, self.wrong = self.wrong, []
        return wrong

    def __str__(self):
        return f"{len(self.tried)} appended, {len(self.appended)} " \
            f"acknowledged, {len(self.moved)} moved, " \
            f"{len(self.expunged)} expunged"


class Folders(Imap):
    """Mailboxes made, filled, renamed with their children, and every second
    one deleted. A message is in its mailbox under the old or the new name,
    with its keyword, which no file knows."""
    acks = ("appended", "kept", "copied", "renamed", "deleted", "uids")
    MOST = 60  # mailboxes that wait to be looked at; disks are small

    def __init__(self):
        super().__init__()
        self.forget()

    def forget(self):
        self.tried, self.appended = set(), set()
        self.kept, self.copied = set(), set()
        self.renamed, self.deleted, self.delete_tried = set(), set(), set()

    def start(self, s):
        self.unit(s)

    def settle(self, s):
        if len(self.tried) < self.MOST:
            return
        with contextlib.suppress(*MISHAPS):
            self.wrong = self.check(s)
            with self.session(s) as c:
                for box in sorted(self.boxes(c), reverse=True):
                    if box != "INBOX":
                        c.delete(box)
            self.forget()

    def ok(self, c, what, answer):
        if answer[0] == "OK":
            self.said_ok(c, what, self.n)

    def steps(self, c):
        self.n += 1
        n, old, new = self.n, f"d{self.n}", f"e{self.n}"
        self.tried.add(n)
        c.create(old)
        self.ok(c, self.appended, c.append(old, None, None,
                                           self.body(n).encode()))
        if n in self.appended and c.select(old)[0] == "OK":
            self.ok(c, self.kept, c.store("1", "+FLAGS", f"($k{n % 3})"))
            c.create(f"{old}.s")
            self.ok(c, self.copied, c.copy("1", f"{old}.s"))
            c.close()
        self.ok(c, self.renamed, c.rename(old, new))
        if n % 2:
            self.delete_tried.add(n)
            self.copied.discard(n)
            c.delete(f"{new}.s")
            answer = c.delete(new)
            self.ok(c, self.deleted, answer)
            if answer[0] == "NO":  # then it is there
                self.delete_tried.remove(n)
        self.closing()
        c.logout()

    def boxes(self, c):
        return [item.decode().rsplit(" ", 1)[1].strip('"')
                for item in c.list()[1] if b"\\Noselect" not in item]

    def check(self, s):
        found = {}
        with self.session(s) as c:
            for box in self.boxes(c):
                if box != "INBOX":
                    found[box] = self.look(c, box)
        for n in self.tried:
            here = [b for b in (f"d{n}", f"e{n}") if b in found]
            copies = [flags for b in here for flags in found[b].get(n, [])]
            subs = [f for b in (f"d{n}.s", f"e{n}.s")
                    for f in found.get(b, {}).get(n, [])]
            self.check_one(n, here, copies, subs)
        wrong, self.wrong = self.wrong, []
        return wrong

    def check_one(self, n, here, copies, subs):
        if n in self.deleted and here:
            self.wrong.append(f"mailbox {n} was deleted and is there")
        if n in self.renamed and f"d{n}" in here:
            self.wrong.append(f"mailbox {n} was renamed and has the old name")
        if n in self.delete_tried:
            return
        if n in self.appended and len(copies) != 1:
            self.wrong.append(f"message {n} is there {len(copies)} times")
        if n in self.copied and len(subs) != 1:
            self.wrong.append(f"copy {n} is there {len(subs)} times")
        if n in self.kept and any(b"$k%d" % (n % 3) not in f for f in copies):
            self.wrong.append(f"message {n} lost its keyword")

    def __str__(self):
        return f"{self.n} mailboxes"


class Pop(Work):
    """A message is fetched and deleted over POP3: before QUIT is answered it
    is still there or is gone, afterwards it is gone."""
    acks = ("ledger.acked", "deleted")

    def __init__(self):
        self.ledger = faults.Ledger()
        self.ledger.to = BOB
        self.deleted, self.delete_tried = set(), set()

    def start(self, s):
        s.postern("user", "add", BOB, "--password-stdin", input="secret\n")
        self.unit(s)

    def unit(self, s):
        if self.ledger.send(s.port) in self.ledger.acked:
            self.told(b"250 2.0.0 Ok: queued")
        faults.drain(s)
        with contextlib.suppress(*MISHAPS):
            self.fetch(s)

    @contextlib.contextmanager
    def session(self, s):
        p = poplib.POP3_SSL("localhost", s.pop3s, context=s.context(),
                            timeout=suite.DEADLINE)
        try:
            client = scram.Scram(BOB, "secret")
            line = p._shortcmd("AUTH SCRAM-SHA-256")
            while line.startswith(b"+ "):
                line = p._shortcmd(scram.b64(client.say(
                    base64.b64decode(line[2:]))))
            yield p
        finally:
            p.close()

    @staticmethod
    def listed(p):
        return range(1, len(p.list()[1]) + 1)

    @staticmethod
    def retrieve(p, i):
        return number("\n".join(x.decode() for x in p.retr(i)[1]))

    def fetch(self, s):
        with self.session(s) as p:
            self.opened()
            tried = set()
            for i in self.listed(p):
                tried.add(self.retrieve(p, i))
                p.dele(i)
            self.delete_tried |= tried
            self.closing()
            p.quit()
            self.deleted |= tried
            self.told(b"+OK Logging out")

    quiet = staticmethod(queue_is_empty)

    def settle(self, s):
        """Empty, or the next unit would have more to do than the last."""
        faults.drain(s)
        with contextlib.suppress(*MISHAPS):
            self.fetch(s)

    def check(self, s):
        """By a session's eyes: a file that came back without its entry in the
        index is none of its messages."""
        faults.drain(s)
        with self.session(s) as p:
            found = [self.retrieve(p, i) for i in self.listed(p)]
        wrong = []
        for n in self.ledger.sent:
            must = n in self.ledger.acked and n not in self.delete_tried
            if must and n not in found:
                wrong.append(f"message {n} was acknowledged and is lost")
            if found.count(n) > 1:
                wrong.append(f"message {n} is there {found.count(n)} times")
            if n in self.deleted and n in found:
                wrong.append(f"message {n} was deleted and is back")
        return wrong

    def __str__(self):
        return f"{len(self.ledger.sent)} sent, {len(self.deleted)} " \
            "fetched and deleted"


class Strangers(Work):
    """Logins with a wrong password and with the right one: nobody is let in
    by the former, and the latter is not said to be wrong."""
    acks = ()

    def __init__(self, mechanism):
        self.mechanism = mechanism
        self.tries, self.wrong = 0, []

    def login(self, s, password):
        self.tries += 1
        client = {"SCRAM-SHA-256": scram.Scram(ANN, password).say,
                  "PLAIN": lambda _: f"\0{ANN}\0{password}".encode()}
        c = imaplib.IMAP4_SSL("localhost", s.imaps, ssl_context=s.context(),
                              timeout=suite.DEADLINE)
        try:
            c.authenticate(self.mechanism, client[self.mechanism])
        finally:
            c.shutdown()

    def start(self, s):
        self.login(s, "secret")

    def unit(self, s):
        with contextlib.suppress(*MISHAPS):
            self.login(s, "guessed")
            self.wrong.append(f"try {self.tries}: a stranger was let in")
        self.right(s)

    def right(self, s):
        try:
            self.login(s, "secret")
        except MISHAPS as e:
            if "AUTHENTICATIONFAILED" in str(e):
                self.wrong.append(f"try {self.tries}: the right password was "
                                  f"refused: {e}")

    def check(self, s):
        self.login(s, "secret")
        return self.wrong

    def __str__(self):
        return f"{self.tries} logins"


class Accounts(Work):
    """An account is made, gets another password, and every second one goes:
    exit code 0 says that it is so."""
    acks = ("made", "deleted")

    def __init__(self):
        self.n = 0
        self.tried, self.made = set(), set()
        self.del_tried, self.deleted = set(), set()
        self.dark = lambda: False  # has the power gone?

    def start(self, s):
        self.unit(s)

    def unit(self, s):
        self.n += 1
        n, name = self.n, f"u{self.n}@one.example"
        self.tried.add(n)
        self.do(s, n, self.made.add, "add", name, "--generate")
        self.do(s, n, lambda n: None, "set", name, "--quota", "1M")
        if n % 2:
            self.del_tried.add(n)
            self.do(s, n, self.deleted.add, "del", name)

    def do(self, s, n, done, *args):
        p = subprocess.Popen([s.bin / "postern", "-c", s.conf, "user", *args],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        suite.wait_for(lambda: p.poll() is not None or self.dark(),
                       "postern user")
        p.kill()
        if p.wait() == 0:
            done(n)
            self.told(ACCOUNT_DONE)

    def check(self, s):
        out = s.postern("user", "list").stdout
        there = {int(n) for n in re.findall(r"^u(\d+)@one", out, re.M)}
        wrong = [f"account {n} was made and is lost"
                 for n in self.made - self.del_tried - there]
        wrong += [f"account {n} was deleted and is back"
                  for n in self.deleted & there]
        wrong += [f"account {n} is nobody's" for n in there - self.tried]
        return wrong

    def __str__(self):
        return f"{len(self.made)} accounts made, {len(self.deleted)} deleted"


def server(case, name, fault=None, prepare=None, also=(), sessions=True,
           **settings):
    """An instance with everything that any work needs, or, without `sessions`,
    that mail alone needs, which starts faster; `fault` is planted, and what is
    in `also`."""
    s = case.instance(name).mail()
    if sessions:
        s.tls("localhost")
    else:
        s.rows += ["notify unix - - - - 1 notify"]
    if prepare:
        prepare(s)
    s.sink = peers.Sink(replies={"RCPT no@far.example": "550 5.1.1 no"})
    s.dns = peers.NameServer({
        ("far.example", "MX"): ["10 mx.far.example"],
        ("mx.far.example", "A"): ["127.0.0.1"]})
    s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
    s.settings.update({
        "dns_servers": f"127.0.0.1:{s.dns.port}", "dns_timeout": "1s",
        "smtp_tcp_port": s.sink.port, "mynetworks": "127.0.0.0/8",
        "minimal_backoff_time": "1s", "maximal_backoff_time": "1s",
        "service_throttle_time": "0", "scram_iterations": "4096",
        "login_mechanisms": "SCRAM-SHA-256"} | settings)
    if fault or also:
        faults.with_planted(s, fault, *also)
    s.start().add_users(ANN)
    return s
