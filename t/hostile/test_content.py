# SPDX-License-Identifier: BSD-2-Clause
"""H26, H29, H30: messages and mailboxes that are made to be misread, as IMAP
and POP3 clients get them."""
import base64
import re
import struct

import hostile
from hostile import ANN, suite


def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def set_uid_next(path, uid, account=ANN, format_number=2):
    """Give INBOX another UIDNEXT in the file of a closed index, checksums
    and all; how many records were changed (old pages among them)."""
    data = bytearray(path.read_bytes())
    count = 0
    for m in re.finditer(b"INBOX", bytes(data)):
        # A node of LMDB: the value's size, flags, the key's size, key, value.
        low, high, _, _ = struct.unpack_from("<4H", data, m.start() - 8)
        size, begin = low | high << 16, m.end()
        value = data[begin + 4:begin + size]

        def checksum():
            return crc32c(account.encode() + b"INBOX" + value, format_number)

        if not 64 < size < 1000 or \
                struct.unpack_from("<I", data, begin)[0] != checksum():
            continue
        struct.pack_into("<I", value, 8, uid)
        struct.pack_into("<I", data, begin, checksum())
        data[begin + 4:begin + size] = value
        count += 1
    path.write_bytes(data)
    return count


def read_list(text):
    """An IMAP list as Python's: bytes, None and lists."""
    stack = [[]]
    for m in re.finditer(rb'\(|\)|"((?:[^"\\]|\\.)*)"|[^() "]+', text):
        if m[0] == b"(":
            stack.append([])
        elif m[0] == b")":
            done = stack.pop()
            stack[-1].append(done)
        elif m[0][:1] == b'"':
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", m[1]))
        else:
            stack[-1].append(None if m[0] == b"NIL" else m[0])
    if len(stack) != 1:
        raise AssertionError(f"parentheses do not match: {text!r}")
    return stack[0]


def leaves(part, path=""):
    """[(section, part)] of a BODYSTRUCTURE's leaves."""
    if not isinstance(part[0], list):
        return [(path or "1", part)]
    subs = [p for p in part[:part.index(next(
        x for x in part if not isinstance(x, list)))]]
    return [leaf for n, sub in enumerate(subs, 1)
            for leaf in leaves(sub, f"{path}.{n}" if path else f"{n}")]


def multipart(boundary, *parts, kind=b"mixed", end=b""):
    return (b"Content-Type: multipart/" + kind + b'; boundary="' + boundary +
            b'"\r\n\r\npreamble\r\n' + b"".join(
                b"--" + boundary + b"\r\n" + p + b"\r\n" for p in parts) +
            b"--" + boundary + b"--\r\n" + end)


def text_part(words, kind=b"text/plain"):
    return b"Content-Type: " + kind + b"\r\n\r\n" + words


LONG = b"b" * 100
CODED = (b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n"
         b"\r\n")

