# SPDX-License-Identifier: BSD-2-Clause
"""IMAP and POP3 before it is known who the client is."""
import base64
import re
import select
import smtplib
import socket
import time

import suite

ANN = "ann@one.example"


def plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


class Line:
    """A connection that speaks in lines."""

    def __init__(self, sock):
        self.sock = sock
        self.file = sock.makefile("rb")

    def read(self):
        return self.file.readline().decode().rstrip("\r\n")

    def say(self, text):
        self.sock.sendall(text.encode() + b"\r\n")

    def ask(self, text):
        self.say(text)
        return self.read()

    def until(self, start):
        """Read lines up to one that begins so; that one."""
        while line := self.read():
            if line.startswith(start):
                return line
        raise AssertionError(f"no line begins with {start!r}")

    def close(self):
        self.file.close()
        self.sock.close()


class Login(suite.Case):
    def server(self, **settings):
        s = self.instance("lo").mail().tls()
        s.settings.update(settings)
        return s.start().add_users(ANN)

    def open(self, s, port):
        clear = port in (s.imap, s.pop3)
        c = Line(socket.create_connection(("127.0.0.1", port),
                                          timeout=suite.DEADLINE)
                 if clear else s.connect_tls(port))
        c.greeting = c.read()
        return c

    def starttls(self, s, c):
        c.file.close()
        return Line(s.context().wrap_socket(
            c.sock, server_hostname="mail.test.example"))

    def careless(self, s):
        context = s.context()
        context.check_hostname = False  # smtplib asks for the address
        return context

    # --- IMAP ---

    def test_imap_in_clear_takes_no_password(self):
        s = self.server()
        c = self.open(s, s.imap)
        self.true(c.greeting.startswith("* OK [CAPABILITY IMAP4rev1 "),
                  c.greeting)
        self.contains(c.greeting, " STARTTLS LOGINDISABLED]")
        self.contains(c.ask(f"a LOGIN {ANN} secret"), "a NO [PRIVACYREQUIRED]")
        self.contains(c.ask(f"b AUTHENTICATE PLAIN {plain(ANN, 'secret')}"),
                      "b NO [PRIVACYREQUIRED]")
        self.equal(c.ask("c STARTTLS"), "c OK Begin TLS negotiation now.")
        c = self.starttls(s, c)
        caps = c.ask("d CAPABILITY")
        self.contains(caps, "AUTH=PLAIN AUTH=LOGIN")
        self.true("STARTTLS" not in caps, caps)
        self.equal(c.read(), "d OK Capabilities listed.")
        self.true(c.ask("e STARTTLS").startswith("e BAD"))

    def test_imap_ways_to_be_refused(self):
        s = self.server()
        c = self.open(s, s.imaps)
        self.contains(c.greeting, "AUTH=PLAIN")
        for n, (say, answer) in enumerate((
                (f"LOGIN {ANN} wrong", "NO [AUTHENTICATIONFAILED]"),
                ("LOGIN nobody@one.example x", "NO [AUTHENTICATIONFAILED]"),
                (f'LOGIN "{ANN}" "wr\\"ong"', "NO [AUTHENTICATIONFAILED]"),
                (f"AUTHENTICATE PLAIN {plain(ANN, 'wrong')}",
                 "NO [AUTHENTICATIONFAILED]"),
                ("AUTHENTICATE CRAM-MD5", "NO [CANNOT]"),
                ("AUTHENTICATE PLAIN %%%", "BAD"),
                ("LOGIN", "BAD"), ("LOGIN a", "BAD"),
                ("LOGIN a b c", "BAD"), ('LOGIN "a b', "BAD"),
                ("SELECT INBOX", "BAD"), ("", "BAD"))):
            reply = c.ask(f"t{n} {say}")
            self.true(reply.startswith(f"t{n} {answer}"), (say, reply))
        s.wait_log("auth: sqlite(ann@one.example,127.0.0.1,<")
        self.equal(c.ask("z LOGOUT"), "* BYE Logged out")
        self.equal(c.read(), "z OK Logout completed.")
        self.equal(c.read(), "")
        line = s.wait_log("imap-login: Disconnected: Logged out (auth failed, "
                          "4 attempts in ")[0]
        self.true(re.search(r"rip=127\.0\.0\.1, lip=127\.0\.0\.1, TLS, "
                            r"session=<[0-9a-f]{16}>$", line), line)

    def test_imap_ways_to_log_in(self):
        s = self.server()
        name = base64.b64encode(ANN.encode()).decode()
        word = base64.b64encode(b"secret").decode()
        for script in (
                [("a LOGIN ann@one.example secret", None)],
                [('a LOGIN "ann@one.example" "secret"', None)],
                [("a LOGIN {15}", "+ OK"), ("ann@one.example {6}", "+ OK"),
                 ("secret", None)],
                [("a LOGIN {15+}\r\nann@one.example {6+}\r\nsecret", None)],
                [(f"a AUTHENTICATE PLAIN {plain(ANN, 'secret')}", None)],
                [("a AUTHENTICATE PLAIN", "+ "),
                 (plain(ANN, "secret"), None)],
                [("a authenticate login", "+ VXNlcm5hbWU6"),
                 (name, "+ UGFzc3dvcmQ6"), (word, None)]):
            c = self.open(s, s.imaps)
            for say, answer in script:
                c.say(say)
                if answer is not None:
                    self.equal(c.read(), answer)
            reply = c.read()
            self.true(reply.startswith("a OK [CAPABILITY IMAP4rev1 "), reply)
            self.contains(reply, "] Logged in")
            c.close()
        s.wait_log("imap-login: Login: user=<ann@one.example>, method=PLAIN, "
                   "rip=127.0.0.1, lip=127.0.0.1, TLS, session=<", 6)

    def test_logout_ends_the_connection_at_once(self):
        s = self.server()
        c = self.open(s, s.imaps)
        c.say(f"a LOGIN {ANN} secret")
        c.until("a OK")
        c.say("b LOGOUT")
        c.until("b OK")
        begin = time.monotonic()
        self.equal(c.file.read(), b"")
        self.true(time.monotonic() - begin < 2)

    def test_an_exchange_may_be_given_up(self):
        s = self.server()
        c = self.open(s, s.imaps)
        self.equal(c.ask("a AUTHENTICATE PLAIN"), "+ ")
        self.true(c.ask("*").startswith("a BAD"))
        self.true(c.ask("b NOOP").startswith("b OK"))

    def test_too_much_nonsense_ends_it(self):
        s = self.server(login_bad_command_limit=3)
        c = self.open(s, s.imap)
        for n in range(3):
            self.true(c.ask(f"x{n} FOO").startswith(f"x{n} BAD"))
        c.say("x FOO")
        self.equal(c.until("* BYE"), "* BYE Too many invalid commands")
        self.equal(c.read(), "")

    def test_hostile_commands(self):
        s = self.server()
        for text, start in ((b"a LOGIN {4000000000}\r\n", "* BYE"),
                            (b"a LOGIN {99999999999999}\r\n", "a BAD"),
                            (b"a" * 9000, "* BYE"),
                            (b"a" * 70 + b" NOOP\r\n", "* BAD"),
                            (b"a NO\0OP\r\n", "* BAD"),
                            (b"+ NOOP\r\n", "* BAD")):
            c = self.open(s, s.imap)
            c.sock.sendall(text)
            reply = c.read()
            self.true(reply.startswith(start), (text[:30], reply))
            c.close()

    def test_nothing_said_in_clear_survives(self):
        s = self.server()
        for port, tls in ((s.imap, b"a STARTTLS\r\n"), (s.pop3, b"STLS\r\n")):
            c = self.open(s, port)
            c.sock.sendall(tls + b"b NOOP\r\n")
            c.read()
            self.equal(c.read(), "")
        s.wait_log("Something was sent behind STARTTLS", 2)

    def test_one_process_a_client(self):
        s = self.server(login_client_limit=1)
        clients = [self.open(s, s.imaps) for _ in range(5)]
        pids = {p for p, program, service, state in s.processes()
                if program == "login" and state == "busy"}
        self.equal(len(pids), 5)
        for c in clients:
            self.true(c.ask("a NOOP").startswith("a OK"))
            c.close()

    def test_a_client_that_does_nothing_is_left(self):
        s = self.server(login_timeout="1s")
        c = self.open(s, s.imap)
        self.equal(c.read(), "* BYE Inactivity")
        s.wait_log("Disconnected: Inactivity (no auth attempts in 1 secs): "
                   "user=<>, rip=127.0.0.1")

    def test_failures_slow_down_the_account_and_the_address(self):
        s = self.server(auth_failure_delay="1m", auth_failure_delay_max="1m",
                        login_timeout="1h")
        s.postern("user", "add", "bob@one.example", "--password-stdin",
                  input="secret\n")

        def login(source, user=ANN, password="secret"):
            raw = socket.create_connection(
                ("127.0.0.1", s.imaps), timeout=suite.DEADLINE,
                source_address=(source, 0))
            c = Line(s.context().wrap_socket(
                raw, server_hostname=s.settings["myhostname"]))
            c.read()
            c.say(f"a LOGIN {user} {password}")
            return c

        def submit(source, user=ANN):
            c = smtplib.SMTP_SSL("127.0.0.1", s.submissions, "x",
                                 timeout=suite.DEADLINE,
                                 source_address=(source, 0),
                                 context=self.careless(s))
            c.ehlo()
            return c.docmd("AUTH PLAIN " + plain(user, "secret"))

        self.contains(login("127.0.0.2").read(), "a OK")
        late = [login("127.0.0.3", password="guess")]
        s.wait_log("Password mismatch")
        # One of two waits its turn, the other one would wait for too long.
        late += [login("127.0.0.3", password=p) for p in ("guess2", "guess3")]
        ready, _, _ = select.select([c.sock for c in late], [], [],
                                    suite.DEADLINE)
        refused = [c for c in late if c.sock in ready][0]
        self.contains(refused.read(), "a NO [UNAVAILABLE] Too many")
        late.remove(refused)
        # The account from elsewhere, another account from there: not now.
        self.contains(login("127.0.0.4").read(), "a NO [UNAVAILABLE] Too many")
        self.contains(login("127.0.0.3", "bob@one.example").read(),
                      "a NO [UNAVAILABLE] Too many")
        self.equal(submit("127.0.0.4")[0], 454)
        s.wait_log("SASL PLAIN authentication failed: ")
        # Who has been here before is not kept out by others.
        self.contains(login("127.0.0.2").read(), "a OK")
        self.equal(submit("127.0.0.2")[0], 235)
        self.contains(login("127.0.0.5", "bob@one.example").read(), "a OK")
        ready, _, _ = select.select([c.sock for c in late], [], [], 0)
        self.equal(ready, [])
        self.equal(s.log_text().count("Password mismatch"), 1)

    # --- POP3 ---

    def test_pop3(self):
        s = self.server()
        c = self.open(s, s.pop3)
        self.true(c.greeting.startswith("+OK "), c.greeting)
        self.contains(c.ask("USER ann@one.example"), "-ERR [AUTH]")
        self.true(c.ask("CAPA").startswith("+OK"))
        lines = []
        while (line := c.read()) != ".":
            lines.append(line)
        self.true("STLS" in lines and "USER" not in lines, lines)
        self.true(c.ask("STLS").startswith("+OK"))
        c = self.starttls(s, c)
        self.true(c.ask("PASS secret").startswith("-ERR"))
        self.equal(c.ask("USER ann@one.example"), "+OK")
        self.equal(c.ask("PASS wrong"), "-ERR [AUTH] Authentication failed.")
        self.contains(c.ask("AUTH CRAM-MD5"), "-ERR")
        self.contains(c.ask("RETR 1"), "-ERR")
        self.equal(c.ask("QUIT"), "+OK Logged out")
        self.equal(c.read(), "")


if __name__ == "__main__":
    suite.main()
