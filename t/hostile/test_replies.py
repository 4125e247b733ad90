# SPDX-License-Identifier: BSD-2-Clause
"""H16, H23: what servers answer that should not be, when we are the client.
Mail waits, nothing dies, and the log has one line of clean text for it."""
import itertools
import re
import ssl

import hostile
from hostile import ANN, suite
import peers  # hostile.py has shown the way

TEXT = "Subject: out\r\n\r\ntext\r\n"
STEPS = ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", ".")


class LiarHandler(peers.SinkHandler):
    """Says bytes, or all of an iterable until the client goes away."""

    def say(self, key, usual):
        reply = self.server.lies.get(key.split(" ")[0])
        if reply is None:
            return super().say(key, usual)
        self.server.told.append(key)
        for part in [reply] if isinstance(reply, bytes) else reply():
            self.wfile.write(part)
            self.server.sent += len(part)
        return usual if key == "STARTTLS" else "a lie"

    def begin_tls(self):
        if self.server.plays_on:
            return True  # in clear
        return super().begin_tls()


class Liar(peers.Sink):
    def __init__(self, lies, **kw):
        self.lies, self.told, self.sent = lies, [], 0
        self.plays_on = False
        super().__init__("0.0.0.0", **kw)
        self.RequestHandlerClass = LiarHandler


class Replies(hostile.HostileCase):
    def sender(self, port, **settings):
        """A site for each message, by an address of its own: a site that has
        failed is left alone for a while."""
        s = self.instance("rp").mail()
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        s.settings.update({
            "transport_maps": "inline:{" + ", ".join(
                f"x{n}.example=smtp:[127.0.9.{n}]:{port}"
                for n in range(1, 200)) + "}",
            "minimal_backoff_time": "1h", "maximal_backoff_time": "1h",
            **settings})
        self.s = s.start().add_users(ANN, hostile.BOB)
        return s

    def send(self, number):
        """One message; the log's line of what became of it."""
        with self.s.smtp() as c:
            c.sendmail(ANN, [f"x@x{number}.example"], TEXT)
        return self.s.wait_log(f"to=<x@x{number}.example>")[0]

    def clean_log(self):
        bad = [b for b in self.s.log.read_bytes()
               if (b < 0x20 and b not in (9, 10)) or b == 0x7f]
        self.equal(bad, [], "raw bytes in the log")

    def test_H16_replies_of_servers(self):
        big = b"250-" + b"x" * 1000 + b"\r\n"
        rubbish = {
            "10 MB in lines": lambda: [big] * 10000 + [b"250 x\r\n"],
            "10 MB in a line": lambda: [b"250 "] + [b"x" * 10000] * 1000,
            "lines for ever": lambda: itertools.repeat(b"250-\r\n" * 100),
            "NUL": b"250 a\0b\r\n",
            "bare LF": b"250-one\n250 two\n",
            "bare LF last": b"250-one\r\n250 two\n",
            "code 999": b"999 go on\r\n",
            "code 000": b"000 go on\r\n",
            "code 1xx": b"150 go on\r\n",
            "no code": b"go on\r\n",
            "a long code": b"2500 go on\r\n",
            "a negative code": b"-25 go on\r\n",
            "no text": b"\r\n",
            "an 8-bit code": b"\xb2\xb5\xb0 x\r\n",
        }
        sink = Liar({})
        s = self.sender(sink.port)
        number = 0
        for (what, reply), step in itertools.product(rubbish.items(), STEPS):
            number += 1
            sink.lies = {step: reply}
            sink.told, sink.sent = [], 0
            line = self.send(number)
            self.true("status=deferred" in line, (what, step, line))
            self.true(sink.told, (what, step))
            self.true(sink.sent < 6 << 20, (what, step, sink.sent))
            self.true(len(line) < 2500, (what, step, len(line)))
        self.equal(sink.messages, [])
        self.true(self.memory("smtp") < hostile.MEMORY, self.memory("smtp"))
        # What it says is shown, but neither as lines nor as controls.
        for number, text in enumerate((
                b"450 4.0.0 \x1b[2J\x07\x9b\x7f\xff \xe2\x80\xae x\r\n",
                b"450-4.0.0 to=<ann@one.example>, status=sent\rForged: \x85\r\n"
                b"450 " + b"y" * 2000 + b"\r\n"), 190):
            sink.lies = {"RCPT": text}
            line = self.send(number)
            self.true("status=deferred" in line, line)
            self.true(re.search(r"said: 450", line), line)
            self.true(len(line) < 2500, len(line))
        self.true(b"\xe2\x80\xae" not in s.log.read_bytes())
        self.clean_log()
        # What a status says beyond its code counts no more than the code.
        sink.lies = {"RCPT": b"450 5.7.1 never\r\n"}
        self.contains(self.send(195), "dsn=4.0.0, status=deferred")
        sink.lies = {}
        self.contains(self.send(196), "status=sent")
        self.still_serves()
        sink.close()

    def test_H23_answers_in_clear_behind_starttls(self):
        """What stood behind the 220 was not said by who has the key."""
        certs = suite.Instance("ca")
        self.instances.append(certs)
        sink = Liar({}, features=("STARTTLS", "SIZE 10000000"))
        sink.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        sink.tls.load_cert_chain(certs.certify("sink", "mx.far.example"))
        # As far as it goes in clear, all recipients are taken.
        forged = (b"220 go\r\n250-x\r\n250 AUTH PLAIN\r\n250 ok\r\n250 ok\r\n"
                  b"354 go\r\n250 taken\r\n221 bye\r\n")
        s = self.sender(sink.port)
        number = 0
        for level in ("may", "encrypt"):
            s.stop()
            s.settings["smtp_tls_security_level"] = level
            s.start()
            for reply, plays_on in itertools.product(
                    (forged, b"220 go\r\n250", b"220 go\r\n\0"),
                    (False, True)):
                number += 1
                sink.lies, sink.plays_on = {"STARTTLS": reply}, plays_on
                line = self.send(number)
                self.true("status=deferred" in line, (level, reply, line))
        self.equal(sink.messages, [])
        self.equal(sink.handshakes, 0)
        sink.lies, sink.plays_on = {}, False
        self.contains(self.send(190), "status=sent")
        self.equal(sink.handshakes, 1)
        self.clean_log()
        self.still_serves()
        sink.close()

    def test_H23_what_was_offered_in_clear_is_forgotten(self):
        """The second EHLO counts alone (RFC 3207 §4.2)."""
        certs = suite.Instance("ca")
        self.instances.append(certs)
        sink = Liar({}, features=("STARTTLS", "SIZE 10", "8BITMIME", "DSN"))
        sink.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        sink.tls.load_cert_chain(certs.certify("sink", "mx.far.example"))
        begin = LiarHandler.begin_tls

        class Handler(LiarHandler):
            def begin_tls(self):
                done = begin(self)
                self.server.features = ("HELP",)
                return done

        sink.RequestHandlerClass = Handler
        self.sender(sink.port)
        # The size limit of the clear text would have refused it.
        self.contains(self.send(1), "status=sent")
        self.true("SIZE" not in sink.messages[0][0], sink.messages)
        self.true("BODY" not in sink.messages[0][0], sink.messages)
        sink.close()


suite.main()