# What it is: the message, its leaves' types and the words in each of them;
# words that stand in no part are never found.
MESSAGES = {
    "a boundary that begins another": (
        multipart(b"ab", multipart(b"abc", text_part(b"one"),
                                   text_part(b"two")), text_part(b"three")),
        [(b"plain", b"one"), (b"plain", b"two"), (b"plain", b"three")]),
    "a boundary that continues another": (
        multipart(b"abc", multipart(b"ab", text_part(b"one"),
                                    text_part(b"two")), text_part(b"three")),
        [(b"plain", b"one"), (b"plain", b"two"), (b"plain", b"three")]),
    "the same boundary inside": (
        multipart(b"ab", multipart(b"ab", text_part(b"one"))), None),
    "a boundary of 100 bytes": (
        multipart(LONG, text_part(b"one"), text_part(b"two")),
        [(b"plain", b"one"), (b"plain", b"two")]),
    "a line that only begins as a boundary": (
        multipart(b"ab", text_part(b"one\r\n--abx\r\n--ab x\r\nfour")),
        [(b"plain", b"four")]),
    "a boundary of 300 bytes": (multipart(LONG * 3, text_part(b"one")), None),
    "no boundary": (b"Content-Type: multipart/mixed\r\n\r\n--\r\n\r\none\r\n"
                    b"----\r\n", None),
    "an epilogue of parts": (
        multipart(b"ab", text_part(b"one"), end=(
            b"--ab\r\nContent-Type: text/html\r\n\r\nhidden\r\n") * 5000),
        [(b"plain", b"one")]),
    "an epilogue of a million lines": (
        multipart(b"ab", text_part(b"one"), end=b"--\r\n" * 1000000),
        [(b"plain", b"one")]),
    "base64 without end": (
        CODED + base64.b64encode(b"one " * 30) + b"\r\n" + b"QUJD" * 200000,
        [(b"plain", b"one")]),
    "base64 with a hole": (
        CODED + b"b25=l!\r\n====b25l\r\n", None),
    "base64 cut off": (
        multipart(b"ab", CODED + b"b25lIG9uZ", text_part(b"two")),
        [(b"plain", b"one"), (b"plain", b"two")]),
    "a character set that is a path": (
        multipart(b"ab", text_part(b"one", b'text/plain; '
                                   b'charset="../../x"'),
                  text_part(b"two", b'text/plain; charset=utf-8,/etc/x'),
                  text_part(b"three", b'text/plain; charset="\\\\0"')),
        [(b"plain", None), (b"plain", None), (b"plain", None)]),
    "parameters out of order": (
        b"Content-Type: text/plain; name*2=c; name*0*=utf-8''a; name*1=b;\r\n"
        b" name*4=e; x*1=lost; charset*0=us; charset*1=-ascii\r\n\r\none\r\n",
        [(b"plain", b"one")]),
    "a boundary in pieces": (
        b"Content-Type: multipart/mixed; boundary*1=b; boundary*0=a\r\n\r\n"
        b"--ab\r\n\r\none\r\n--ab--\r\n", None),
    "two types": (
        b"Content-Type: text/html\r\nContent-Type: multipart/mixed; "
        b"boundary=ab\r\n\r\n--ab\r\n\r\none\r\n--ab--\r\n",
        [(b"html", b"one")]),
    "two boundaries": (
        b"Content-Type: multipart/mixed; boundary=ab; boundary=cd\r\n\r\n"
        b"--ab\r\n\r\none\r\n--cd\r\n\r\ntwo\r\n--ab--\r\n", None),
    "a type with a comment": (
        b"Content-Type: (\")\") text/(a)html (b); x=y(\r\n\r\none\r\n", None),
    "a message in a part": (
        multipart(b"ab", b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n"
                  b"Content-Type: multipart/mixed; boundary=ab\r\n\r\n"
                  b"--ab\r\n\r\none\r\n--ab--\r\n", text_part(b"two")), None),
    "no header at all": (b"\r\none\r\n", [(b"plain", b"one")]),
    "nothing but a header": (b"Content-Type: multipart/mixed; boundary=ab",
                             None),
}


