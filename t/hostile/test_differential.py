# SPDX-License-Identifier: BSD-2-Clause
"""H1: where a message ends, as we see it and as others do.

The same bytes behind DATA go to us and to another server, and each passes on
what it took: we to the other, the other to us. In the middle of the bytes is
something that might be taken for the end of data, with a second message behind
it. Never may one side see two messages where the other saw one, nor may more
come out behind a server than it said it had taken.

The middles are all strings of CR, LF and dot up to a length; shorter ones with
NUL too; and those of CRLF, dot, blank and letter, which we take as well.
POSTERN_LONG=1: of up to 7 parts, 12,000 pairs and more.
"""
import collections
import concurrent.futures
import itertools
import re
import socket
import sys

import hostile

import guests  # hostile.py has shown the way
import peers
import suite

AT_ONCE = 8  # sessions
TO_US = hostile.ANN
FROM_US, FROM_THEM, SENDER = (x + "@far.example" for x in ("x", "y", "z"))


def middles():
    seen = set()
    for parts, most in ((b"\r", b"\n", b"."), 7 if suite.LONG else 4), \
            ((b"\r", b"\n", b".", b"\0"), 4 if suite.LONG else 2), \
            ((b"\r\n", b".", b" ", b"x"), 5 if suite.LONG else 3):
        for n in range(1, most + 1):
            seen.update(map(b"".join, itertools.product(parts, repeat=n)))
    return sorted(seen)


def stream(number, middle, rcpt):
    return (b"Subject: %d a\r\n\r\none" % number + middle +
            f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{rcpt}>\r\n".encode() +
            b"DATA\r\nSubject: %d b\r\n\r\ntwo\r\n.\r\n" % number)


def last_line(c):
    """Of the next reply; None at the end."""
    line = c.line()
    while line and line[3:4] == b"-":
        line = c.line()
    return line


def taken(port, number, middle, rcpt):
    """How many messages a server says it took of the stream, and how many it
    saw: behind the first it may refuse what comes, but not as content."""
    with socket.create_connection(("127.0.0.1", port),
                                  timeout=suite.DEADLINE) as sock:
        c = hostile.Raw(sock)
        if c.reply() != 220:
            raise AssertionError(f"no greeting from port {port}")
        for line in ("EHLO c.example", f"MAIL FROM:<{SENDER}>",
                     f"RCPT TO:<{rcpt}>", "DATA"):
            code = c.ask(line)
            if code not in (250, 354):
                raise AssertionError(f"{line} is answered {code}")
        c.send(stream(number, middle, rcpt))
        count, saw, after_354 = 0, 0, True
        while line := last_line(c):
            code = int(line[:3])
            if b"I can break rules, too" in line:
                code = 500  # so Postfix refuses what is no SMTP at all
            if not saw:
                c.send(b"QUIT\r\n")
            count += after_354 and code == 250
            saw = 1 if after_354 and count == 1 else \
                2 if saw and code != 221 else saw
            after_354 = code == 354
        return count, saw


def case_of(text):
    """("17", "a") of a message: the first Subject of its header."""
    head = text.replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n") \
        .partition(b"\r\n\r\n")[0]
    m = re.search(rb"^Subject: (\d+) ([ab])", head, re.M)
    return (int(m[1]), m[2].decode()) if m else None


def they_send_to(peer, middle):
    """What we refuse goes to the last server, if the other holds all mail for
    us after a refusal."""
    refused = re.search(rb"[\r\n\0]", middle.replace(b"\r\n", b""))
    return FROM_THEM if refused and not peer.patient else TO_US


class Differential(suite.Case):
    def chain(self, name):
        """We, the other server behind us and before us, and a last one."""
        self.sink = peers.Sink()
        s = self.instance("df").mail()
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        peer = guests.ALL[name]({"one.example": s.port,
                                 "far.example": self.sink.port})
        s.settings.update({
            "mynetworks": "127.0.0.0/8",
            # OpenSMTPD listens with a backlog of five: of more that come at
            # once some are connected, for us, and never accepted.
            "default_destination_concurrency_limit": "4",
            "transport_maps": "inline:{far.example=smtp:[127.0.0.1]:"
                              f"{peer.port}}}"})
        s.start().add_users(TO_US)
        return s, peer

    def compare(self, name):
        s, peer = self.chain(name)
        cases = list(enumerate(middles(), 1))
        with peer, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            theirs = list(pool.map(lambda c: taken(
                peer.port, *c, they_send_to(peer, c[1])), cases))
            ours = list(pool.map(
                lambda c: taken(s.port, *c, FROM_US), cases))
            self.settle(s, peer)
        self.sink.close()
        behind_us = collections.Counter(self.at_the_end(FROM_US))
        behind_them = collections.Counter(self.at_the_end(FROM_THEM)) + \
            collections.Counter(case_of(p.read_bytes())
                                for p in s.messages(TO_US))
        wrong = []
        for (number, middle), (p, p_saw), (q, q_saw) in zip(cases, theirs,
                                                            ours):
            if {p_saw, q_saw} == {1, 2}:
                wrong.append(f"{middle!r}: {name} saw {p_saw}, we {q_saw}")
            wrong += self.passed_on(f"{middle!r}, first at {name}", number, p,
                                    behind_them)
            wrong += self.passed_on(f"{middle!r}, first at us", number, q,
                                    behind_us)
        took, we_took = (sum(n for n, _ in x) for x in (theirs, ours))
        print(f"{len(cases)} pairs with {name}: it took {took} messages and "
              f"passed on {sum(behind_them.values())}, we took {we_took} and "
              f"passed on {sum(behind_us.values())}; seen as two: "
              f"{[n for _, n in theirs].count(2)} by it, "
              f"{[n for _, n in ours].count(2)} by us")
        self.equal(wrong, [])
        # The true end of data is among them, or nothing was compared.
        self.equal({n for _, n in ours}, {0, 1, 2}, "what we see")
        self.true({n for _, n in theirs} >= ({1, 2} if peer.pipelines else
                                             {1}), "what it sees")
        self.equal(sum(behind_us.values()), we_took, "what we passed on")

    def at_the_end(self, rcpt):
        return [case_of(text) for _, rcpts, text in self.sink.messages
                if f"<{rcpt}>" in rcpts[0]]

    @staticmethod
    def passed_on(what, number, count, found):
        a, b = found[(number, "a")], found[(number, "b")]
        if a > 1 or b > 1 or a + b > count or (count == 1 and b):
            return [f"{what}: took {count}, passed on {a} and {b}"]
        return []

    def settle(self, s, peer):
        """Both queues are empty; what they gave away has arrived then."""
        try:
            suite.wait_for(lambda: not s.queue_files() and not peer.queued()
                           and not s.queue_files(), "empty queues",
                           900 if suite.LONG else 60)
        except AssertionError:
            for p in s.queue_files():
                print(f"{p}:", *(line for line in s.log_text().splitlines()
                                 if p.name in line), sep="\n  ")
            print(f"{peer.queued()} there:\n"
                  + (peer.dir / "log").read_text()[-5000:])
            raise


for peer_name in guests.ALL:
    def one(self, name=peer_name):
        self.compare(name)
    setattr(Differential, f"test_H1_{peer_name}", one)

if guests.can_mount():
    suite.main()
else:
    print("other servers need root: skipped")
    print("0 passed, 0 failed, 3 skipped")
    sys.exit(0)
