# SPDX-License-Identifier: BSD-2-Clause
"""From SMTP to a Maildir: queued durably, delivered once, logged."""
import os
import re
import signal
import smtplib

import suite

TEXT = "Subject: hello\r\n\r\nline one\r\n.a dot\r\n"


class Local(suite.Case):
    def server(self, *users):
        s = self.instance("lo").mail().start()
        return s.add_users(*(users or ("ann@one.example", "bob@one.example")))

    def test_a_message_is_delivered(self):
        s = self.server()
        with s.smtp() as c:
            c.sendmail("out@other.example", ["ann@one.example"], TEXT)
        path = s.wait_messages("ann@one.example", 1)[0]
        text = path.read_bytes().decode()
        self.true(text.startswith("Return-Path: <out@other.example>\r\n"
                                  "Delivered-To: ann@one.example\r\n"
                                  "Received: from client.example "
                                  "(localhost [127.0.0.1])\r\n"), text)
        self.contains(text, "for <ann@one.example>;\r\n")
        self.true(text.endswith(TEXT), text)
        qid = re.search(r"id ([0-9A-F]{16})", text)[1]
        s.wait_log(f"{qid}: removed")
        log = s.log_text()
        self.contains(log, f"{qid}: client=localhost[127.0.0.1]")
        self.contains(log, f"{qid}: from=<out@other.example>, size=")
        self.true(re.search(
            qid + r": to=<ann@one\.example>, relay=local, delay=[\d.e-]+, "
            r"delays=[\d.e-]+/[\d.e-]+/[\d.e-]+/[\d.e-]+, dsn=2\.0\.0, "
            r"status=sent \(delivered to maildir\)", log), log)
        self.equal(s.queue_files(), [])
        self.contains(path.name, qid)
        self.contains(path.name, f",S={path.stat().st_size}")

    def test_what_is_nobodys_business_is_taken_out(self):
        s = self.instance("lo").mail()
        s.start().add_users("ann@one.example")
        text = ("Return-Path: <forged@x.example>\r\nTo: a@b\r\nBCC: secret@x."
                "example,\r\n other@x.example\r\nContent-Length: 5\r\n"
                "Subject: hi\r\nnot a field\r\nResent-Bcc: c@d\r\n\r\n"
                "Bcc: this is text\r\n")
        with s.smtp() as c:
            c.sendmail("x@y.example", ["ann@one.example"], text)
        got = s.wait_messages("ann@one.example", 1)[0].read_bytes().decode()
        self.true(got.startswith("Return-Path: <x@y.example>\r\n"), got)
        self.true(got.endswith("\r\nTo: a@b\r\nSubject: hi\r\nnot a field\r\n"
                               "\r\nBcc: this is text\r\n"), got)
        s.settings["message_drop_headers"] = ""
        s.write()
        s.postern("reload")
        with s.smtp() as c:
            c.sendmail("x@y.example", ["ann@one.example"], text)
        self.true(any(p.read_bytes().decode().endswith(text)
                      for p in s.wait_messages("ann@one.example", 2)))

    def test_extensions_and_case_find_the_account(self):
        s = self.server()
        with s.smtp() as c:
            c.sendmail("x@y.example", ["Ann+lists@One.Example"], TEXT)
        text = s.wait_messages("ann@one.example", 1)[0].read_text()
        self.contains(text, "Delivered-To: Ann+lists@one.example\n")

    def test_unknown_recipients_are_refused_at_rcpt(self):
        s = self.server()
        with s.smtp() as c:
            c.ehlo()
            c.mail("x@y.example")
            self.equal(c.rcpt("nobody@one.example")[0], 550)
            self.equal(c.rcpt("ann@one.example")[0], 250)
            self.equal(c.data("Subject: x\r\n\r\nx\r\n")[0], 250)
        s.wait_messages("ann@one.example", 1)
        self.contains(s.log_text(), "reject: RCPT from localhost[127.0.0.1]: "
                      "550 5.1.1 <nobody@one.example>: Recipient address "
                      "rejected: User unknown in virtual mailbox table; "
                      "from=<x@y.example> to=<nobody@one.example> "
                      "proto=ESMTP helo=<client.example>")

    def test_strangers_do_not_relay(self):
        s = self.instance("lo").mail()
        s.settings["mynetworks"] = "192.0.2.0/24"
        s.start().add_users("ann@one.example")
        with s.smtp() as c:
            c.ehlo()
            c.mail("x@y.example")
            for rcpt in ("x@elsewhere.example", "ann%one.example@other.example",
                         '"a@one.example"@other.example',
                         "@one.example:x@other.example"):
                code, text = c.docmd(f"RCPT TO:<{rcpt}>")
                self.equal(code, 554, rcpt)
                self.contains(text.decode(), "Relay access denied")

    def test_aliases_expand_before_queueing(self):
        s = self.server()
        s.postern("alias", "add", "team@one.example", "ann@one.example",
                  "bob@one.example", "both@one.example")
        s.postern("alias", "add", "both@one.example", "bob@one.example",
                  "team@one.example")
        with s.smtp() as c:
            c.sendmail("x@y.example", ["team@one.example"], TEXT)
        text = s.wait_messages("ann@one.example", 1)[0].read_text()
        self.contains(text, "X-Original-To: team@one.example\n")
        s.wait_messages("bob@one.example", 1)
        s.wait_log("removed")
        self.equal(len(s.messages("bob@one.example")), 1)

    def test_two_tenants_have_two_uids(self):
        s = self.server("ann@one.example")
        s.add_users("eve@two.example", tenant="other")
        with s.smtp() as c:
            c.sendmail("x@y.example", ["ann@one.example",
                                       "eve@two.example"], TEXT)
        a = s.wait_messages("ann@one.example", 1)[0]
        b = s.wait_messages("eve@two.example", 1, tenant="other")[0]
        if os.geteuid() == 0:
            self.true(a.stat().st_uid != b.stat().st_uid)
        self.equal(a.stat().st_mode & 0o777, 0o600)

    def test_mail_waits_for_the_store(self):
        s = self.instance("lo").mail()
        s.settings["minimal_backoff_time"] = "1s"
        s.start().add_users("ann@one.example")
        mark = s.store / ".postern-store"
        mark.rename(s.dir / "aside")
        with s.smtp() as c:
            c.sendmail("x@y.example", ["ann@one.example"], TEXT)
        s.wait_log("status=deferred")
        self.true(not (s.store / "acme").exists(), "nothing on the mount point")
        (s.dir / "aside").rename(mark)
        s.wait_messages("ann@one.example", 1)

    def test_the_store_of_another_instance(self):
        s = self.instance("lo").mail()
        s.settings["minimal_backoff_time"] = "1s"
        s.start().add_users("ann@one.example")
        mark = s.store / ".postern-store"
        own = mark.read_text()
        mark.write_text("0123456789abcdef" * 2 + "\n")
        with s.smtp() as c:
            c.sendmail("x@y.example", ["ann@one.example"], TEXT)
        s.wait_log("status=deferred")
        s.wait_log("it is another instance's, as its file .postern-store says:"
                   " 0123456789abcdef0123456789abcdef; ours is " + own.strip())
        self.true(not (s.store / "acme").exists(), "delivered to another's")
        made = s.postern("store", "create", check=False)
        self.equal(made.returncode, 73)
        self.contains(made.stderr, "another instance's")
        self.contains(s.postern("check", check=False).stderr,
                      "another instance's")
        mark.write_text(own)
        s.wait_messages("ann@one.example", 1)

    def test_a_large_message_arrives_whole(self):
        s = self.server()
        lines = "".join(f"{i:070d}\r\n" for i in range(100000))
        with s.smtp() as c:
            c.sendmail("x@y.example", ["ann@one.example"], "\r\n" + lines)
        text = s.wait_messages("ann@one.example", 1)[0].read_bytes()
        self.true(text.endswith(lines.encode()))

    def test_queued_mail_survives_a_restart(self):
        s = self.server()
        os.kill(s.pid_of("qmgr"), signal.SIGSTOP)
        with s.smtp() as c:
            c.sendmail("x@y.example", ["ann@one.example"], TEXT)
        self.equal(len(s.queue_files()), 1)
        os.kill(s.pid_of("qmgr"), signal.SIGKILL)
        s.wait_messages("ann@one.example", 1)
        s.wait_log("removed")
        self.equal(len(s.messages("ann@one.example")), 1)


suite.main()
