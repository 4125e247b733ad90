# SPDX-License-Identifier: BSD-2-Clause
"""What the tests with hostile input share. The ids (H1...) are those of the
list of hostile inputs that the suite has to stand; what an input may cost is
asserted beside what is answered.

Whatever comes, at the end the server still serves, and no program has died."""
import contextlib
import pathlib
import re
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import suite  # noqa: E402

ANN, BOB = "ann@one.example", "bob@one.example"
MEMORY = 16 << 10  # KiB that one client may make one process grow by


class Raw:
    """A connection of bytes. Reading ends with the connection, not with an
    error, however the other side closed it."""

    def __init__(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(suite.DEADLINE)
        self.sock, self.data = sock, b""

    def send(self, data, one_by_one=False):
        """False when the other side has closed."""
        try:
            if not one_by_one:
                self.sock.sendall(data)
            for byte in data if one_by_one else b"":
                self.sock.sendall(bytes([byte]))
        except OSError:
            return False
        return True

    def more(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        self.data += data
        return data

    def line(self):
        """The next line without its end; None at the end of all."""
        while b"\n" not in self.data and self.more():
            pass
        if not self.data:
            return None
        line, _, self.data = self.data.partition(b"\n")
        return line.rstrip(b"\r")

    def reply(self):
        """An SMTP reply's code, or 0 when the connection has ended."""
        line = self.line() or b""
        while line[3:4] == b"-":
            line = self.line() or b""
        return int(line[:3] or 0)

    def ask(self, text):
        self.send(text if isinstance(text, bytes) else text.encode() + b"\r\n")
        return self.reply()

    def rest(self):
        """All that comes until the connection ends."""
        while self.more():
            pass
        rest, self.data = self.data, b""
        return rest

    def end(self):
        """Say no more, but listen."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.close()


class HostileCase(suite.Case):
    def server(self, **settings):
        s = self.instance("ho").mail().tls()
        s.settings.update(settings)
        self.s = s.start().add_users(ANN, BOB)
        return s

    def open(self, port):
        return Raw(socket.create_connection(("127.0.0.1", port)))

    def open_tls(self, port):
        return Raw(self.s.connect_tls(port))

    def smtp(self, *commands):
        """A connection with its greeting read and these commands accepted."""
        c = self.open(self.s.port)
        self.equal(c.reply(), 220)
        for command in commands:
            self.true(c.ask(command) in (250, 354), command)
        return c

    def memory(self, program):
        """KiB of the largest process of the program, at its largest; 0 where
        most of it is not the program's own."""
        largest = 0
        if suite.watch.ON or suite.watch.is_sanitized(self.s.libexec):
            print("not measured: the memory of a program that is looked into")
            return 0
        for pid, name, _, _ in self.s.processes():
            if name == program:
                with contextlib.suppress(OSError):
                    text = pathlib.Path(f"/proc/{pid}/status").read_text()
                    found = re.search(r"VmHWM:\s+(\d+)", text)
                    largest = max(largest, int(found[1]) if found else 0)
        return largest

    def still_serves(self):
        """A message still arrives, and no program has ended badly."""
        have = len(self.s.messages(BOB))
        with self.s.smtp() as c:
            c.sendmail("good@x.example", [BOB], "Subject: good\r\n\r\nx\r\n")
        self.s.wait_messages(BOB, have + 1)
        for line in self.s.log_text().splitlines():
            self.true("killed by signal" not in line and
                      "seccomp wall" not in line and
                      "exit status" not in line, line)


class AccessCase(HostileCase):
    """IMAP and POP3 clients."""

    def imap(self):
        c = self.open_tls(self.s.imaps)
        self.true(c.line().startswith(b"* OK"))
        return c

    def login(self, user=ANN):
        c = self.imap()
        self.good(c, f"l LOGIN {user} secret")
        return c

    def command(self, c, text):
        """The tagged answer's second word, or b"" when the connection has
        ended."""
        if isinstance(text, str):
            text = text.encode()
        c.send(text + b"\r\n")
        tag = text.split(b" ")[0] + b" "
        while (line := c.line()) is not None:
            if line.startswith(tag):
                return line.split(b" ")[1]
        return b""

    def good(self, c, text):
        self.equal(self.command(c, text), b"OK", text)

    def append(self, c, text, box="INBOX"):
        c.send(b"a APPEND %s {%d+}\r\n%s\r\n" % (box.encode(), len(text),
                                                 text))
        while not (line := c.line() or b"a ").startswith(b"a "):
            self.true(line is not None, "the connection has ended")
        self.true(line.startswith(b"a OK"), line)
        return line

    def pop3(self):
        c = self.open_tls(self.s.pop3s)
        self.true(c.line().startswith(b"+OK"))
        for text in (f"USER {ANN}", "PASS secret"):
            c.send(text.encode() + b"\r\n")
            self.true(c.line().startswith(b"+OK"), text)
        return c
