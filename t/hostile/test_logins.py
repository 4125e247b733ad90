# SPDX-License-Identifier: BSD-2-Clause
"""H23, H25, H48: TLS that is begun with something behind it, sessions that
never end, and what the time of an answer tells."""
import base64
import random
import re
import time

import hostile
from hostile import ANN, suite

NOBODY = "xyz@one.example"
SOCKETS = 40  # sessions at once
BOUND = 0.05


def b64(data):
    return base64.b64encode(data).decode()


def auc(a, b):
    """How often a value of `a` is above one of `b` (ties: half): 0.5 when
    nobody can tell them apart."""
    both = sorted([(x, 0) for x in a] + [(x, 1) for x in b])
    above = wins = at = 0
    while at < len(both):
        end = at
        while end < len(both) and both[end][0] == both[at][0]:
            end += 1
        ties = [who for _, who in both[at:end]]
        wins += ties.count(0) * (above + ties.count(1) / 2)
        above += ties.count(1)
        at = end
    return wins / (len(a) * len(b))


class Logins(hostile.AccessCase):
    # --- STARTTLS ---

    def clear(self, port):
        c = self.open(port)
        self.true(c.line() is not None)
        return c

    def test_H23_nothing_goes_before_tls(self):
        s = self.server(disable_plaintext_auth="no")
        login = f"x LOGIN {ANN} secret\r\n".encode()
        for behind in (login, login[:9], b"x NOOP\r\n", b"\r\n", b"\0",
                       b"\x16\3\1"[:1] + b"a"):
            c = self.clear(s.imap)
            c.send(b"a STARTTLS\r\n" + behind)
            answer = c.rest()
            # Not even a handshake begins: nothing is answered, or the alert.
            self.true(b"x " not in answer and b"LOGIN" not in answer, answer)
            self.true(answer in (b"", b"a OK Begin TLS negotiation now.\r\n"),
                      answer)
            c.close()
        for behind in (f"USER {ANN}\r\nPASS secret\r\n".encode(), b"NOOP\r\n",
                       b"QUI", b"\r\n"):
            c = self.clear(s.pop3)
            c.send(b"STLS\r\n" + behind)
            answer = c.rest()
            self.true(answer.count(b"\n") <= 1, answer)
            c.close()
        for behind in (b"AUTH PLAIN AGFubgBz\r\n", b"EHLO x\r\n", b"NOO",
                       b"\r\n"):
            c = self.clear(s.submission)
            self.equal(c.ask("EHLO x"), 250)
            c.send(b"STARTTLS\r\n" + behind)
            answer = c.rest()
            self.true(b"235" not in answer and b"250" not in answer and
                      b"220" not in answer, answer)
            c.close()
        self.true("Logged in" not in s.log_text())
        self.still_serves()

    def test_H23_what_was_said_in_clear_is_forgotten(self):
        s = self.server(disable_plaintext_auth="no")
        # A name for PASS, an exchange half done, and a sender.
        c = self.clear(s.pop3)
        c.send(f"USER {ANN}\r\n".encode())
        self.true(c.line().startswith(b"+OK"))
        c.send(b"STLS\r\n")
        self.true(c.line().startswith(b"+OK"))
        tls = self.over_tls(c)
        tls.send(b"PASS secret\r\n")
        self.true(tls.line().startswith(b"-ERR"), "the USER of the clear text")
        c = self.clear(s.imap)
        c.send(b"a AUTHENTICATE PLAIN\r\n")
        self.true(c.line().startswith(b"+"))
        c.send(b"b STARTTLS\r\n")
        self.true(c.line().startswith((b"a BAD", b"a NO")))
        c.close()
        c = self.clear(s.port)
        for command in ("EHLO x", "MAIL FROM:<x@y.example>"):
            self.equal(c.ask(command), 250)
        self.equal(c.ask("STARTTLS"), 503, "in a transaction")
        self.still_serves()

    def over_tls(self, c):
        return hostile.Raw(self.s.context().wrap_socket(
            c.sock, server_hostname=self.s.settings["myhostname"]))

    # --- sessions without end ---

    def test_H25_idle(self):
        s = self.server(imap_idle_poll="1h")
        c = self.imap()
        self.equal(self.command(c, "a IDLE"), b"BAD")  # not logged in
        for verb in ("COMPRESS DEFLATE", "UNAUTHENTICATE"):
            self.equal(self.command(c, f"a {verb}"), b"BAD", verb)
        c.close()
        many = [self.login() for _ in range(SOCKETS)]
        for c in many:
            self.equal(self.command(c, "a COMPRESS DEFLATE"), b"BAD")
            self.equal(self.command(c, "a UNAUTHENTICATE"), b"BAD")
            self.good(c, "s SELECT INBOX")
            c.send(b"i IDLE\r\n")
            self.equal(c.line()[:1], b"+")
        # All hear of a message, though none of them ever ends.
        with s.smtp() as m:
            m.sendmail("x@y.example", [ANN], "Subject: x\r\n\r\nx")
        for c in many:
            self.true(c.line().endswith(b" EXISTS"))
        garbage = (b"\0\r\n", b"DONE x\r\n", b"i DONE\r\n", b"\r\n",
                   b"x NOOP\r\n", bytes(range(128, 256)) + b"\r\n",
                   b"{10}\r\n", b"DONE\n", b"y" * 900 + b"\r\n")
        for c, text in zip(many, garbage):
            c.send(text)
            while (line := c.line()) is not None and not line.startswith(
                    b"i "):
                pass
            self.true(line is None or line[:5] in (b"i BAD", b"i OK "),
                      (text, line))
        # A line without end is not collected.
        for c in many[20:25]:
            for _ in range(200):
                if not c.send(b"z" * 65536):
                    break
            else:
                raise AssertionError("12 MiB were taken while idling")
        # IDLE and DONE in one segment, over and over.
        c = many[30]
        c.send(b"DONE\r\n" + b"j IDLE\r\nDONE\r\n" * 2000 + b"k NOOP\r\n")
        done = 0
        while not (line := c.line()).startswith(b"k "):
            done += line.startswith(b"j OK")
        self.equal(done, 2000)
        # Those that go away in the middle are gone.
        for c in many[31:]:
            c.sock.close()
        suite.wait_for(lambda: sum(p[1] == "imapd" for p in s.processes())
                       <= 31, "the end of those that left")
        for program in ("imapd", "notify", "login"):
            self.true(self.memory(program) < hostile.MEMORY,
                      (program, self.memory(program)))
        for c in many:
            c.close()
        self.still_serves()

    def test_H25_commands_without_end(self):
        s = self.server()
        begins = (b"a SELECT ", b'a SELECT "', b"a SEARCH (", b"a FETCH 1 (",
                  b"a LIST \"\" ", b"a STORE 1 FLAGS (", b"a ", b"",
                  b"a FETCH 1,", b"a SELECT {1000000}\r\n",
                  b"a SELECT {60000+}\r\n", b"a APPEND INBOX (")
        for text in begins:
            c = self.login()
            c.send(text)
            for _ in range(200):
                if not c.send(b"1" * 65536):
                    break
            else:
                raise AssertionError(f"12 MiB behind {text!r} were taken")
            c.close()
        c = self.login()
        c.send(b"".join(b"a SELECT {1000+}\r\n" + b"x" * 1000
                        for _ in range(2000)))
        line = c.line() or b"* BYE"
        self.true(line.startswith((b"a BAD", b"* BYE")), line)
        c.close()
        c = self.pop3()
        for _ in range(200):
            if not c.send(b"x" * 65536):
                break
        else:
            raise AssertionError("12 MiB of a POP3 line were taken")
        for program in ("imapd", "pop3d", "login"):
            self.true(self.memory(program) < hostile.MEMORY,
                      (program, self.memory(program)))
        self.still_serves()

    # --- time ---

    def judge(self, what, ask, users, step, most):
        """Ask for each in turn, in a random order, until there is enough to
        tell whether the first takes another time than the others. All are
        answered the same."""
        times, answers = {u: [] for u in users}, set()
        rng = random.Random(48)
        for n in range(1, most + 1):
            turn = list(users)
            rng.shuffle(turn)
            how = rng.random()
            for user in turn:
                begin = time.perf_counter()
                answer = ask(user, how)
                times[user].append(time.perf_counter() - begin)
                answers.add(answer)
            if n % step == 0:
                found = [auc(times[users[0]], times[u]) for u in users[1:]]
                if all(abs(value - 0.5) <= BOUND for value in found):
                    break
        print(f"{what}: AUC {' '.join(f'{v:.3f}' for v in found)}, {n} each")
        self.equal(len(answers), 1, (what, answers))
        self.true(n < most, (what, found))

    def test_H48_the_measure_finds_a_difference(self):
        rng = random.Random(1)
        a = [rng.gauss(1, 0.1) for _ in range(1000)]
        b = [rng.gauss(1, 0.1) for _ in range(1000)]
        self.true(abs(auc(a, b) - 0.5) < BOUND)
        self.true(auc([x + 0.05 for x in a], b) > 0.5 + BOUND)
        self.equal(auc([1, 1], [1, 1]), 0.5)
        self.equal(auc([2, 3], [1, 1]), 1)

    def test_H48_who_exists_is_not_told(self):
        self.server(login_auth_limit="1000", login_bad_command_limit="1000",
                    auth_failure_delay="0", auth_failure_delay_max="0")
        self.equal(len(NOBODY), len(ANN))
        self.c, self.used, self.salts = None, 0, {}
        self.judge("a wrong password", self.wrong_password,
                   (ANN, NOBODY), 60, 900)
        for how in (0, 1):
            self.equal(self.wrong_password(ANN, how),
                       self.wrong_password("ann@six.example", how))
        self.judge("SCRAM's first answer", self.scram_first, (ANN, NOBODY),
                   1000, 5000)
        self.equal(len(set(self.salts.values())), 2)
        self.equal({len(salt) for salt in self.salts.values()}, {24})
        self.still_serves()

    def ask_imap(self, text):
        """The answer of a connection that serves still."""
        self.used += 1
        if self.c is None or self.used % 900 == 0:
            if self.c is not None:
                self.c.close()
            self.c = self.imap()
        self.c.send(text.encode() + b"\r\n")
        return self.c.line()

    def wrong_password(self, user, how):
        if how < 0.5:
            return self.ask_imap(f"a LOGIN {user} wrong")
        return self.ask_imap("a AUTHENTICATE PLAIN "
                             + b64(f"\0{user}\0wrong".encode()))

    def scram_first(self, user, _):
        first = b64(f"n,,n={user},r=abcdefghijklmnop".encode())
        line = self.ask_imap(f"a AUTHENTICATE SCRAM-SHA-256 {first}")
        self.c.send(b"*\r\n")
        self.true(self.c.line().startswith((b"a BAD", b"a NO")))
        text = base64.b64decode(line[2:])
        salt = re.search(rb",s=([^,]*),", text)[1]
        self.true(self.salts.setdefault(user, salt) == salt, "another salt")
        return len(line), re.sub(rb"^r=[^,]*,s=[^,]*,", b"", text)


suite.main()
