# SPDX-License-Identifier: BSD-2-Clause
"""H39, H40: what comes in place of TLS, and what TLS allows to be sent."""
import random
import ssl
import threading
import time

import hostile
from hostile import ANN, BOB, suite
import openssl

UPDATES = 20000
UNRECOGNIZED_NAME, NO_PROTOCOL = 112, 120  # alerts


class Tls(hostile.HostileCase):
    def small(self, *programs):
        for program in programs:
            self.true(self.memory(program) < hostile.MEMORY, program)

    # --- H39, before the handshake is done ---

    def test_H39_names(self):
        """Whatever a client calls us, it sees our certificate or an alert."""
        s = self.server()
        for name in (b"../../etc/passwd", b"mail.test.example\0.evil.example",
                     b"no.such.example", b"x" * 255, b"x" * 256, b"x" * 65000,
                     b"", b"\xff\xfe", b"127.0.0.1", b"/" * 200, b"." * 255):
            for port in (s.submissions, s.imaps, s.pop3s):
                c = openssl.Handmade(port)
                c.send(openssl.records(openssl.hello(
                    openssl.server_name(name))))
                self.true(c.answer() is not None, name)
                self.true(c.answer()[0] in (21, 22), (name, c.answer()))
                c.close()
        self.small("login", "smtpd", "keyd")
        self.true("etc/passwd" not in s.log_text())
        self.still_serves()

    def test_H39_protocols(self):
        s = self.server()
        for names, good in ((b"\2h2\x08http/1.1", ()), (b"\0", ()),
                            (b"\xff" + b"x" * 20, ()), (b"", ()),
                            (b"\2h2" * 9000, ()), (b"\2h2\4imap", (s.imaps,)),
                            (b"\4pop3", (s.pop3s,))):
            for port in (s.imaps, s.pop3s):
                c = openssl.Handmade(port)
                c.send(openssl.records(openssl.hello(
                    (16, openssl.vector(2, names)))))
                got = c.answer()
                self.equal(got and got[0], 22 if port in good else 21,
                           (names[:20], got))
                if names.startswith(b"\2h2\x08"):
                    self.equal(got[1], NO_PROTOCOL)
                c.close()
        self.still_serves()

    def test_H39_a_message_of_a_megabyte(self):
        """A ClientHello that says it is one, and a certificate that nobody
        asked for: neither is waited for, nor kept."""
        s = self.server()
        large = openssl.vector(3, openssl.vector(3, bytes(1 << 20)))
        for port in (s.submissions, s.imaps):
            for message in (b"\1" + large, openssl.hello((0xfafa,
                            bytes(65000)), (0xfafb, bytes(400)))):
                c = openssl.Handmade(port)
                c.send(openssl.records(message))
                c.answer()
                c.close()
            c = openssl.Handmade(port)
            c.send(openssl.records(openssl.hello()))
            self.equal(c.answer(), (22, 2))
            c.send(openssl.records(b"\x0b" + large, b"\3\3"))
            self.true(b"\x15\3\3\0\2\2" in c.rest(), "no alert")
            c.close()
        self.small("login", "smtpd")
        self.still_serves()

    # --- H39, in a session ---

    def test_H39_key_updates(self):
        s = self.server()
        for port in (s.imaps, s.submissions):
            c = openssl.Client(port)
            c.line()
            for _ in range(UPDATES):
                self.true(c.update_key())
            c.send(b"NOOP\r\n" if port == s.submissions else b"a NOOP\r\n")
            self.contains(c.line().decode(),
                          "250" if port == s.submissions else "a OK")
            c.close()
        self.small("login", "smtpd")
        self.still_serves()

    def test_H39_key_updates_are_no_commands(self):
        """They keep nobody's time from passing, nor from others."""
        s = self.server(smtpd_timeout="2s", login_timeout="2s",
                        smtpd_error_sleep_time="0")
        floods = []

        def flood(c):
            end = time.monotonic() + suite.DEADLINE
            while c.update_key():
                if time.monotonic() > end:
                    return
            floods.append(c)

        clients = [openssl.Client(port) for port in
                   (s.imaps, s.imaps, s.imaps, s.pop3s, s.submissions)]
        threads = [threading.Thread(target=flood, args=(c,)) for c in clients]
        for t in threads:
            t.start()
        with self.open_tls(s.imaps).sock as other:
            self.contains(other.recv(100).decode(), "* OK")
        for t in threads:
            t.join()
        self.equal(len(floods), len(clients), "some were never sent away")
        for c in clients:
            c.close()
        self.still_serves()

    def test_H39_renegotiation(self):
        s = self.server()
        for port in (s.imaps, s.pop3s, s.submissions):
            c = openssl.Client(port, openssl.TLS1_2)
            c.line()
            self.true(not c.renegotiate(), port)
            c.close()
        self.still_serves()

    # --- what is not TLS ---

    def test_H39_hello_of_another_kind(self):
        s = self.server()
        hello = bytearray(self.client_hello(s))
        for what, data in {
                "SSLv2": b"\x80\x2e\1\0\2\0\x15\0\0\0\x10" + b"\1" * 40,
                "rubbish": bytes(range(256)) * 20,
                "an alert": b"\x15\3\1\0\2\1\0",
                "a huge record": b"\x16\3\1\xff\xff" + b"x" * 70000,
                "an empty record": b"\x16\3\1\0\0" * 1000,
                "half a hello": bytes(hello[:40])}.items():
            c = self.open(s.submissions)
            c.send(data)
            c.end()
            self.true(b"220" not in c.rest(), what)
            c.close()
        for i in random.Random(39).sample(range(len(hello)), 40):
            flipped = bytearray(hello)
            flipped[i] ^= 0xff
            c = self.open(s.imaps)
            c.send(bytes(flipped))
            c.end()
            c.rest()
            c.close()
        # One byte a record, as few do; still a handshake.
        c = self.open(s.submissions)
        body = bytes(hello[5:])
        c.send(b"".join(b"\x16\3\1\0\1" + body[i:i + 1]
                        for i in range(len(body))))
        c.close()
        self.still_serves()

    def test_H39_records_of_one_byte(self):
        s = self.server(login_bad_command_limit="1000")
        c = self.open_tls(s.imaps)
        c.line()
        c.send(b"a NOOP\r\n" * 2048, one_by_one=True)
        for _ in range(2048):
            self.equal(c.line()[:4], b"a OK")
        # The end of TLS without a word of it.
        c.close()
        c = self.open_tls(s.submissions)
        self.equal(c.reply(), 220)
        c.send(b"NOOP\r\n" * 30, one_by_one=True)
        for _ in range(30):
            self.equal(c.reply(), 250)
        c.close()
        for program in ("login", "smtpd"):
            self.true(self.memory(program) < hostile.MEMORY, program)
        self.still_serves()

    def client_hello(self, s):
        context = ssl.create_default_context()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing,
                               server_hostname=s.settings["myhostname"])
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return outgoing.read()

    def test_H40_a_browser_at_each_port(self):
        s = self.server()
        post = (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n"
                b"EHLO x\r\nMAIL FROM:<evil@x.example>\r\n"
                b"RCPT TO:<ann@one.example>\r\nDATA\r\nSubject: evil\r\n\r\n"
                b".\r\n<script>alert(1)</script>\r\n")
        for port in (s.port, s.submission, s.imap, s.pop3):
            c = self.open(port)
            c.send(post)
            c.end()
            answer = c.rest()
            self.true(b"script" not in answer and b"HTTP" not in answer,
                      answer)
            self.true(answer.count(b"\n") <= 3, answer)
            c.close()
        for port in (s.submissions, s.imaps, s.pop3s):
            c = self.open_tls(port)
            c.send(post + b"z LOGOUT\r\nQUIT\r\n")
            answer = c.rest()
            self.true(b"script" not in answer, answer)
            c.close()
        self.equal(s.messages(ANN), [])
        self.still_serves()


suite.main()
