# SPDX-License-Identifier: BSD-2-Clause
"""What the tests with Debian's mail clients share: a server that speaks TLS
under the name localhost, and a home directory for the client."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import suite  # noqa: E402

ANN, BOB = "ann@one.example", "bob@one.example"
PASSWORD = "secret"


class ClientCase(suite.Case):
    def server(self):
        s = self.instance("mua").mail().tls("localhost", "mail.test.example")
        s.start().add_users(ANN, BOB, password=PASSWORD)
        self.home = s.dir / "home"
        self.home.mkdir()
        return s

    def write(self, name, text):
        """A file in the client's home, for its owner alone."""
        path = self.home / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def run_client(self, *args, code=0, **kw):
        """Run it in its home; its output, after it ended with `code`."""
        done = subprocess.run(
            [str(a) for a in args], capture_output=True, text=True,
            errors="replace", timeout=suite.DEADLINE, cwd=self.home,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"],
                 "TERM": "dumb", "LC_ALL": "C.UTF-8"}, **kw)
        if done.returncode != code:
            raise AssertionError(f"{args[0]} ended with {done.returncode}, "
                                 f"not {code}:\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def deliver(self, s, to, *subjects, body="A line.\r\n"):
        """Put messages into a mailbox, in this order."""
        have = len(s.messages(to))
        with s.smtp() as c:
            for subject in subjects:
                c.sendmail("out@other.example", [to],
                           f"From: out@other.example\r\nTo: {to}\r\n"
                           f"Subject: {subject}\r\n\r\n{body}")
                have += 1
                s.wait_messages(to, have)

    def subjects(self, s, user):
        """The subjects of what is in a mailbox, in no order."""
        return sorted(line[9:].decode() for p in s.messages(user)
                      for line in p.read_bytes().splitlines()
                      if line.startswith(b"Subject: "))
