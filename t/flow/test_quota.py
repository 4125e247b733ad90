# SPDX-License-Identifier: BSD-2-Clause
"""Quotas: refused before acceptance where that can be, and counted alike by
SMTP, IMAP and POP3."""
import imaplib
import os
import signal
import smtplib

import suite

ANN, BOB = "ann@one.example", "bob@one.example"
KB = "x" * 70 + "\r\n"


class Quota(suite.Case):
    def server(self, **settings):
        s = self.instance("qu").mail().tls()
        s.settings.update(settings)
        s.start().add_users(ANN, BOB)
        s.postern("user", "set", ANN, "--quota", "100000")
        return s

    def send(self, s, *to, size=40000):
        with s.smtp() as c:
            c.sendmail(BOB, to or [ANN],
                       "Subject: x\r\n\r\n" + KB * (size // len(KB)))

    def imap(self, s):
        c = imaplib.IMAP4("127.0.0.1", s.imap)
        c.host = s.settings["myhostname"]
        c.starttls(s.context())
        c.login(ANN, "secret")
        c.select()
        return c

    def refused(self, s, *to, **how):
        try:
            self.send(s, *to, **how)
        except smtplib.SMTPDataError as e:
            return e.smtp_code, e.smtp_error.decode()
        raise AssertionError("it was taken")

    @suite.not_watched("a delivery may take longer than the fast path waits")
    def test_a_full_mailbox_is_refused_before_acceptance(self):
        s = self.server()
        self.send(s)
        self.send(s)
        code, text = self.refused(s)
        self.equal(code, 552)
        self.equal(text, "5.2.2 the mailbox is full")
        self.send(s, size=1000)  # a small one still fits
        self.equal(len(s.messages(ANN)), 3)
        self.equal(s.queue_files(), [])
        self.equal(s.messages(BOB), [])  # nobody got a notification

    def test_one_of_two_is_told_of_by_a_notification(self):
        s = self.server()
        self.send(s)
        self.send(s)
        self.send(s, ANN, BOB)
        text = s.wait_messages(BOB, 2)
        self.true(any("the mailbox is full" in p.read_text() for p in text))
        self.equal(len(s.messages(ANN)), 2)

    def test_queued_mail_comes_back(self):
        s = self.server(fast_delivery_time="0")
        for _ in range(3):
            self.send(s)
        text = s.wait_messages(BOB, 1)[0].read_text()
        self.contains(text, "Status: 5.2.2")
        self.equal(len(s.messages(ANN)), 2)

    def test_imap_and_smtp_count_alike(self):
        s = self.server()
        self.send(s)
        c = self.imap(s)
        text = b"Subject: y\r\n\r\n" + KB.encode() * 600
        self.equal(c.append("INBOX", None, None, text)[0], "OK")
        self.equal(self.refused(s)[0], 552)
        kind, answer = c.append("INBOX", None, None, text)
        self.equal(kind, "NO")
        self.contains(answer[0].decode(), "[OVERQUOTA]")
        self.equal(c.copy("1", "INBOX")[0], "NO")
        kind, lines = c.getquotaroot("INBOX")
        self.contains(str(lines), "STORAGE 8")
        self.contains(str(lines), " 97)")
        c.store("1", "+FLAGS", "\\Deleted")
        c.expunge()
        self.send(s)
        self.equal(len(s.messages(ANN)), 2)

    @suite.not_watched("a delivery may take longer than the fast path waits")
    def test_what_others_removed_is_seen(self):
        s = self.server()
        self.send(s)
        self.send(s)
        self.equal(self.refused(s)[0], 552)
        s.messages(ANN)[0].unlink()
        # The sum is trusted for a while; make it old.
        os.utime(s.maildir(ANN) / "maildirsize", (1, 1))
        self.send(s)
        (s.maildir(ANN) / "maildirsize").write_text("rubbish\n")
        self.equal(self.refused(s)[0], 552)

    def test_a_delivery_in_doubt_that_was_expunged_is_not_made_again(self):
        s = self.server(fast_delivery_time="1s", minimal_backoff_time="1s")
        self.send(s)
        pid = s.pid_of("local")
        os.kill(pid, signal.SIGSTOP)
        self.send(s)  # queued after a second; local has it
        os.kill(s.pid_of("qmgr"), signal.SIGSTOP)  # will not hear of it
        os.kill(pid, signal.SIGCONT)
        s.wait_messages(ANN, 2)
        c = self.imap(s)
        c.store("2", "+FLAGS", "\\Deleted")
        self.equal(c.expunge()[0], "OK")
        self.equal(len(s.messages(ANN)), 1)
        os.kill(s.pid_of("qmgr"), signal.SIGKILL)
        s.wait_log("delivered to maildir before")
        suite.wait_for(lambda: not s.queue_files(), "an empty queue")
        self.equal(len(s.messages(ANN)), 1)


suite.main()
