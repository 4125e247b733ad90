# SPDX-License-Identifier: BSD-2-Clause
"""Where secrets are (I1, I2): private keys in keyd alone, password hashes in
authd alone, passwords nowhere as soon as a login is over."""
import base64
import contextlib
import imaplib
import secrets
import shutil
import smtplib
import sqlite3
import threading
import time

import drill
import scan

import suite

HANDSHAKES = 300
LOGINS = 40  # a hash each
GONE_WITHIN = 1.0  # seconds after the last login


class Secrets(suite.Case):
    def server(self, kind):
        s = self.instance("se").mail().tls("localhost", kind=kind)
        s.start()
        self.passwords = {f"u{i}@one.example": "canary" + secrets.token_hex(16)
                          for i in range(4)}
        self.wrong = "canary" + secrets.token_hex(16)
        s.postern("tenant", "add", "acme")
        s.postern("domain", "add", "one.example", "--tenant", "acme")
        for user, password in self.passwords.items():
            s.postern("user", "add", user, "--password-stdin",
                      input=password + "\n")
        return s

    def hashes(self, s):
        """What authd keeps of passwords."""
        copy = s.dir / "copy"  # authd has the original locked
        shutil.copytree(s.dir / "data", copy)
        db = sqlite3.connect(copy / drill.database(s).name)
        found = []
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE "
                                   "type = 'table'").fetchall():
            for row in db.execute(f"SELECT * FROM {table}"):
                for value in row:
                    if isinstance(value, str) and (
                            value.startswith("$") or "," in value):
                        found.append(("hash", value[-20:].encode()))
        db.close()
        self.true(len(found) >= len(self.passwords), "hashes in the database")
        return found

    def shake(self, s, times):
        """Handshakes, one after the other, with every kind of server."""
        ports = [s.imaps, s.pop3s, s.submissions]
        for i in range(times):
            s.connect_tls(ports[i % 3], "localhost").close()

    def submission(self, s, user, password):
        c = smtplib.SMTP("localhost", s.submission, "pc.example",
                         timeout=suite.DEADLINE)
        c.starttls(context=s.context())
        c.user, c.password = user, password
        return c

    def log_in(self, s):
        """Logins of all kinds, good and bad, that stay open."""
        kept = []
        users = list(self.passwords.items())
        for i in range(LOGINS):
            user, password = users[i % len(users)]
            if i % 4 == 0:
                kept.append(drill.imap(s, user, password))
            elif i % 4 == 1:
                with contextlib.suppress(Exception):
                    kept.append(drill.pop3(s, user, password))
            elif i % 4 == 2:
                c = self.submission(s, user, password)
                if i % 16 != 2:  # else it is refused: out of place
                    c.ehlo()
                with contextlib.suppress(smtplib.SMTPAuthenticationError):
                    c.auth("PLAIN" if i % 8 == 2 else "LOGIN",
                           c.auth_plain if i % 8 == 2 else c.auth_login)
                kept.append(c)
            else:
                c = imaplib.IMAP4_SSL("localhost", s.imaps,
                                      ssl_context=s.context())
                kept.append(c)
                plain = base64.b64encode(
                    f"\0{user}\0{self.wrong}".encode()).decode()
                c.send(f"a AUTHENTICATE PLAIN {plain}\r\n".encode()
                       if i % 8 == 3 else
                       f"a LOGIN {user} {self.wrong}\r\n".encode())
                while not c.readline().startswith(b"a NO"):
                    pass
        return kept

    def look(self, kind):
        s = self.server(kind)
        keys = scan.of_key(s.dir / "server.key")
        hashes = self.hashes(s)
        words = [n for user, password in self.passwords.items()
                 for word in (password, self.wrong)
                 for n in scan.of_password(user, word)]
        self.finds_what_is_planted(keys + hashes + words)

        threads = [threading.Thread(target=self.shake,
                                    args=(s, HANDSHAKES // 3))
                   for _ in range(3)]
        for t in threads:
            t.start()
        kept = self.log_in(s)
        over = time.monotonic()
        self.gone(s, words, over)
        found = scan.scan(scan.descendants(s.pid), keys + hashes)
        for t in threads:
            t.join()
        print(f"{kind}: {len(scan.descendants(s.pid))} processes, {found}")
        self.true(any(n.startswith("key") for n in found), "keyd has its key")
        for name, programs in found.items():
            self.equal(programs, {"keyd"} if name.startswith("key")
                       else {"authd"}, f"who has a {name}")
        self.equal("hash" in found, True, "authd has the hashes")
        for c in kept:
            with contextlib.suppress(Exception):
                (getattr(c, "shutdown", None) or c.close)()

    def finds_what_is_planted(self, needles):
        p = scan.planted(needles)
        found = scan.scan([p.pid], needles)
        p.stdin.close()
        p.wait(suite.DEADLINE)
        self.equal(set(found), {name for name, _ in needles},
                   "what was found of what was planted")

    def gone(self, s, words, over):
        while True:
            began = time.monotonic()
            found = scan.scan(scan.descendants(s.pid), words)
            if not found:
                print(f"no password {began - over:.2f} s after the logins")
                return
            self.true(began - over < GONE_WITHIN,
                      f"passwords after a login: {found}")

    def test_i1_i2_elliptic_curve(self):
        self.look("EC")

    def test_i1_i2_rsa(self):
        self.look("RSA")


if __name__ == "__main__":
    suite.main()
