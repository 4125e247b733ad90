# SPDX-License-Identifier: BSD-2-Clause
"""H39, H40: what comes in place of TLS, and what TLS allows to be sent."""
import random
import ssl

import hostile
from hostile import ANN, BOB, suite


class Tls(hostile.HostileCase):
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
