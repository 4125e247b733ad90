# SPDX-License-Identifier: BSD-2-Clause
"""The fast path: delivered before the answer, and no queue file is made."""
import os
import pathlib
import signal
import smtplib
import threading

import suite

ANN, BOB = "ann@one.example", "bob@one.example"
TEXT = "Subject: hello\r\n\r\nline one\r\n"


class FastPath(suite.Case):
    def server(self, patience="20s", **settings):
        s = self.instance("fp").mail()
        s.settings["fast_delivery_time"] = patience
        s.settings["minimal_backoff_time"] = "1s"
        s.settings["maximal_backoff_time"] = "1s"
        s.settings.update(settings)
        s.start().add_users(ANN, BOB)
        return s

    def linked(self, s):
        """Changes whenever a name appears in incoming/ or goes from it."""
        return (s.queue / "incoming").stat().st_mtime_ns

    def send(self, s, *to, **options):
        with s.smtp() as c:
            c.sendmail("out@other.example", to or [ANN], TEXT, **options)

    def begin(self, s):
        """Send one message from another thread; answers its outcome."""
        result = []

        def run():
            try:
                self.send(s)
                result.append(250)
            except smtplib.SMTPResponseException as e:
                result.append(e.smtp_code)
            except (smtplib.SMTPException, OSError):
                result.append(0)

        thread = threading.Thread(target=run)
        thread.start()

        def outcome():
            thread.join(suite.DEADLINE)
            return result[0]
        return outcome

    def stop_local(self, s):
        """Stop the program that delivers, and wait until it has a message.
        It is warm: the first message was its."""
        self.send(s)
        s.wait_messages(ANN, 1)
        pid = s.pid_of("local")
        os.kill(pid, signal.SIGSTOP)
        return pid

    def only(self, s, count):
        """ANN has just `count` messages, and nothing is left to be done."""
        s.wait_messages(ANN, count)
        suite.wait_for(lambda: not s.queue_files(), "an empty queue")
        self.equal(len(s.messages(ANN)), count)

    def test_no_queue_file_is_made(self):
        s = self.server()
        before = self.linked(s)
        self.send(s)
        self.send(s, ANN, BOB)
        self.equal(len(s.messages(ANN)), 2)  # before the answer
        self.equal(len(s.messages(BOB)), 1)
        self.equal(self.linked(s), before)
        self.contains(s.log_text(), "removed")

    def test_it_can_be_turned_off(self):
        s = self.server(patience="0")
        before = self.linked(s)
        self.send(s)
        self.only(s, 1)
        self.true(self.linked(s) != before)

    def test_who_wants_a_receipt_is_queued(self):
        s = self.server()
        with s.smtp() as c:
            c.ehlo()
            c.mail(BOB)
            c.rcpt(ANN, ["NOTIFY=SUCCESS"])
            c.data(TEXT)
        self.only(s, 1)
        receipt = s.wait_messages(BOB, 1)[0].read_text()
        self.contains(receipt, "Action: delivered")

    def test_what_is_not_delivered_is_queued(self):
        s = self.server()
        self.send(s, ANN, BOB)
        new = s.maildir(BOB) / "new"
        aside = new.with_name("aside")
        new.rename(aside)
        new.write_text("in the way")
        before = self.linked(s)
        self.send(s, ANN, BOB)
        self.equal(len(s.messages(ANN)), 2)
        self.true(self.linked(s) != before)
        s.wait_log(f"to=<{BOB}>, relay=local", 2)
        self.contains(s.wait_log("status=deferred")[0], BOB)
        new.unlink()
        aside.rename(new)
        suite.wait_for(lambda: not s.queue_files(), "an empty queue")
        self.equal((len(s.messages(ANN)), len(s.messages(BOB))), (2, 2))

    @suite.not_watched("the first delivery may take longer than is waited")
    def test_a_slow_delivery_is_queued_and_done_once(self):
        s = self.server(patience="1s")
        pid = self.stop_local(s)
        self.send(s)
        self.equal(len(s.queue_files("incoming")), 1)
        os.kill(pid, signal.SIGCONT)
        self.only(s, 2)

    @suite.not_watched("the first delivery may take longer than is waited")
    def test_a_hanging_qmgr_does_not_hang_the_client(self):
        s = self.server(patience="1s")
        self.send(s)
        pid = s.pid_of("qmgr")
        os.kill(pid, signal.SIGSTOP)
        self.send(s)
        self.equal(len(s.queue_files("incoming")), 1)
        os.kill(pid, signal.SIGCONT)
        self.only(s, 2)

    def test_qmgr_dies_while_it_is_delivered(self):
        s = self.server()
        pid = self.stop_local(s)
        outcome = self.begin(s)
        s.wait_log("(queue active)", 2)
        os.kill(s.pid_of("qmgr"), signal.SIGKILL)
        self.equal(outcome(), 250)
        os.kill(pid, signal.SIGCONT)
        self.only(s, 2)

    def test_cleanup_dies_while_it_is_delivered(self):
        s = self.server()
        pid = self.stop_local(s)
        outcome = self.begin(s)
        s.wait_log("(queue active)", 2)
        for cleanup, program, _, _ in s.processes():
            if program == "cleanup":
                os.kill(cleanup, signal.SIGKILL)
        self.true(outcome() != 250, "nothing was promised")
        os.kill(pid, signal.SIGCONT)
        self.only(s, 2)  # it was on its way already
        self.send(s)
        self.only(s, 3)

    def test_what_nobody_was_promised_is_forgotten(self):
        s = self.server()
        pid = self.stop_local(s)
        outcome = self.begin(s)
        s.wait_log("(queue active)", 2)
        for cleanup, program, _, _ in s.processes():
            if program == "cleanup":
                os.kill(cleanup, signal.SIGKILL)
        self.true(outcome() != 250)
        os.kill(pid, signal.SIGKILL)
        s.wait_log("not queued: its client went away before that")
        self.send(s)
        self.only(s, 2)

    def test_local_dies_while_it_delivers(self):
        s = self.server()
        pid = self.stop_local(s)
        outcome = self.begin(s)
        s.wait_log("(queue active)", 2)
        os.kill(pid, signal.SIGKILL)
        self.equal(outcome(), 250)
        self.only(s, 2)

    def test_agents_are_renewed_by_a_reload(self):
        s = self.server()
        self.send(s)
        pid = s.pid_of("local")
        self.true(pathlib.Path(f"/proc/{pid}").exists())
        s.postern("reload")
        self.send(s)
        self.only(s, 2)
        suite.wait_for(lambda: s.pid_of("local") != pid, "a new local")


suite.main()
