# SPDX-License-Identifier: BSD-2-Clause
"""The queue's tools, sendmail, and notifications."""
import email
import email.header
import json
import os
import subprocess
import threading

import suite

MESSAGE = "Subject: hi\nTo: ann@one.example\nBcc: bob@one.example\n\n.\ntext\n"


class Queue(suite.Case):
    def server(self, **settings):
        s = self.instance("qu").mail()
        s.settings.update(settings)
        s.start().add_users("ann@one.example", "bob@one.example")
        return s

    def run_tool(self, s, name, *args, data="", code=0):
        flag = "-C" if name in ("sendmail", "mailq") else "-c"
        r = subprocess.run([s.bin / name, flag, s.conf, *map(str, args)],
                           input=data, text=True, capture_output=True,
                           timeout=suite.DEADLINE)
        self.equal(r.returncode, code, f"{name} {args}: {r.stderr}")
        return r

    def hold_mail(self, s):
        """Two messages that cannot be delivered at the moment."""
        mark = s.store / ".postern-store"
        mark.rename(s.dir / "aside")
        with s.smtp() as c:
            c.sendmail("x@y.example", ["ann@one.example"],
                       "Subject: 1\r\n\r\n1")
            c.sendmail("x@y.example", ["ann@one.example", "bob@one.example"],
                       "Subject: 2\r\n\r\n2")
        s.wait_log("status=deferred", 3)
        suite.wait_for(lambda: len(s.queue_files("deferred")) == 2, "deferral")

    def test_all_mail_for_a_missing_store_is_put_off(self):
        # Several agents are asked for at once, and none can be had.
        s = self.server()
        (s.store / ".postern-store").rename(s.dir / "aside")
        senders = []
        for i in range(8):
            t = threading.Thread(target=self.send_some, args=(s, 10))
            t.start()
            senders.append(t)
        for t in senders:
            t.join()
        s.wait_log("status=deferred", 80)
        suite.wait_for(lambda: len(s.queue_files("deferred")) == 80,
                       "deferral")

    def send_some(self, s, n):
        with s.smtp() as c:
            for _ in range(n):
                c.sendmail("x@y.example", ["ann@one.example"],
                           "Subject: x\r\n\r\nx")

    def release_store(self, s):
        (s.dir / "aside").rename(s.store / ".postern-store")

    @suite.not_watched("it takes the walls away itself")
    def test_mail_is_queued_whichever_wall_is_missing(self):
        for walls in ("landlock seccomp network uid", "network uid",
                      "root landlock network uid", "root seccomp network uid"):
            s = self.server(sandbox_walls=walls, sandbox_required="no",
                            fast_delivery_time="0")
            with s.smtp() as c:
                c.sendmail("x@y.example", ["ann@one.example"], "Subject: 1")
            s.wait_messages("ann@one.example", 1)
            s.stop()

    def test_sendmail_t_delivers_and_hides_bcc(self):
        s = self.server()
        self.run_tool(s, "sendmail", "-t", "-oi", "-f", "cron@one.example",
                      data=MESSAGE)
        text = s.wait_messages("bob@one.example", 1)[0].read_text()
        self.contains(text, "Return-Path: <cron@one.example>\n")
        self.contains(text, f"(from userid {os.geteuid()})")
        self.true("Bcc" not in text, text)
        self.contains(text, "Message-ID: <")
        self.contains(text, "Date: ")
        self.true(text.endswith("\n\n.\ntext\n"), text)
        s.wait_messages("ann@one.example", 1)

    def test_sendmail_exit_codes(self):
        s = self.server()
        self.run_tool(s, "sendmail", data=MESSAGE, code=64)
        self.run_tool(s, "sendmail", "nobody@one.example", data=MESSAGE,
                      code=67)
        self.run_tool(s, "sendmail", "-bv", "ann@one.example")
        s.stop()
        self.run_tool(s, "sendmail", "ann@one.example", data=MESSAGE, code=75)
        self.run_tool(s, "postqueue", "-f", code=69)

    def test_sendmail_bs_speaks_smtp(self):
        s = self.server()
        r = self.run_tool(s, "sendmail", "-bs", data="QUIT\r\n")
        self.true(r.stdout.startswith("220 mail.test.example ESMTP"))
        self.contains(r.stdout, "221 2.0.0 Bye")
        with subprocess.Popen([s.bin / "sendmail", "-C", s.conf, "-bs"],
                              stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE) as p:
            for line in ("", "HELO x", "MAIL FROM:<ann@one.example>",
                         "RCPT TO:<bob@one.example>", "DATA",
                         "Subject: by hand\r\n\r\n..\r\n.", "QUIT"):
                if line:
                    p.stdin.write(line + "\r\n")
                    p.stdin.flush()
                self.true(p.stdout.readline()[0] in "23", line)
        self.equal(p.returncode, 0)
        text = s.wait_messages("bob@one.example", 1)[0].read_text()
        self.true(text.endswith("\n\n.\n"), text)

    def test_sendmail_bv_tells_of_each(self):
        s = self.server()
        r = self.run_tool(s, "sendmail", "-bv", "ann@one.example",
                          "gone@one.example", "bob@one.example", code=67)
        lines = r.stdout.splitlines()
        self.equal(lines[0], "ann@one.example... deliverable")
        self.contains(lines[1], "gone@one.example... 550 5.1.1 ")
        self.equal(lines[2], "bob@one.example... deliverable")
        self.equal(s.messages("ann@one.example"), [])

    def test_sendmail_options_of_other_programs(self):
        s = self.server()
        # As PHP, cron, git and mdadm call it; and what nobody knows any more.
        for args in (["-t", "-i"], ["-FCronDaemon", "-i", "-odi", "-oem",
                                    "-oi", "-t", "-f", "root"],
                     ["-i", "-f", "<ann@one.example>", "--",
                      "ann@one.example, bob@one.example"],
                     ["-oi", "-om", "-B8BITMIME", "-G", "-L", "tag", "-O",
                      "x=y", "-h", "3", "-X", "/dev/null", "-rann@one.example",
                      "bob@one.example"]):
            have = len(s.messages("bob@one.example"))
            self.run_tool(s, "sendmail", *args, data="From: me@one.example\n"
                          + MESSAGE)
            s.wait_messages("bob@one.example", have + 1)
        self.run_tool(s, "sendmail", "-F", 'A "quoted" name', "-f",
                      "ann@one.example", "ann@one.example",
                      data="Subject: x\n\nFrom: this is text\n")
        text = b"".join(p.read_bytes() for p in s.messages("ann@one.example"))
        self.contains(text, b'From: "A \\"quoted\\" name" '
                      b'<ann@one.example>\r\n')
        self.run_tool(s, "sendmail", "-F", "Jörg Müller", "-f",
                      "ann@one.example", "ann@one.example",
                      data="Subject: umlauts\n\nx\n")
        m, = [m for m in map(email.message_from_bytes, (
            p.read_bytes() for p in s.wait_messages("ann@one.example", 2)))
            if m["Subject"] == "umlauts"]
        self.true(m["From"].isascii(), m["From"])
        self.equal(str(email.header.make_header(email.header.decode_header(
            m["From"]))), "Jörg Müller <ann@one.example>")
        for args in (["-bz", "x"], ["-N", "never,delay", "x"], ["-N", "", "x"],
                     ["-R", "some", "x"], ["-k"]):
            self.run_tool(s, "sendmail", *args, data="x\n", code=64)

    def next_message(self, s, address, had):
        """That was not in the list: names tell of the order only by and
        large, since each cleanup has a clock of its own."""
        m, = set(s.wait_messages(address, len(had) + 1)) - set(had)
        return m.read_text()

    def test_sendmail_asks_for_the_header_back(self):
        s = self.server()
        s.postern("alias", "add", "dead@one.example", "gone@one.example")
        for ret, kind in (("hdrs", "text/rfc822-headers"),
                          ("full", "message/rfc822")):
            had = s.messages("ann@one.example")
            self.run_tool(s, "sendmail", "-R", ret, "-V", "a b+c", "-f",
                          "ann@one.example", "dead@one.example",
                          "bob@one.example", data="Subject: x\n\nx\n")
            m = email.message_from_string(
                self.next_message(s, "ann@one.example", had))
            parts = m.get_payload()
            self.equal(parts[2].get_content_type(), kind)
            self.equal(parts[1].get_payload()[0]["Original-Envelope-Id"],
                       "a b+c")
        had = s.messages("ann@one.example")
        with s.smtp() as c:
            c.ehlo()
            c.mail("ann@one.example")
            for to in ("dead@one.example ORCPT=rfc822;d+2Be@x.example",
                       "bob@one.example"):
                user, _, options = to.partition(" ")
                c.rcpt(user, [options] if options else [])
            c.data("Subject: x\r\n\r\nx\r\n")
        text = self.next_message(s, "ann@one.example", had)
        self.contains(text, "\nOriginal-Recipient: rfc822; d+e@x.example\n")

    def test_mailq_shows_what_scripts_expect(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.equal(self.run_tool(s, "mailq").stdout, "Mail queue is empty\n")
        self.equal(self.run_tool(s, "postqueue", "-j").stdout, "")
        self.hold_mail(s)
        lines = self.run_tool(s, "mailq").stdout.splitlines()
        self.equal(lines[0], "----Queue ID----- --Size-- ---Arrival Time---- "
                             "--Sender/Recipient------")
        self.equal(lines[-1].split()[-2:], ["2", "Requests."])
        ids = [x for x in lines if x[:1].isdigit()]
        self.equal(len(ids), 2)
        self.equal(ids[0].split()[6], "x@y.example")
        self.true(any(x.strip().startswith("(mail transport local: the mail "
                                           "store is not there")
                      for x in lines), lines)
        self.true("                                                "
                  "bob@one.example" in lines, lines)
        objects = [json.loads(x) for x in self.run_tool(
            s, "postqueue", "-j").stdout.splitlines()]
        self.equal(len(objects), 2)
        self.equal(set(objects[0]), {
            "queue_name", "queue_id", "arrival_time", "message_size",
            "forced_expire", "sender", "recipients"})
        self.equal(sorted(len(o["recipients"]) for o in objects), [1, 2])
        self.contains(objects[0]["recipients"][0]["delay_reason"], "store")

    def test_flush_delivers_what_waits(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.hold_mail(s)
        self.release_store(s)
        self.run_tool(s, "postqueue", "-f")
        s.wait_messages("ann@one.example", 2)
        s.wait_messages("bob@one.example", 1)

    def test_one_message_or_one_site_is_tried(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.hold_mail(s)
        first, second = sorted(p.name for p in s.queue_files("deferred"))
        self.run_tool(s, "postqueue", "-i", first)
        s.wait_log(f"{first}: to=<ann@one.example>", 2)
        self.run_tool(s, "postqueue", "-s", "elsewhere.example")
        self.run_tool(s, "postqueue", "-i", "x", code=64)
        r = self.run_tool(s, "postqueue", "-i", "0123456789ABCDEF")
        self.contains(r.stderr, "is not a deferred message")
        self.run_tool(s, "sendmail", "-qRone.example")
        s.wait_log(f"{second}: to=<bob@one.example>", 2)
        s.wait_log(f"{first}: to=<ann@one.example>", 3)
        self.release_store(s)
        self.run_tool(s, "sendmail", f"-qI{second}")
        s.wait_log(f"{second}: removed")

    def test_scripts_change_the_queue(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.hold_mail(s)
        first, second = sorted(p.name for p in s.queue_files("deferred"))
        # As in: mailq | awk ... | tr -d '*!' | postsuper -h -
        r = self.run_tool(s, "postsuper", "-h", "-",
                          data=f"{first}\n{second}!\n"
                          "nonsense\n0123456789ABCDEF\n")
        self.contains(r.stderr, "bad queue id: nonsense")
        self.contains(r.stderr, "Placed on hold: 2 messages")
        self.equal(len(s.queue_files("hold")), 2)
        self.run_tool(s, "postsuper", "-H", first)
        suite.wait_for(lambda: len(s.queue_files("hold")) == 1, "release")
        self.release_store(s)
        r = self.run_tool(s, "postsuper", "-r", "ALL", "deferred")
        self.true(second not in r.stderr, r.stderr)
        s.wait_log(f"{first}: removed")
        self.run_tool(s, "postsuper", "-d", "ALL", "deferred")
        self.equal([p.name for p in s.queue_files()], [second])
        r = self.run_tool(s, "postsuper", "-d", "ALL")
        self.contains(r.stderr, "postsuper: Deleted: 1 message\n")
        self.equal(s.queue_files(), [])

    def test_the_queue_when_nothing_runs(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.hold_mail(s)
        first, second = sorted(p.name for p in s.queue_files("deferred"))
        online = self.run_tool(s, "mailq").stdout
        s.stop()
        r = self.run_tool(s, "mailq")
        self.equal(r.stdout, online)
        self.contains(r.stderr, "Mail system is down -- accessing queue "
                      "directly")
        self.contains(self.run_tool(s, "postcat", "-q", first).stdout,
                      "sender: x@y.example\n")
        self.run_tool(s, "postcat", "-q", "0123456789ABCDEF", code=66)
        r = self.run_tool(s, "postsuper", "-h", "ALL")
        self.contains(r.stderr, "postsuper: Placed on hold: 2 messages\n")
        self.run_tool(s, "postsuper", "-H", second, "-d", first)
        self.equal([p.name for p in s.queue_files("deferred")], [second])
        if os.geteuid() == 0:
            for tool in (["mailq", "-C"], ["postsuper", "-d", "ALL", "-c"],
                         ["postcat", "-q", second, "-c"]):
                done = subprocess.run([s.bin / tool[0], *tool[1:], s.conf],
                                      capture_output=True, user=65534)
                self.equal(done.returncode, 69, tool)
        self.release_store(s)
        s.start()
        s.wait_messages("bob@one.example", 1)
        suite.wait_for(lambda: not s.queue_files(), "an empty queue")

    def test_strange_bytes_are_shown_harmless(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        (s.store / ".postern-store").rename(s.dir / "aside")
        with s.smtp() as c:
            c.ehlo()
            c.mail("x@y.example")
            c.rcpt("ann@one.example")
            c.data(b"Subject: \x1b[2J \xff \xc3\xa4\r\n\r\n\tb\x07\r\n")
        s.wait_log("status=deferred")
        qid = suite.wait_for(lambda: s.queue_files("deferred"), "it")[0].name
        text = self.run_tool(s, "postcat", "-q", "-h", qid).stdout
        self.contains(text, "Subject: \\x1b[2J \\xff \u00e4\n")
        self.true("\tb\\x07" not in text and "sender:" not in text, text)
        text = self.run_tool(s, "postcat", "-b", "-e", "-q", qid).stdout
        self.contains(text, "\n\tb\\x07\n")
        self.contains(text, "recipient: ann@one.example\n")
        self.true("Subject" not in text, text)

    def test_hold_release_delete(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.hold_mail(s)
        r = self.run_tool(s, "postsuper", "-h", "ALL")
        self.contains(r.stderr, ": placed on hold\n")
        self.contains(r.stderr, "postsuper: Placed on hold: 2 messages\n")
        self.equal(len(s.queue_files("hold")), 2)
        self.release_store(s)
        self.run_tool(s, "postqueue", "-f")
        self.equal(len(s.queue_files("hold")), 2)
        first = sorted(p.name for p in s.queue_files("hold"))[0]
        self.contains(self.run_tool(s, "mailq").stdout, first + "!")
        self.run_tool(s, "postsuper", "-d", first)
        self.run_tool(s, "postsuper", "-H", "ALL")
        s.wait_messages("bob@one.example", 1)
        suite.wait_for(lambda: not s.queue_files(), "an empty queue")
        self.equal(len(s.messages("ann@one.example")), 1)
        self.run_tool(s, "postsuper", "--strict", "-d", first, code=1)
        self.run_tool(s, "postsuper", "-d", first)

    def test_postcat_shows_envelope_and_text(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.hold_mail(s)
        qid = sorted(p.name for p in s.queue_files("deferred"))[0]
        out = self.run_tool(s, "postcat", "-q", qid).stdout
        self.contains(out, f"*** ENVELOPE RECORDS deferred/{qid} ***\n")
        self.contains(out, "sender: x@y.example\n")
        self.contains(out, "recipient: ann@one.example\n")
        self.contains(out, f"*** MESSAGE CONTENTS deferred/{qid} ***\n")
        self.contains(out, "Subject: 1\n")
        self.true("sender:" not in self.run_tool(
            s, "postcat", "-bq", qid).stdout)

    def test_expired_mail_comes_back_to_its_sender(self):
        s = self.server(maximal_queue_lifetime="0", minimal_backoff_time="1h")
        s.postern("user", "set", "bob@one.example", "--enabled", "yes")
        mark = s.store / ".postern-store"
        mark.rename(s.dir / "aside")
        with s.smtp() as c:
            c.sendmail("ann@one.example", ["bob@one.example"],
                       "Subject: lost\r\n\r\nwhere\r\n")
        s.wait_log("status=expired, returned to sender")
        s.wait_log("sender non-delivery notification: ")
        self.release_store(s)

    def test_a_notification_is_a_proper_report(self):
        s = self.server()
        s.postern("alias", "add", "list@one.example", "bob@one.example",
                  "gone@one.example")
        with s.smtp() as c:
            c.sendmail("ann@one.example", ["list@one.example"],
                       "Subject: to all\r\n\r\nhello\r\n")
        s.wait_messages("bob@one.example", 1)
        text = s.wait_messages("ann@one.example", 1)[0].read_bytes()
        m = email.message_from_bytes(text)
        self.equal(m["Return-Path"], "<>")
        self.equal(m.get_content_type(), "multipart/report")
        self.equal(m.get_param("report-type"), "delivery-status")
        parts = m.get_payload()
        self.equal([p.get_content_type() for p in parts],
                   ["text/plain", "message/delivery-status",
                    "message/rfc822"])
        fields = parts[1].get_payload()
        self.equal(fields[0]["Reporting-MTA"], "dns; mail.test.example")
        self.equal(fields[1]["Final-Recipient"], "rfc822; gone@one.example")
        self.equal(fields[1]["Action"], "failed")
        self.equal(fields[1]["Status"], "5.1.1")
        self.equal(parts[2].get_payload()[0]["Subject"], "to all")

    def test_a_notification_is_never_answered_with_another(self):
        s = self.server()
        s.postern("alias", "add", "dead@one.example", "gone@one.example")
        with s.smtp() as c:
            c.sendmail("", ["dead@one.example"], "Subject: x\r\n\r\nx\r\n")
        s.wait_log("removed")
        self.true("notification" not in s.log_text())
        self.equal(s.queue_files(), [])

    def test_success_is_reported_when_asked_for(self):
        s = self.server()
        self.run_tool(s, "sendmail", "-N", "success", "-V", "abc", "-f",
                      "ann@one.example", "bob@one.example",
                      data="Subject: x\n\nx\n")
        text = s.wait_messages("ann@one.example", 1)[0].read_text()
        self.contains(text, "Action: delivered\n")
        self.contains(text, "Original-Envelope-Id: abc\n")

    def test_showq_speaks_to_monitors(self):
        import socket
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        self.hold_mail(s)
        c = socket.socket(socket.AF_UNIX)
        c.connect(str(s.queue / "public/showq"))
        data = b"".join(iter(lambda: c.recv(65536), b""))
        self.equal(data.count(b"queue_id\0"), 2)
        self.contains(data, b"sender\0x@y.example\0")
        self.contains(data, b"recipient\0bob@one.example\0reason\0")

    def test_rubbish_in_the_queue_is_put_away(self):
        s = self.server()
        s.stop()
        (s.queue / "incoming/0123456789ABCDEF").write_text("rubbish")
        os.chown(s.queue / "incoming/0123456789ABCDEF",
                 *(os.stat(s.queue / "incoming")[4:6]))
        s.start()
        s.wait_log("the file is kept as corrupt/0123456789ABCDEF")
        self.equal([p.name for p in s.queue_files("corrupt")],
                   ["0123456789ABCDEF"])


suite.main()
