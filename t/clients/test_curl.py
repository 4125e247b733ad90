# SPDX-License-Identifier: BSD-2-Clause
"""curl: SMTP, IMAP and POP3, each in both kinds of TLS."""
import mua
import suite
from mua import ANN, BOB, PASSWORD


class Curl(mua.ClientCase):
    def curl(self, s, url, *args, user=ANN, code=0, **kw):
        return self.run_client("curl", "-sS", "--ssl-reqd", "--cacert", s.ca,
                               "-u", f"{user}:{PASSWORD}", url, *args,
                               code=code, **kw)

    def test_smtp(self):
        s = self.server()
        self.write("mail", "Subject: from curl\r\n\r\nhello\r\n")
        for n, url in enumerate((f"smtp://localhost:{s.submission}",
                                 f"smtps://localhost:{s.submissions}"), 1):
            self.curl(s, url, "--mail-from", ANN, "--mail-rcpt", BOB, "-T",
                      "mail")
            s.wait_messages(BOB, n)
        text = self.curl(s, f"smtps://localhost:{s.submissions}",
                         "--mail-from", ANN, "--mail-rcpt",
                         "nobody@one.example", "-T", "mail", code=55)
        self.contains(text, "550")
        text = self.curl(s, f"smtp://localhost:{s.submission}", "-X",
                         "EXPN x", code=8)

    def test_imap(self):
        s = self.server()
        self.deliver(s, ANN, "one", "two")
        for url in (f"imap://localhost:{s.imap}",
                    f"imaps://localhost:{s.imaps}"):
            self.contains(self.curl(s, url), '"INBOX"')
            self.contains(self.curl(s, url + "/INBOX;MAILINDEX=2"),
                          "Subject: two")
            self.contains(self.curl(s, url + "/INBOX;MAILINDEX=1;SECTION="
                                    "HEADER.FIELDS%20(SUBJECT)"),
                          "Subject: one")
        self.contains(self.curl(s, url + "/INBOX?SUBJECT%20two"),
                      "* SEARCH 2")
        self.contains(self.curl(s, url + "/INBOX", "-X",
                                "FETCH 1:* (FLAGS UID)"), "* 2 FETCH")

    def test_imap_changes(self):
        s = self.server()
        url = f"imaps://localhost:{s.imaps}"
        self.write("mail", "Subject: appended\r\n\r\nhello\r\n")
        self.curl(s, url, "-X", "CREATE Drafts.old")
        self.curl(s, url + "/Drafts.old", "-T", "mail")
        self.contains(self.curl(s, url + "/Drafts.old;MAILINDEX=1"),
                      "Subject: appended")
        self.contains(self.curl(s, url, "-X", "STATUS Drafts.old (MESSAGES)"),
                      "MESSAGES 1")
        self.curl(s, url + "/Drafts.old", "-X", "STORE 1 +FLAGS \\Deleted")
        self.curl(s, url + "/Drafts.old", "-X", "EXPUNGE")
        self.contains(self.curl(s, url, "-X", "STATUS Drafts.old (MESSAGES)"),
                      "MESSAGES 0")
        self.curl(s, url, "-X", "DELETE Drafts.old")

    def test_pop3(self):
        s = self.server()
        self.deliver(s, ANN, "one", "two")
        for url in (f"pop3://localhost:{s.pop3}",
                    f"pop3s://localhost:{s.pop3s}"):
            self.equal(len(self.curl(s, url + "/").splitlines()), 2)
            self.contains(self.curl(s, url + "/2"), "Subject: two")
            self.contains(self.curl(s, url + "/", "-X", "TOP 1 0"),
                          "Subject: one")
            uids = self.curl(s, url + "/", "-X", "UIDL").split()
            self.equal(uids[0::2], ["1", "2"])
        self.curl(s, url + "/1", "-X", "DELE", "-I")
        self.equal(self.subjects(s, ANN), ["two"])

    def test_a_wrong_password(self):
        s = self.server()
        for url in (f"imaps://localhost:{s.imaps}",
                    f"pop3s://localhost:{s.pop3s}/"):
            self.run_client("curl", "-sS", "--cacert", s.ca, "-u",
                            f"{ANN}:wrong", url, code=67)


suite.main()
