# SPDX-License-Identifier: BSD-2-Clause
"""The queue's tools, sendmail, and notifications."""
import email
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
            c.sendmail("x@y.example", ["ann@one.example"], "Subject: 1\r\n\r\n1")
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
