# SPDX-License-Identifier: BSD-2-Clause
"""Clients and servers on the other side that are slow, stop, or go away at any
byte (F17 to F19)."""
import contextlib
import os
import pathlib
import re
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import faults  # noqa: E402
import peers  # noqa: E402
import suite  # noqa: E402
from away import pids_of  # noqa: E402

LARGE = 8 << 20
MEMORY = 16 << 10  # KiB that one client may make one process grow by


def reset(sock):
    """Close it so that the other side sees a reset."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    os.close(sock.detach())  # also when a file of Python's has it


def memory(s, program):
    """KiB of the largest process of the program, at its largest."""
    largest = 0
    for pid in pids_of(s, program):
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+)", text)  # not of one that ends
            largest = max(largest, int(found[1]) if found else 0)
    return largest


class Cut(Exception):
    pass


class Counted:
    """Reads from a socket until it has had `most` bytes; None: a final dot."""

    def __init__(self, sock, most):
        self.sock, self.most, self.data = sock, most, b""
        self.all = b""

    def is_over(self):
        if self.most is None:
            return self.all.endswith(b"\r\n.\r\n")
        return len(self.all) >= self.most

    def readline(self):
        while b"\n" not in self.data:
            more = self.sock.recv(4096 if self.most is None
                                  else self.most - len(self.all))
            self.data += more
            self.all += more
            if self.is_over() or not more:
                raise Cut
        line, _, self.data = self.data.partition(b"\n")
        return line + b"\n"

    def __iter__(self):
        return iter(self.readline, b"")

    def close(self):
        pass


class CuttingHandler(peers.SinkHandler):
    """The nth connection is reset when it has had n bytes; the last ones, when
    they have had all."""

    def handle(self):
        with self.server.lock:
            self.server.seen += 1
            n = self.server.seen
        if n > self.server.cuts:
            super().handle()
            return
        self.rfile = Counted(self.connection, n if n <= self.server.cuts - 20
                             else None)
        try:
            super().handle()
        except Cut:
            if self.rfile.all.endswith(b"\r\n.\r\n"):
                self.server.had_all += 1  # and said nothing
            reset(self.connection)


class StuckHandler(peers.SinkHandler):
    """Reads no content."""

    def content(self, sender, rcpts):
        if self.server.stuck:
            self.server.over.wait(20)
            raise ConnectionError("stuck")
        super().content(sender, rcpts)


class Clients(away.AwayCase):
    def rounds(self, deadline):
        """Other clients are served meanwhile, until then."""
        n = 0
        while time.monotonic() < deadline or n < 3:
            self.equal(self.send(), 250)
            self.true(self.took < 5, f"mail took {self.took:.1f} s")
            begin = time.monotonic()
            self.equal(self.login_refusal(), "")
            self.true(time.monotonic() - begin < 5, "a login is slow")
            n += 1
        return n

    def test_F17_slow_clients(self):
        """60 on each port say a byte now and then."""
        s = self.server("ac", smtpd_timeout="3s", login_timeout="3s")
        self.serves_again("the start")
        ports = (s.port, s.submission, s.submissions, s.imap, s.imaps,
                 s.pop3, s.pop3s)
        slow = [socket.create_connection(("127.0.0.1", port), timeout=5)
                for port in ports for _ in range(60)]
        over = threading.Event()

        def trickle():
            while not over.wait(0.3):
                for c in slow:
                    with contextlib.suppress(OSError):
                        c.send(b"N", socket.MSG_DONTWAIT)

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            n = self.rounds(time.monotonic() + 2)
            # And at last they are sent away, though they were never silent.
            suite.wait_for(lambda: all(map(self.is_closed, slow)),
                           "the end of the slow")
        finally:
            over.set()
            thread.join()
            for c in slow:
                c.close()
        self.serves_again("slow clients")
        self.done(f"F17: {len(slow)} slow clients, {n} rounds of others")

    @staticmethod
    def is_closed(c):
        try:
            c.settimeout(0)
            while True:
                if not c.recv(65536):
                    return True
        except BlockingIOError:
            return False
        except OSError:
            return True

    # --- F18 ----------------------------------------------------------------

    def put_large(self):
        """One large message in the mailbox, by IMAP; a session."""
        c = self.imap()
        text = b"Subject: large\r\n\r\n" + b"x" * 76 + b"\r\n"
        text += (b"y" * 76 + b"\r\n") * (LARGE // 78)
        self.equal(c.append("INBOX", None, None, text)[0], "OK")
        c.select()
        return c

    def test_F18_a_client_stops_reading(self):
        """In the middle of a FETCH and of a RETR: no process grows, others are
        served, and the session's time ends."""
        s = self.server("ac", pop3_timeout="2s")
        imap = self.put_large()
        before = {p: memory(s, p) for p in ("login", "imapd")}
        imap.send(b"a FETCH 1:* BODY[]\r\n")
        pop = s.connect_tls(s.pop3s, "localhost")
        for line in (b"", b"USER ann@one.example\r\n", b"PASS secret\r\n",
                     b"RETR 1\r\n"):
            pop.send(line)
            if line[:1] != b"R":
                pop.recv(1000)
        suite.wait_for(lambda: pids_of(s, "pop3d"), "a POP3 session")
        self.rounds(time.monotonic() + 1)
        for p, had in before.items():
            self.true(memory(s, p) - had < MEMORY, f"{p} has grown")
        suite.wait_for(lambda: not pids_of(s, "pop3d"),
                       "the end of the POP3 session", 10)
        old = pids_of(s, "imapd")
        reset(imap.sock)
        suite.wait_for(lambda: not set(old) & set(pids_of(s, "imapd")),
                       "the end of the IMAP session", 5)
        pop.close()
        for p in s.messages(away.ANN):  # not of the ledger
            if p.stat().st_size > LARGE // 2:
                p.unlink()
        self.serves_again("clients that stop reading")
        self.done("F18 reading")

    def test_F18_the_other_side_stops_in_the_middle(self):
        """A client in its DATA, a server in ours."""
        s = self.server("ac", smtpd_timeout="2s", smtp_data_xfer_timeout="2s",
                        smtp_data_done_timeout="2s")
        c = socket.create_connection(("127.0.0.1", s.port), timeout=10)
        f = c.makefile("rb")
        f.readline()
        for line in (b"HELO c\r\n", b"MAIL FROM:<x@y.example>\r\n",
                     b"RCPT TO:<ann@one.example>\r\n", b"DATA\r\n"):
            c.send(line)
            f.readline()
        c.send(b"Subject: half\r\n\r\nhalf a ")
        begin = time.monotonic()
        self.true(f.readline()[:3] in (b"421", b""), "no end of its time")
        self.true(1 < time.monotonic() - begin < 5, "not in time")
        c.close()
        s.sink.RequestHandlerClass = StuckHandler
        s.sink.stuck, s.sink.over = True, threading.Event()
        self.equal(self.relay(), 250)
        s.wait_log("status=deferred", deadline=15)
        s.sink.stuck = False
        s.sink.over.set()
        self.serves_again("a stuck server")
        self.done("F18 the middle")

    # --- F19 ----------------------------------------------------------------

    def cut_at(self, k):
        """A transaction in which the client goes away after k bytes of what it
        would say. False: there are not so many."""
        n, text = self.ledger.next("x@y.example", away.ANN)
        c = socket.create_connection(("127.0.0.1", self.s.port), timeout=20)
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        f = c.makefile("rb")
        f.readline()
        said = ("HELO c\r\n", "MAIL FROM:<x@y.example>\r\n",
                "RCPT TO:<ann@one.example>\r\n", "DATA\r\n",
                text + ".\r\n", "QUIT\r\n")
        for line in said:
            c.send(line[:k].encode())
            if len(line) > k:
                reset(c)
                return True
            k -= len(line)
            reply = f.readline()
            if line.endswith("\r\n.\r\n"):
                self.ledger.codes[n] = int(reply[:3])
        reset(c)
        return False

    def test_F19_a_client_goes_away_at_each_byte(self):
        s = self.server("ac")
        k = 0
        while self.cut_at(k):
            k += 1
        self.true(k > 150, k)
        self.serves_again("resets")
        suite.wait_for(lambda: not s.queue_files(), "an empty queue")
        print(f"{k} bytes")
        self.done("F19 clients")

    def test_F19_a_server_goes_away_at_each_byte(self):
        """Each message is for a domain of its own, so that one's lost
        connection does not hold the others back."""
        s = self.server("ac")
        s.dns.answer = self.any_domain(s.dns)
        s.sink.RequestHandlerClass = CuttingHandler
        s.sink.lock, s.sink.seen, s.sink.had_all = threading.Lock(), 0, 0
        s.sink.cuts = 620  # more bytes than a session has, and 20
        for k in range(s.sink.cuts):
            n, text = self.ledger.next(away.BOB, away.FAR)
            with s.smtp() as c:
                self.ledger.codes[n] = self.transaction(
                    c, away.BOB, f"yes@d{k}.example", text)
        suite.wait_for(lambda: s.sink.seen >= s.sink.cuts, "all the cuts")
        faults.drain(s)
        relayed = [m[2].decode() for m in s.sink.messages]
        found, wrong = self.ledger.counts(relayed)
        self.equal(wrong, [])
        twice = [n for n, copies in found.items() if copies > 1]
        print(f"{s.sink.cuts} cuts, {s.sink.had_all} of them after the final "
              "dot and before its answer")
        self.equal(twice, [], "what was answered is not sent again")
        self.true(s.sink.had_all > 0, "none was cut after the dot")
        self.done("F19 servers")

    @staticmethod
    def any_domain(dns):
        """All domains have the one server."""
        usual = dns.answer

        def answer(data):
            at, labels = 12, []
            while data[at]:
                labels.append(data[at + 1:at + 1 + data[at]].decode())
                at += 1 + data[at]
            name = ".".join(labels).lower()
            if not name.startswith("mx."):
                dns.zone.setdefault((name, "MX"), ["10 mx.far.example"])
            return usual(data)

        return answer


suite.main()
