# SPDX-License-Identifier: BSD-2-Clause
"""Messages shaped like the world's: well-made, old, odd and broken. Made by
rules and a fixed seed, so that a failure can be had again."""
import base64
import quopri
import random

HEAD = (b"From: Sender <sender@other.example>\r\nTo: <ann@one.example>\r\n"
        b"Date: Mon, 2 Nov 2026 10:00:00 +0100\r\n")
TEXT = "Grüße aus Köln, cześć z Łodzi, 東京からこんにちは, привет"
CHARSETS = ["utf-8", "iso-8859-1", "iso-8859-2", "iso-8859-15", "koi8-r",
            "windows-1251", "windows-1252", "iso-2022-jp", "shift_jis",
            "euc-jp", "gb18030", "big5", "euc-kr", "utf-16", "utf-7",
            "us-ascii", "x-unknown-charset", ""]


def crlf(text):
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def part(kind, body, *fields):
    return b"".join(f + b"\r\n" for f in (b"Content-Type: " + kind, *fields)) \
        + b"\r\n" + body


def multipart(kind, boundary, *parts, end=True, pre=b"", post=b""):
    mark = b"--" + boundary
    body = pre + b"".join(mark + b"\r\n" + p + b"\r\n" for p in parts)
    if end:
        body += mark + b"--\r\n" + post
    return part(b'multipart/' + kind + b'; boundary="' + boundary + b'"',
                body)


def wrap64(data):
    return crlf(base64.encodebytes(data))


def charsets():
    for name in CHARSETS:
        try:
            data = TEXT.encode(name or "utf-8", "replace")
        except LookupError:
            data = TEXT.encode()
        kind = b"text/plain" + (f"; charset={name}".encode() if name else b"")
        for coding, coded in (
                (b"base64", wrap64(data)),
                (b"quoted-printable", crlf(quopri.encodestring(data)))):
            yield (HEAD + b"Subject: charset " + name.encode() + b"\r\n"
                   + b"MIME-Version: 1.0\r\n"
                   + part(kind, coded + b"\r\n",
                          b"Content-Transfer-Encoding: " + coding))