class Content(hostile.AccessCase):
    def fetch(self, c, number, item):
        """The literal that a FETCH of one item gives, None for NIL."""
        c.send(b"f FETCH %d (%s)\r\n" % (number, item.encode()))
        literal = None
        while not (line := c.line()).startswith(b"f "):
            if m := re.search(rb"\{(\d+)\}$", line):
                while len(c.data) < int(m[1]):
                    self.true(c.more(), "the end")
                literal, c.data = (c.data[:int(m[1])], c.data[int(m[1]):])
            elif m := re.search(rb'\] "(.*)"\)$', line):
                literal = m[1]
        self.true(line.startswith(b"f OK"), (item, line))
        return literal

    def structure(self, c, number):
        c.send(b"f FETCH %d (BODYSTRUCTURE)\r\n" % number)
        text = b""
        while not (line := c.line()).startswith(b"f "):
            if m := re.search(rb"\{(\d+)\}$", line):  # a literal: as a string
                while len(c.data) < int(m[1]):
                    self.true(c.more(), "the end")
                literal, c.data = (c.data[:int(m[1])], c.data[int(m[1]):])
                line = line[:m.start()] + b'"' + re.sub(
                    rb'(["\\])', rb"\\\1", literal) + b'"'
            text += line
        self.true(line.startswith(b"f OK"), line)
        return read_list(text.partition(b"BODYSTRUCTURE ")[2][:-1])[0]

    def search(self, c, what):
        c.send(b"s SEARCH " + what + b"\r\n")
        line = c.line()
        self.true(line.startswith(b"* SEARCH"), line)
        self.true(c.line().startswith(b"s OK"))
        return [int(n) for n in line.split()[2:]]

    def test_H26_the_last_uids(self):
        s = self.server()
        c = self.login()
        first = int(re.search(rb"APPENDUID (\d+) 1\]",
                              self.append(c, b"Subject: 1\r\n\r\nx\r\n"))[1])
        c.send(b"q LOGOUT\r\n")
        c.rest()
        s.wait_log("Disconnected: Logged out")
        index = s.maildir(ANN) / "index/data.mdb"
        self.true(set_uid_next(index, 0xfffffffe) > 0, "no UIDNEXT was found")
        c = self.login()
        c.send(b"s SELECT INBOX\r\n")
        answer = b""
        while not (line := c.line()).startswith(b"s "):
            answer += line + b"\n"
        self.contains(answer, b"[UIDNEXT 4294967294]")
        self.contains(answer, b"[UIDVALIDITY %d]" % first)
        # One UID is left that another one can follow.
        self.contains(self.append(c, b"Subject: 2\r\n\r\nx\r\n"),
                      b"APPENDUID %d 4294967294]" % first)
        taken = 2
        for number in range(3, 6):
            c.send(b"a APPEND INBOX {17+}\r\nSubject: %d\r\n\r\nx\r\n\r\n"
                   % number)
            while (line := c.line()) is not None and line[:2] != b"a ":
                pass
            if line is None or not line.startswith(b"a OK"):
                c.close()
                c = self.login()
                continue
            validity, uid = map(int, re.search(
                rb"APPENDUID (\d+) (\d+)\]", line).groups())
            self.true(validity > first and uid < 10, line)
            taken += 1
        self.true(taken > 2, "nothing was taken any more")
        c.send(b"s SELECT INBOX\r\n")
        answer = b""
        while not (line := c.line()).startswith(b"s "):
            answer += line + b"\n"
        second = int(re.search(rb"UIDVALIDITY (\d+)", answer)[1])
        self.true(second > first, answer)
        # What was taken is there, once, under new UIDs.
        c.send(b"f UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n")
        found, uids = [], []
        while not (line := c.line()).startswith(b"f "):
            uids += map(int, re.findall(rb"UID (\d+)", line))
            found += re.findall(rb"^Subject: (\d)", line)
        self.equal(len(found), taken)
        self.equal(found[:2], [b"1", b"2"])
        self.equal(len(set(found)), taken)
        self.equal(uids, list(range(1, taken + 1)))
        c.close()
        self.still_serves()

    def test_H29_dots_and_line_ends(self):
        self.server()
        head = b"Subject: dots\r\n\r\n"
        edge = 32768 - len(head)  # where a piece of a file ends
        texts = [head + body for body in (
            b".\r\n" * 3000, b".", b"..", b"..\r\n.", b"\r\n" * 3000, b"",
            b"no end", b".\r\n.\r\n\r\n.", b"a\r\n.b\r\n..c\r\n...\r\n",
            b".\r\n.\r\n", b"\r\n.\r\n\r\n.\r\n", b" .\r\n\t.\r\n",
            b"-ERR x\r\n+OK\r\n.\r\n", b"x" * 100000 + b"\r\n.\r\n",
            *(b"y" * (edge - n) + b"\r\n.\r\n..\r\nz" for n in range(5)),
            *(b"y" * (edge - n) + b"\r\n" + b".\r\n" * 5 for n in range(5)))]
        texts += [b"Subject: no body\r\n", b"Subject: no end",
                  b".: a field\r\n..: x\r\n\r\n.\r\n", b".\r\n", b"\r\n.\r\n"]
        c = self.login()
        for text in texts:
            self.append(c, text)
        c.close()
        c = self.pop3()

        def ask(command):
            """The lines of an answer, dots taken off; their bytes."""
            c.send(command.encode() + b"\r\n")
            self.true(c.line().startswith(b"+OK"), command)
            got = b""
            while True:
                while b"\n" not in c.data:
                    self.true(c.more(), "the end")
                line, _, c.data = c.data.partition(b"\n")
                self.true(line.endswith(b"\r"), (command, line[-20:]))
                if line == b".\r":
                    return got
                got += line[line.startswith(b"."):] + b"\n"

        for number, text in enumerate(texts, 1):
            whole = text if text.endswith(b"\r\n") else text + b"\r\n"
            self.true(ask(f"RETR {number}") == whole, text[:60])
            top, blank, body = whole.partition(b"\r\n\r\n")
            if whole.startswith(b"\r\n"):
                top, blank, body = b"", b"\r\n", whole[2:]
            lines = body.split(b"\r\n")[:-1]
            for n in (0, 1, 3, 100000):
                self.true(ask(f"TOP {number} {n}") == top + blank + b"".join(
                    line + b"\r\n" for line in lines[:n]), (text[:60], n))
        c.send(b"NOOP\r\n")
        self.equal(c.line()[:3], b"+OK")
        c.close()
        self.still_serves()

    def test_H29_dots_that_come_by_smtp(self):
        s = self.server()
        bodies = (b".\r\n" * 1000, b"..\r\n.\r\n", b"\r\n" * 1000,
                  b"a\r\n.\r\nMAIL FROM:<>\r\n", b"")
        with s.smtp() as m:
            for n, body in enumerate(bodies, 1):
                m.sendmail("x@y.example", [ANN], b"Subject: x\r\n\r\n" + body)
                s.wait_messages(ANN, n)
        c = self.pop3()
        for n, body in enumerate(bodies, 1):
            c.send(b"RETR %d\r\n" % n)
            lines = []
            while (line := c.line()) != b".":
                lines.append(line[line.startswith(b"."):])
            self.equal(b"\r\n".join(lines[lines.index(b"Subject: x") + 2:]) +
                       (b"\r\n" if body else b""), body)
        c.close()

    def test_H30_one_tree_for_all(self):
        s = self.server(message_size_limit="50000000")
        c = self.login()
        for text, _ in MESSAGES.values():
            self.append(c, text)
        self.good(c, "x SELECT INBOX")
        words = (b"one", b"two", b"three", b"four", b"hidden", b"preamble")
        found = {w: self.search(c, b"BODY " + w) for w in words}
        for number, (what, (text, expected)) in enumerate(
                MESSAGES.items(), 1):
            parts = leaves(self.structure(c, number))
            self.check_parts(c, number, what, parts)
            self.true(self.fetch(c, number, "BODY.PEEK[]") == text, what)
            if expected is None:
                continue
            self.equal([p[1].lower() for _, p in parts],
                       [kind for kind, _ in expected], what)
            for (path, part), (_, word) in zip(parts, expected):
                body = self.fetch(c, number, f"BODY.PEEK[{path}]")
                if part[5] == b"base64":
                    body = body.replace(b"\r\n", b"")
                    body = base64.b64decode(body[:len(body) // 4 * 4])
                self.true(word is None or word in body, (what, path))
                # What is in a part is found, where its text can be read.
                self.true(word is None or number in found[word], (what, word))
            self.true(number not in found[b"hidden"], what)
            self.true(number not in found[b"preamble"], what)
        order = next(n for n, k in enumerate(MESSAGES, 1)
                     if k == "parameters out of order")
        params = self.structure(c, order)[2]
        pairs = {k.lower(): v for k, v in zip(params[::2], params[1::2])}
        self.equal(pairs[b"charset"], b"us-ascii", pairs)
        self.equal(pairs[b"name*"], b"utf-8''abc", pairs)
        self.true(self.memory("imapd") < 64 << 10, self.memory("imapd"))
        # Known from the index now: the same again, in another session.
        before = [self.structure(c, n + 1) for n in range(len(MESSAGES))]
        c.close()
        c = self.login()
        self.good(c, "x SELECT INBOX")
        self.equal([self.structure(c, n + 1) for n in range(len(MESSAGES))],
                   before)
        self.true("/etc/x" not in s.log_text())
        c.close()
        self.still_serves()

    def check_parts(self, c, number, what, parts):
        """Each leaf of the structure can be fetched and has its size; a part
        behind the last one is not there."""
        for path, part in parts:
            size = int(part[6])
            body = self.fetch(c, number, f"BODY.PEEK[{path}]")
            self.equal(len(body or b""), size, (what, path))
            mime = self.fetch(c, number, f"BODY.PEEK[{path}.MIME]")
            self.true(mime is not None or len(parts) == 1, (what, path))
        if "." not in parts[-1][0] and len(parts) > 1:
            path = str(int(parts[-1][0]) + 1)
            self.true(not self.fetch(c, number, f"BODY.PEEK[{path}]"),
                      (what, path))


suite.main()
