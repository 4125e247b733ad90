# SPDX-License-Identifier: BSD-2-Clause
"""Real-world shapes go in by SMTP and come out by IMAP and POP3 byte for byte
the same after the trace headers."""
import imaplib
import poplib
import re
import smtplib

import corpus
import mua
import suite
from mua import ANN, PASSWORD

TRACE = re.compile(rb"Return-Path: <[^\r]*\r\nDelivered-To: [^\r]*\r\n"
                   rb"Received: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*")


class Corpus(mua.ClientCase):
    def server(self, messages):
        s = self.instance("co").mail().tls("localhost")
        s.settings["message_size_limit"] = "30000000"
        s.settings["message_drop_headers"] = ""
        s.start().add_users(ANN, password=PASSWORD)
        return s

    def send(self, s, messages):
        with s.smtp() as c:
            c.ehlo()
            for i, m in enumerate(messages):
                c.mail("sender@other.example", ["BODY=8BITMIME"])
                c.rcpt(ANN)
                c.putcmd("data")
                self.equal(c.getreply()[0], 354)
                c.send(re.sub(rb"(?m)^\.", b"..", m) + b".\r\n")
                code, text = c.getreply()
                self.equal(code, 250, f"message {i}: {text}")
                s.wait_messages(ANN, i + 1)

    def hold(self, i, data, sent):
        """The trace, then what was sent, and nothing else."""
        if not data.endswith(sent):
            raise AssertionError(f"message {i}: {data[:2000]!r} does not "
                                 f"end with {sent[:2000]!r}")
        trace = data[:len(data) - len(sent)]
        self.true(TRACE.fullmatch(trace), f"the trace of {i}: {trace!r}")

    def test_byte_for_byte(self):
        messages = corpus.messages()
        self.true(len(messages) >= 200, len(messages))
        s = self.server(messages)
        self.send(s, messages)
        self.by_imap(s, messages)
        self.by_pop3(s, messages)
        print(f"{len(messages)} messages, "
              f"{sum(map(len, messages)) >> 20} MiB: all the same")

    def test_internationalised_addresses(self):
        s = self.server([])
        text = ("From: Jürgen <jürgen@köln.example>\r\n"
                "Subject: Grüße\r\n\r\n東京\r\n").encode()
        with s.smtp() as c:
            c.command_encoding = "utf-8"
            c.ehlo()
            self.equal(c.mail("jürgen@köln.example",
                              ["SMTPUTF8", "BODY=8BITMIME"])[0], 250)
            self.equal(c.rcpt(ANN)[0], 250)
            self.equal(c.data(text)[0], 250)
        stored = s.wait_messages(ANN, 1)[0].read_bytes()
        self.hold(0, stored, text)
        self.contains(stored, "Return-Path: <jürgen@köln.example>".encode())
        self.contains(stored, b"with UTF8SMTP ")

    def by_imap(self, s, messages):
        c = imaplib.IMAP4_SSL("localhost", s.imaps, ssl_context=s.context())
        c.login(ANN, PASSWORD)
        self.equal(c.select()[1], [b"%d" % len(messages)])
        for i, m in enumerate(messages, 1):
            kind, data = c.fetch(str(i), "(RFC822.SIZE BODY.PEEK[])")
            self.equal(kind, "OK")
            text = data[0][1]
            self.hold(i, text, m)
            self.contains(data[0][0], b"RFC822.SIZE %d " % len(text))
            kind, data = c.fetch(str(i), "(BODY.PEEK[HEADER] "
                                         "BODY.PEEK[TEXT])")
            self.equal(data[0][1] + data[1][1], text, f"halves of {i}")
            kind, data = c.fetch(str(i), "(ENVELOPE BODYSTRUCTURE)")
            self.equal(kind, "OK")
            self.contains(str(data), "BODYSTRUCTURE (")
        c.logout()

    def by_pop3(self, s, messages):
        c = poplib.POP3_SSL("localhost", s.pop3s, context=s.context())
        c.user(ANN)
        c.pass_(PASSWORD)
        sizes = [int(x.split()[1]) for x in c.list()[1]]
        self.equal(len(sizes), len(messages))
        for i, m in enumerate(messages, 1):
            c._putcmd(f"RETR {i}")
            self.true(c._getresp().startswith(b"+OK"))
            lines = []
            while (line := c.file.readline()) != b".\r\n":
                lines.append(line[1:] if line.startswith(b"..") else line)
            text = b"".join(lines)
            self.equal(len(text), sizes[i - 1], f"size of {i}")
            self.hold(i, text, m)
        c.quit()


suite.main()