def structures(rng):
    plain = part(b"text/plain", b"text\r\n")
    html = part(b"text/html; charset=utf-8", "<b>grün</b>\r\n".encode(),
                b"Content-Transfer-Encoding: 8bit")
    image = part(b'image/png; name="a b.png"', wrap64(rng.randbytes(700)),
                 b"Content-Transfer-Encoding: base64",
                 b'Content-Disposition: attachment; filename="a b.png"')
    alternative = multipart(b"alternative", b"alt", plain, html)
    inner = HEAD + b"Subject: inner\r\n\r\ninner text\r\n"
    forwarded = part(b"message/rfc822", inner)
    yield alternative
    yield multipart(b"mixed", b"mix", alternative, image)
    yield multipart(b"mixed", b"mix", plain, forwarded, image)
    yield multipart(b"digest", b"dig", b"\r\n" + inner, b"\r\n" + inner)
    yield multipart(b"related", b"=_rel", html, image, pre=b"preamble\r\n",
                    post=b"epilogue\r\n")
    yield multipart(b"signed; protocol=\"application/pgp-signature\"", b"sig",
                    plain, part(b"application/pgp-signature",
                                b"-----BEGIN PGP SIGNATURE-----\r\nx\r\n"))
    yield multipart(b"report; report-type=delivery-status", b"rep", plain,
                    part(b"message/delivery-status",
                         b"Reporting-MTA: dns; x.example\r\n\r\n"
                         b"Final-Recipient: rfc822; y@x.example\r\n"
                         b"Action: failed\r\nStatus: 5.1.1\r\n"), forwarded)
    yield multipart(b"mixed", b"cal", plain,
                    part(b"text/calendar; method=REQUEST",
                         b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"))
    yield part(b"application/pkcs7-mime; smime-type=enveloped-data",
               wrap64(rng.randbytes(500)),
               b"Content-Transfer-Encoding: base64")
    nested = plain
    for depth in range(30):
        nested = multipart(b"mixed", b"deep%d" % depth, nested)
        if depth % 5 == 4:
            yield nested
    nested = inner
    for depth in range(8):
        nested = HEAD + b"Subject: wrapped %d\r\n" % depth \
            + part(b"message/rfc822", nested)
    yield part(b"message/rfc822", nested)


def broken():
    plain = part(b"text/plain", b"text\r\n")
    yield multipart(b"mixed", b"open", plain, end=False)
    yield part(b"multipart/mixed", b"no boundary at all\r\n")
    yield part(b'multipart/mixed; boundary=""', b"--\r\n\r\nx\r\n----\r\n")
    yield part(b'multipart/mixed; boundary="x', b"--x\r\n\r\ny\r\n--x--\r\n")
    yield part(b'multipart/mixed; boundary="none"', b"there is none\r\n")
    yield multipart(b"mixed", b"same", multipart(b"mixed", b"same", plain))
    yield part(b"text/plain", b"!!! not base64 ===\r\n",
               b"Content-Transfer-Encoding: base64")
    yield part(b"text/plain", b"=ZZ =\r\n=4\r\n",
               b"Content-Transfer-Encoding: quoted-printable")
    yield part(b"text/plain", b"x\r\n", b"Content-Transfer-Encoding: x-uue")
    yield part(b"text/plain; charset", b"x\r\n")
    yield part(b"text", b"x\r\n")
    yield part(b"/;;;=", b"x\r\n")
    yield part(b"text/plain; name*0*=utf-8''a%ZZ; name*2=b", b"x\r\n")
    yield part(b"message/rfc822", b"")
    yield part(b"message/rfc822", b"no header in here\r\n")
    yield part(b"message/partial; id=x; number=1; total=2", b"x\r\n")
    yield part(b"text/plain", b"x\r\n", b"Content-Type: text/html")


HEADERS = [
    b"Subject: \r\n", b"Subject:\r\n", b"Subject:no blank\r\n",
    b"Subject: =?utf-8?B?R3LDvMOfZQ==?= =?utf-8?Q?_und_mehr?=\r\n",
    b"Subject: =?utf-8?B?broken\r\n", b"Subject: =?x?y?z?=\r\n",
    b"Subject: folded\r\n over\r\n\tmany\r\n lines\r\n",
    b"Subject: folded\r\n \r\n with an empty line of blanks\r\n",
    b"Subject: " + "roh ärger 東京".encode() + b"\r\n",
    b"Subject: " + b"\xff\xfe\x80 bytes\r\n",
    b"Subject: tab\there\r\n", b"Subject: a\x01\x1b[2Jb\r\n",
    b"Subject: first\r\nSubject: second\r\n",
    b"Subject: long " + b"x" * 900 + b"\r\n",
    b"References: " + b" ".join(b"<%d@x.example>" % i for i in range(300))[:900]
    + b"\r\n",
    b"To: undisclosed-recipients:;\r\n",
    b"To: group: a@b.example, \"c, d\" <e@f.example>;, g@h.example\r\n",
    b"From: \"unclosed <a@b.example>\r\n", b"From: <>\r\n", b"From: @@@\r\n",
    b"From: a@b.example (comment (nested) \\) )\r\n",
    b"Date: yesterday\r\n", b"Date: Fri, 31 Feb 2026 25:61:61 +9999\r\n",
    b"Date: 1 Jan 70 00:00 UT\r\n", b"Message-ID: not one\r\n",
    b"Message-ID: <a@b> <c@d>\r\n", b"X-Empty:\r\n\t\r\n",
    b"List-Id: <list.x.example>\r\nList-Unsubscribe: <mailto:u@x.example>\r\n",
    b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=k;\r\n"
    b"\th=from:to; bh=abc=; b=" + b"A" * 300 + b"\r\n",
    b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=x; s=y; b=zzz\r\n",
    b"MIME-Version: 1.0 (made by hand)\r\n", b"Bcc: hidden@x.example\r\n",
    b"Return-Path: <forged@x.example>\r\n", b"Status: RO\r\nX-UID: 7\r\n",
    b"Content-Length: 3\r\n", b"Delivered-To: other@x.example\r\n",
    b"".join(b"X-Many-%d: v\r\n" % i for i in range(800)),
]

BODIES = [
    b"", b"\r\n", b".\r\n", b"..\r\n...\r\n", b".\r\n.\r\n.\r\n",
    b"From the start\r\n>From quoted\r\nFrom again\r\n",
    b"x" * 997 + b"\r\n", b"x" * 998 + b"\r\n" * 3,
    b" leading\r\n\ttab\r\ntrailing \t \r\n", b"\r\n" * 500,
    b"a\r\n" * 20000, "8bit: ÄÖÜ 東京\r\n".encode(), b"\xff\xfe\xfd\r\n",
    b"\x01\x02\x07\x08\x0b\x0c\x1b\x7f\r\n",
    b"begin 644 x.txt\r\n#86%A\r\n`\r\nend\r\n",
    b"-----BEGIN PGP MESSAGE-----\r\n\r\nabc\r\n-----END PGP MESSAGE-----\r\n",
    b"--\r\n----\r\n-- \r\nsignature\r\n", b"a" + b" b" * 490 + b"\r\n",
]

WHOLE = [
    b"no header, only text\r\n", b"\r\nbody after an empty header\r\n",
    b"Subject: only a header\r\n", b"\r\n", b"Subject: x\r\nnot a field\r\n"
    b"\r\nbody\r\n", b" starts folded\r\nSubject: x\r\n\r\ny\r\n",
    b"From someone Mon Nov  2 10:00:00 2026\r\nSubject: mbox\r\n\r\nx\r\n",
    b": no name\r\n\r\nx\r\n", b"Subject : blank before the colon\r\n\r\nx\r\n",
    b"X:y\r\n" * 100 + b"\r\nx\r\n",
]


def attachments(rng):
    for megabytes in (1, 2, 5, 20):
        data = rng.randbytes(megabytes * 700_000)
        yield HEAD + b"Subject: %d MB\r\nMIME-Version: 1.0\r\n" % megabytes \
            + multipart(b"mixed", b"big", part(b"text/plain", b"see it\r\n"),
                        part(b"application/octet-stream", wrap64(data),
                             b"Content-Transfer-Encoding: base64",
                             b"Content-Disposition: attachment; "
                             b"filename*=utf-8''gro%C3%9F.bin"))


def messages():
    """All of them, as bytes with CRLF."""
    rng = random.Random(2026)
    shaped = list(structures(rng)) + list(broken())
    made = list(charsets())
    made += [HEAD + b"Subject: shape %d\r\nMIME-Version: 1.0\r\n" % i + p
             for i, p in enumerate(shaped)]
    made += [h + b"\r\nbody\r\n" for h in HEADERS]
    made += [HEAD + h + b"\r\nbody\r\n" for h in HEADERS]
    made += [HEAD + b"\r\n" + b for b in BODIES]
    made += WHOLE
    made += attachments(rng)
    for i in range(40):  # lines of all lengths, with and without dots
        lines = [rng.choice([b"", b".", b".."])
                 + b"y" * rng.choice([0, 1, 70, 71, 78, 500, 990])
                 for _ in range(rng.randrange(1, 60))]
        made.append(HEAD + b"Subject: lines %d\r\n\r\n" % i
                    + b"\r\n".join(lines) + b"\r\n")
    return made
