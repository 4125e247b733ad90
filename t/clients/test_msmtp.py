# SPDX-License-Identifier: BSD-2-Clause
"""msmtp: submission as programs do it, with the codes of sysexits.h."""
import mua
import suite
from mua import ANN, BOB, PASSWORD

MAIL = f"From: {ANN}\nTo: {BOB}\nBcc: {ANN}\nSubject: hi\n\n.dot\nend\n"


class Msmtp(mua.ClientCase):
    def msmtp(self, s, *args, port=None, mechanism="on", password=PASSWORD,
              starttls="on", code=0):
        self.write(".msmtprc", f"""
account default
host localhost
port {port or s.submission}
tls on
tls_starttls {starttls}
tls_trust_file {s.ca}
auth {mechanism}
user {ANN}
password {password}
from {ANN}
""")
        return self.run_client("msmtp", *args, input=MAIL, code=code)

    def test_send(self):
        s = self.server()
        self.msmtp(s, BOB)
        text = s.wait_messages(BOB, 1)[0].read_text()
        self.true(text.endswith("\n\n.dot\nend\n"), text)
        self.msmtp(s, BOB, port=s.submissions, starttls="off")
        s.wait_messages(BOB, 2)

    def test_recipients_from_the_message(self):
        s = self.server()
        self.msmtp(s, "-t")
        text = s.wait_messages(BOB, 1)[0].read_text()
        self.true("Bcc" not in text)
        s.wait_messages(ANN, 1)

    def test_mechanisms(self):
        s = self.server()
        for n, mechanism in enumerate(("plain", "login", "scram-sha-256"), 1):
            self.msmtp(s, BOB, mechanism=mechanism)
            s.wait_messages(BOB, n)
            s.wait_log("sasl_method=" + mechanism.upper())

    def test_errors(self):
        s = self.server()
        self.msmtp(s, BOB, password="wrong", code=77)  # EX_NOPERM
        text = self.msmtp(s, "nobody@one.example", code=65)  # EX_DATAERR
        self.contains(text, "550 5.1.1")
        self.msmtp(s, BOB, port=1, code=75)  # EX_TEMPFAIL


suite.main()
