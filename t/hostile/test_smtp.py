# SPDX-License-Identifier: BSD-2-Clause
"""H1 to H17: what SMTP clients and servers send that should not be."""
import base64
import itertools

import hostile
from hostile import ANN, BOB

HELLO = "EHLO h.example"
MAIL = "MAIL FROM:<x@h.example>"
RCPT = f"RCPT TO:<{ANN}>"
DATA = "DATA"

# What some servers take for the end of data, beside CR LF . CR LF.
ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r",
        b"\n.\r", b"\r.\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\r\n.\r\r\n",
        b"\n\n.\r\n"]
SMUGGLED = (f"MAIL FROM:<evil@h.example>\r\nRCPT TO:<{BOB}>\r\nDATA\r\n"
            "Subject: smuggled\r\n\r\n.\r\nQUIT\r\n").encode()


class Smtp(hostile.HostileCase):
    def test_H1_one_end_of_data(self):
        self.server(smtpd_hard_error_limit="100")
        for end, slow in itertools.product(ENDS, (False, True)):
            c = self.smtp(HELLO, MAIL, RCPT, DATA)
            c.send(b"Subject: one\r\n\r\ntext" + end + SMUGGLED, slow)
            c.send(b"\r\n.\r\nQUIT\r\n")
            c.rest()
            c.close()
        self.equal(self.s.messages(BOB), [], "smuggled")
        self.true(len(self.s.messages(ANN)) <= 2 * len(ENDS))
        self.still_serves()

    def test_H2_strange_bytes(self):
        self.server()
        for bad in (b"a\rb", b"a\nb", b"a\0b"):
            c = self.smtp(HELLO, MAIL, RCPT, DATA)
            c.send(b"Subject: x\r\n\r\n" + bad + b"\r\n.\r\n")
            self.equal(c.reply(), 550, bad)
            c.close()
            c = self.smtp(HELLO, MAIL, RCPT, DATA)
            c.send(b"Subject: " + bad + b"\r\n\r\n.\r\n")
            self.equal(c.reply(), 550, bad)
            c.close()
        for command in (b"NO\0OP\r\n", b"NOOP\n", b"NOOP \r x\r\n"):
            c = self.smtp(HELLO)
            self.true(c.ask(command) in (500, 501, 0), command)
            c.close()
        self.equal(self.s.messages(ANN), [])
        self.still_serves()

    def test_H3_nothing_follows_starttls(self):
        self.server()
        c = self.smtp(HELLO)
        c.send(b"STARTTLS\r\n" + MAIL.encode() + b"\r\n")
        answer = c.rest()
        self.true(b"250" not in answer and b"220" not in answer, answer)
        self.still_serves()

    def test_H4_data_before_the_greeting(self):
        self.server()
        c = self.open(self.s.port)
        c.send(b"EHLO x\r\nMAIL FROM:<>\r\n")
        # It may have come too late to be early.
        self.true(c.reply() in (220, 554, 421))
        c.close()
        self.still_serves()

    def test_H5_no_pipelining_where_it_is_not_allowed(self):
        self.server()
        more = f"{MAIL}\r\n{RCPT}\r\nDATA\r\n".encode()
        for last in (b"EHLO x\r\n", b"STARTTLS\r\n"):
            c = self.smtp(HELLO)
            c.send(last + more)
            answer = c.rest()
            self.true(b"354" not in answer, answer)
        c = self.smtp(HELLO, MAIL, RCPT)
        c.send(b"DATA\r\nSubject: x\r\n\r\n.\r\n")
        self.true(c.reply() != 250, "content before 354")
        c.close()
        self.still_serves()

    def test_H6_chunks_that_lie(self):
        self.server(message_size_limit="100000")
        for size, codes in (("-1", (501,)),
                            ("18446744073709551615", (501, 552, 0)),
                            ("99999999999999999999", (501, 0)), ("", (501,)),
                            ("1x", (501,)), ("1 LAST x", (501,)),
                            ("99999999 LAST", (552, 0))):
            c = self.smtp(HELLO, MAIL, RCPT)
            self.true(c.ask(f"BDAT {size}") in codes, size)
            c.close()
        c = self.smtp(HELLO, MAIL, RCPT)
        for _ in range(200):
            c.send(b"BDAT 0\r\n" * 50)
            for _ in range(50):
                code = c.reply()
                if code != 250:
                    break
        self.true(code in (250, 421, 0), code)
        c.close()
        c = self.smtp(HELLO, MAIL, RCPT)
        c.send(b"BDAT 12 LAST\r\nSubject: 1\r\n")
        self.equal(c.reply(), 250)
        c.send(b"BDAT 12 LAST\r\nSubject: 2\r\n")
        self.equal(c.reply(), 503, "LAST twice")
        c.close()
        c = self.smtp(HELLO, MAIL, RCPT)
        c.send(b"BDAT 12\r\nSubject: 1\r\n")
        self.equal(c.reply(), 250)
        self.equal(c.ask(DATA), 503, "DATA among chunks")
        c.close()
        self.true(self.memory("smtpd") < 40 << 10)
        self.still_serves()

    def test_H7_tls_ends_amid_a_chunk(self):
        self.server(smtpd_sasl_auth_enable="no")
        s = self.s
        c = self.smtp(HELLO)
        self.equal(c.ask("STARTTLS"), 220)
        tls = hostile.Raw(s.context().wrap_socket(
            c.sock, server_hostname=s.settings["myhostname"]))
        for command in (HELLO, MAIL, RCPT):
            self.equal(tls.ask(command), 250)
        tls.send(b"BDAT 100 LAST\r\nSubject: x\r\n")
        raw = tls.sock.unwrap()  # close_notify
        raw.sendall(b"y" * 88 + b"QUIT\r\n")
        self.equal(hostile.Raw(raw).rest(), b"")
        self.equal(self.s.messages(ANN), [])
        self.still_serves()

    def test_H8_the_state_after_a_refusal(self):
        self.server()
        c = self.smtp(HELLO, MAIL)
        self.true(c.ask("RCPT TO:<nobody@one.example>") >= 500)
        self.true(c.ask(DATA) >= 500, "no recipient")
        self.true(c.ask("BDAT 0 LAST") >= 500)
        c.close()
        c = self.smtp(HELLO, MAIL, RCPT, DATA)
        c.send(b"bad\0\r\n.\r\n")
        self.equal(c.reply(), 550)
        code = c.ask(RCPT)
        self.true(code in (503, 0), code)
        c.close()
        self.equal(self.s.messages(ANN), [])
        self.still_serves()

    def test_H9_a_line_without_end(self):
        self.server()
        c = self.smtp()
        for _ in range(1024):
            if not c.send(b"x" * 65536):
                break
        else:
            raise AssertionError("64 MiB of one line were taken")
        self.true(self.memory("smtpd") < 40 << 10)
        c = self.smtp(HELLO, MAIL, RCPT, DATA)
        c.send(b"Subject: x\r\n\r\n" + b"y" * 3000000 + b"\r\n.\r\n")
        self.true(c.reply() in (250, 500, 550, 552, 554, 0))
        c.close()
        self.still_serves()

    def test_H10_many_recipients(self):
        self.server()
        c = self.smtp(HELLO, MAIL)
        codes = []
        for i in range(30):
            c.send(b"".join(b"RCPT TO:<ann+%d@one.example>\r\n" % n
                            for n in range(i * 100, i * 100 + 100)))
            codes += [c.reply() for _ in range(100)]
            if codes[-1] == 0:
                break
        self.true(codes.count(250) <= 1000, codes.count(250))
        self.true(452 in codes, set(codes))
        c.close()
        self.true(self.memory("smtpd") < 40 << 10)
        self.still_serves()

    def test_H11_addresses_are_data(self):
        self.server()
        for address in ("|/bin/sh", "/etc/passwd", ":include:/etc/passwd",
                        "-oQ/tmp", "$(id)", "`id`", "%00", "a b",
                        "ann;id", "&&id", "../../../etc/x", "~root"):
            c = self.smtp(HELLO, MAIL)
            for form in (f"<{address}@one.example>",
                         f'<"{address}"@one.example>', f"<{address}>"):
                self.true(c.ask(f"RCPT TO:{form}") >= 500, form)
            c.close()
            c = self.open(self.s.port)
            c.reply()
            c.ask(HELLO)
            c.ask(f'MAIL FROM:<"{address}"@h.example>')
            if c.ask(RCPT) == 250:
                c.ask(DATA)
                self.equal(c.ask(b"Subject: x\r\n\r\n.\r\n"), 250)
            c.close()
        for path in self.s.messages(ANN):
            self.true(path.read_bytes().startswith(b"Return-Path: <"))
        self.still_serves()

    def test_H12_paths_of_other_times(self):
        self.server(mynetworks="192.0.2.0/24")
        relay = ("<@one.example:x@far.example>", "<x%far.example@one.example>",
                 "<far.example!x@one.example>", "<x@far.example@one.example>",
                 '<"x@far.example"@one.example>', "<x@far.example.>",
                 "<=?utf-8?q?ann=40far.example=3e?=@one.example>",
                 "<x@[127.0.0.1]>", "<x@127.0.0.1>", "<@far.example>", "<@>",
                 "<ann@one.example", "ann@one.example>", "<<ann@one.example>>",
                 "<ann@one.example>x", "<ann @one.example>", "<>")
        for path in relay:
            c = self.smtp(HELLO, MAIL)
            self.true(c.ask(f"RCPT TO:{path}") >= 450, path)
            c.close()
        c = self.smtp(HELLO, MAIL)
        # RFC 5321 appendix F.2: a route may be there, and is not followed.
        self.true(c.ask("RCPT TO:<@far.example:ann@one.example>") in
                  (250, 501, 553))
        c.close()
        self.still_serves()

    def test_H13_addresses_beyond_ascii(self):
        self.server()
        for path in (b"\xff@one.example", b"\xc3(@one.example",
                     b"a\xe2\x80\xaen@one.example", b"ann@\xff.example",
                     b"\xed\xa0\x80@one.example", b"ann\xc2\x80@one.example"):
            for extra in (b"", b" SMTPUTF8"):
                c = self.smtp(HELLO)
                code = c.ask(b"MAIL FROM:<" + path + b">" + extra + b"\r\n")
                self.true(code >= 500, (path, extra, code))
                c.close()
        # A homoglyph is somebody else.
        c = self.smtp(HELLO)
        self.equal(c.ask("MAIL FROM:<x@h.example> SMTPUTF8"), 250)
        self.true(c.ask("RCPT TO:<\u0430nn@one.example>") >= 500)
        c.close()
        self.still_serves()

    def test_H14_parameters_that_lie(self):
        self.server(message_size_limit="100000")
        for extra, codes in (
                ("SIZE=99999999999999999999", (501, 552)),
                ("SIZE=-1", (501,)), ("SIZE=1 SIZE=2", (501,)),
                ("SIZE=200000", (552,)), ("BODY=BINARY", (501, 555)),
                ("ENVID=" + "x" * 10000, (500, 501)), ("ENVID=+zz", (501,)),
                ("RET=NONE", (501,)), ("NONSENSE=1", (555,)),
                ("AUTH=+", (250, 501))):
            c = self.smtp(HELLO)
            code = c.ask(f"{MAIL} {extra}")
            self.true(code in codes, (extra[:40], code))
            c.close()
        for extra in ("ORCPT=x", "ORCPT=rfc822;+0D+0A", "NOTIFY=NEVER,DELAY",
                      "NOTIFY=", "ORCPT=rfc822;" + "x" * 5000,
                      "NOTIFY=NEVER NOTIFY=NEVER"):
            c = self.smtp(HELLO, MAIL)
            code = c.ask(f"{RCPT} {extra}")
            self.true(code in (500, 501), (extra[:40], code))
            c.close()
        # The size that was declared binds nobody but the client.
        c = self.smtp(HELLO, f"{MAIL} SIZE=10", RCPT, DATA)
        c.send(b"Subject: x\r\n\r\n" + b"y" * 60 + b"\r\n.\r\n")
        self.equal(c.reply(), 250)
        c.send(b"")
        c.close()
        c = self.smtp(HELLO, MAIL, RCPT, DATA)
        c.send((b"y" * 70 + b"\r\n") * 3000 + b".\r\n")
        self.equal(c.reply(), 552)
        c.close()
        self.still_serves()

    def test_H15_authentication_that_does_not(self):
        self.server(auth_failure_delay="0")

        def b64(data):
            return base64.b64encode(data).decode()

        def begin():
            c = self.open_tls(self.s.submissions)
            c.reply()
            self.equal(c.ask(HELLO), 250)
            return c

        c = begin()
        self.equal(c.ask("AUTH LOGIN"), 334)
        self.true(c.ask("AUTH PLAIN") >= 500, "a switch amid an exchange")
        self.equal(c.ask("AUTH PLAIN"), 334)
        self.equal(c.ask("*"), 501)
        for data in ("=" * 100, "!!!", "=", b64(b"\0\0"), b64(b"\0a\0b\0c"),
                     b64(b"\0ann@one.example\0secret\0"), b64(b"\xff\xfe"),
                     b64(b"\0" + b"x" * 5000 + b"\0y")):
            code = c.ask(f"AUTH PLAIN {data}")
            if code == 0 or code == 421:  # too many errors
                c = begin()
            else:
                self.true(code >= 500, (data[:20], code))
        for text in (b"A" * 1000000, b"=" * 1000000, b"=\r\n" * 8,
                     b"A" * 1000000):
            c = begin()
            c.send(b"AUTH PLAIN " + text + b"\r\n")
            code = c.reply()
            self.true(code in (421, 0) or code >= 500, (text[:9], code))
            c.close()
            c = begin()
            self.equal(c.ask("AUTH PLAIN"), 334)
            c.send(text + b"\r\n")
            code = c.reply()
            self.true(code in (421, 0) or code >= 500, (text[:9], code))
            c.close()
        self.true(self.memory("smtpd") < hostile.MEMORY)
        c = begin()
        self.equal(c.ask("AUTH PLAIN " + b64(b"\0ann@one.example\0secret")),
                   235)
        self.equal(c.ask("AUTH PLAIN " + b64(b"\0ann@one.example\0secret")),
                   503, "a second AUTH")
        self.still_serves()

    def test_H17_words_of_proxies(self):
        self.server(mynetworks="192.0.2.0/24")
        c = self.smtp(HELLO)
        self.true(c.ask("XCLIENT ADDR=192.0.2.1 NAME=good.example") >= 500)
        self.true(c.ask("XFORWARD ADDR=192.0.2.1") >= 500)
        self.equal(c.ask(MAIL), 250)
        self.true(c.ask("RCPT TO:<x@far.example>") >= 500)
        c.close()
        for head in (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n",
                     b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\x7f\0\0\1"
                     b"\0\1\0\x19"):
            c = self.open(self.s.port)
            c.send(head)
            self.true(c.reply() in (220, 500, 502, 554, 421, 0))
            c.close()
        self.true("192.0.2.1" not in "".join(
            line for line in self.s.log_text().splitlines()
            if "connect from" in line))
        self.still_serves()


hostile.suite.main()
