# SPDX-License-Identifier: BSD-2-Clause
"""SCRAM-SHA-256 and -PLUS over SMTP, IMAP and POP3, with a client of our own
(Python has none)."""
import base64
import hashlib
import imaplib
import poplib
import smtplib
import sqlite3
import ssl

import suite
from scram import Scram, b64, digest

ANN = "ann@one.example"


class ScramTest(suite.Case):
    def server(self):
        s = self.instance("sc").mail().tls()
        for name in ("smtpd_sasl_mechanisms", "login_mechanisms"):
            s.settings[name] = "PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
        return s.start().add_users(ANN)

    def smtp_client(self, s):
        c = smtplib.SMTP(timeout=suite.DEADLINE)
        c.connect("127.0.0.1", s.submission)
        c._host = s.settings["myhostname"]
        c.ehlo("client.example")
        c.starttls(context=s.context())
        c.ehlo("client.example")
        return c

    def smtp_auth(self, s, scram, mechanism="SCRAM-SHA-256"):
        with self.smtp_client(s) as c:
            code, text = c.docmd("AUTH", mechanism)
            while code == 334:
                code, text = c.docmd(b64(scram.say(base64.b64decode(text))))
            return code

    def endpoint(self, s):
        """tls-server-end-point (RFC 5929 §4): our certificate's hash."""
        pem = (s.dir / "server.crt").read_text()
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()

    def test_smtp(self):
        s = self.server()
        with self.smtp_client(s) as c:
            self.contains(c.esmtp_features["auth"],
                          "SCRAM-SHA-256 SCRAM-SHA-256-PLUS")
        self.equal(self.smtp_auth(s, Scram(ANN, "secret")), 235)
        self.equal(self.smtp_auth(s, Scram("Ann@One.Example", "secret")), 235)
        self.equal(self.smtp_auth(s, Scram(ANN, "wrong")), 535)
        self.equal(self.smtp_auth(s, Scram("x@one.example", "secret")), 535)
        s.wait_log("SASL SCRAM-SHA-256 authentication failed: authentication "
                   f"failure, sasl_username={ANN}")
        s.wait_log(f"auth: sqlite({ANN},127.0.0.1,<", 1)

    def test_plus_binds_to_the_connection(self):
        s = self.server()
        bound = ("p=tls-server-end-point", self.endpoint(s))
        plus = "SCRAM-SHA-256-PLUS"
        self.equal(self.smtp_auth(s, Scram(ANN, "secret", *bound), plus), 235)
        other = (bound[0], bytes(32))
        self.equal(self.smtp_auth(s, Scram(ANN, "secret", *other), plus), 535)
        # One that could bind and was made to believe that we cannot.
        self.equal(self.smtp_auth(s, Scram(ANN, "secret", "y")), 535)
        # A client in the middle that has no binding.
        self.equal(self.smtp_auth(s, Scram(ANN, "secret"), plus), 501)

    def test_imap(self):
        s = self.server()
        for password, good in (("secret", True), ("wrong", False)):
            c = imaplib.IMAP4("127.0.0.1", s.imap)
            c.host = s.settings["myhostname"]
            c.starttls(s.context())
            self.contains(c.capabilities, "AUTH=SCRAM-SHA-256-PLUS")
            scram = Scram(ANN, password)
            try:
                c.authenticate("SCRAM-SHA-256", scram.say)
                self.true(good)
                self.equal(c.select()[0], "OK")
                c.logout()
            except imaplib.IMAP4.error as e:
                self.true(not good, e)

    def test_pop3(self):
        s = self.server()
        c = poplib.POP3("127.0.0.1", s.pop3)
        c.host = s.settings["myhostname"]
        c.stls(s.context())
        self.contains(c.capa()["SASL"], "SCRAM-SHA-256-PLUS")
        scram = Scram(ANN, "secret", "p=tls-server-end-point",
                      self.endpoint(s))
        line = c._shortcmd("AUTH SCRAM-SHA-256-PLUS")
        while line.startswith(b"+ "):
            line = c._shortcmd(b64(scram.say(base64.b64decode(line[2:]))))
        self.true(line.startswith(b"+OK"), line)
        self.equal(c.stat(), (0, 0))
        c.quit()

    def test_strangers_look_like_accounts(self):
        s = self.server()
        salts = []
        for user in (ANN, "x@one.example", "x@one.example", "y@one.example"):
            scram = Scram(user, "wrong")
            self.smtp_auth(s, scram)
            salts.append(scram.salt)
        self.equal(salts[1], salts[2])
        self.equal(len(set(salts)), 3)
        self.equal(len({len(x) for x in salts}), 1)

    def test_keys_come_with_the_first_login(self):
        s = self.server()
        s.stop()
        db = sqlite3.connect(s.dir / "data/accounts.db")
        with db:
            db.execute("UPDATE meta SET value = 1 WHERE key = 'version'")
            db.execute("ALTER TABLE accounts DROP COLUMN scram")
        db.close()
        s.start()
        self.equal(self.smtp_auth(s, Scram(ANN, "secret")), 535)
        with self.smtp_client(s) as c:
            c.login(ANN, "secret")
        self.equal(self.smtp_auth(s, Scram(ANN, "secret")), 235)

    def test_no_keys_are_kept_where_they_are_not_wanted(self):
        s = self.instance("sc").mail().tls()
        s.settings["auth_mechanisms"] = "PLAIN"
        s.start().add_users(ANN)
        s.stop()
        db = sqlite3.connect(s.dir / "data/accounts.db")
        self.equal(db.execute("SELECT scram FROM accounts").fetchall(),
                   [("",)])
        db.close()


suite.main()
