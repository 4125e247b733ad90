# SPDX-License-Identifier: BSD-2-Clause
"""swaks: SMTP in all the ways that an operator tries by hand."""
import mua
import suite
from mua import ANN, BOB, PASSWORD


class Swaks(mua.ClientCase):
    def swaks(self, s, *args, port=None, code=0):
        return self.run_client(
            "swaks", "--server", "127.0.0.1", "--port", port or s.port,
            "--helo", "client.example", "--from", "out@other.example",
            "--tls-ca-path", s.ca, *args, code=code)

    def test_plain_and_starttls(self):
        s = self.server()
        self.swaks(s, "--to", ANN)
        text = self.swaks(s, "--to", ANN, "--tls", "--tls-verify")
        self.contains(text, "TLS started with cipher TLSv1.3")
        self.equal(len(s.wait_messages(ANN, 2)), 2)
        self.contains("".join(p.read_text() for p in s.messages(ANN)),
                      "with ESMTPS")

    def test_submission(self):
        s = self.server()
        login = ["--au", ANN, "--ap", PASSWORD, "--from", ANN, "--to", BOB]
        for n, (port, tls, mechanism) in enumerate((
                (s.submission, "--tls", "PLAIN"),
                (s.submission, "--tls", "LOGIN"),
                (s.submissions, "--tls-on-connect", "PLAIN")), 1):
            self.swaks(s, tls, "--auth", mechanism, *login, port=port)
            s.wait_messages(BOB, n)
        text = s.messages(BOB)[0].read_text()
        self.contains(text, "with ESMTPSA")

    def test_what_is_refused(self):
        s = self.server()
        to_bob = ["--from", ANN, "--to", BOB, "--au", ANN]
        # 28: AUTH failed; 24: RCPT refused; 23: MAIL refused (swaks(1))
        text = self.swaks(s, "--tls", "--auth", "PLAIN", "--ap", "wrong",
                          *to_bob, port=s.submission, code=28)
        self.contains(text, "535 5.7.8")
        self.swaks(s, "--auth", "PLAIN", "--ap", PASSWORD, *to_bob,
                   port=s.submission, code=28)  # not in the clear
        text = self.swaks(s, "--to", "nobody@one.example", code=24)
        self.contains(text, "550 5.1.1")
        text = self.swaks(s, "--tls", "--auth", "PLAIN", "--ap", PASSWORD,
                          "--au", ANN, "--from", BOB, "--to", BOB,
                          port=s.submission, code=23)
        self.contains(text, "553 5.7.1")

    def test_strangers_do_not_relay(self):
        s = self.instance("mua").mail().tls("localhost")
        s.settings["mynetworks"] = "192.0.2.0/24"
        s.start().add_users(ANN)
        self.home = s.dir
        text = self.swaks(s, "--to", "x@elsewhere.example", code=24)
        self.contains(text, "554 5.7.1")


suite.main()
