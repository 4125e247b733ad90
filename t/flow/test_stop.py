# SPDX-License-Identifier: BSD-2-Clause
"""All stops: each client hears so between two of its commands, with a word of
its protocol, and nobody waits for those who only idle."""
import contextlib
import socket
import subprocess
import threading

import peers
import suite
from test_login import Line

ANN = "ann@one.example"


class Undecided(dict):
    """A server's replies: a message has its answer when the test says so."""

    def __init__(self):
        super().__init__()
        self.asked, self.decided = threading.Event(), threading.Event()

    def get(self, key, default=None):
        if key == ".":
            self.asked.set()
            self.decided.wait(suite.DEADLINE)
        return super().get(key, default)


class Stop(suite.Case):
    def server(self):
        s = self.instance("so").mail().tls()
        s.settings["stop_timeout"] = "1h"  # who is waited for is seen
        return s.start().add_users(ANN)

    def clear(self, port):
        c = Line(socket.create_connection(("127.0.0.1", port),
                                          timeout=suite.DEADLINE))
        c.read()
        return c

    def tls(self, s, port, *said):
        """A connection in TLS on which was said what stands before each
        colon and answered by what stands behind it."""
        c = Line(s.connect_tls(port))
        c.read()
        for one in said:
            command, _, end = one.partition(": ")
            c.say(command)
            c.until(end)
        return c

    @contextlib.contextmanager
    def stopping(self, s):
        """Stop the instance; what is inside is done meanwhile."""
        p = subprocess.Popen([s.bin / "postern", "-c", s.conf, "stop"])
        s.wait_log("terminating by request")
        yield
        self.equal(p.wait(suite.DEADLINE), 0)
        s.running = False
        self.equal("did not end" in s.log_text(), False, s.log_text())

    def says(self, c, start):
        line = c.read()
        self.true(line.startswith(start), line)
        self.equal(c.read(), "", "the connection's end")

    def test_idle_clients_hear_it_and_are_not_waited_for(self):
        s = self.server()
        login = f"a LOGIN {ANN} secret: a OK"
        bye, err = "* BYE The server is shutting down", "-ERR "
        busy = "421 4.3.2 mail.test.example Error: the server is shutting down"
        pop3 = (f"USER {ANN}: +OK", "PASS secret: +OK")
        clients = [
            (self.clear(s.port), busy),
            (self.tls(s, s.submissions, "EHLO x: 250 "), busy),
            (self.clear(s.imap), bye),
            (self.tls(s, s.imaps), bye),
            (self.tls(s, s.imaps, login), bye),
            (self.tls(s, s.imaps, login, "b SELECT INBOX: b OK"), bye),
            (self.clear(s.pop3), err),
            (self.tls(s, s.pop3s, *pop3), err),
        ]
        idler = self.tls(s, s.imaps, login, "b SELECT INBOX: b OK",
                         "c IDLE: +")
        with self.stopping(s):
            for client, word in clients:
                self.says(client, word)
            self.equal(idler.read(), "c OK Idle ended.")
            self.says(idler, bye)

    def test_a_message_on_its_way_is_taken_and_kept(self):
        s = self.server()
        c = self.clear(s.port)
        for command, answer in (("EHLO x", "250 "), ("MAIL FROM:<>", "250 "),
                                (f"RCPT TO:<{ANN}>", "250 "),
                                ("DATA", "354 ")):
            c.say(command)
            c.until(answer)
        with self.stopping(s):
            c.say("Subject: late\r\n\r\ntext\r\n.")
            c.until("250 ")
            self.says(c, "421 4.3.2 ")
        s.start()
        s.wait_messages(ANN, 1)

    def test_a_delivery_on_its_way_ends_and_no_other_begins(self):
        replies = Undecided()
        sink = peers.Sink(replies=replies)
        s = self.instance("so").mail()
        s.rows.append("smtp unix - - - - - smtp")
        s.settings.update(relayhost=f"[127.0.0.1]:{sink.port}",
                          default_destination_concurrency_limit="1",
                          stop_timeout="1h", fast_delivery_time="0")
        s.start().add_users(ANN)
        bobs = [f"bob{i}@far.example" for i in range(3)]
        with s.smtp() as c:
            c.sendmail(ANN, [bobs[0]], b"Subject: 0\r\n\r\n")
            self.true(replies.asked.wait(suite.DEADLINE))
            c.sendmail(ANN, [bobs[1]], b"Subject: 1\r\n\r\n")
            c.sendmail(ANN, [bobs[2], ANN], b"Subject: 2\r\n\r\n")
        s.wait_log("status=sent")
        with self.stopping(s):
            replies.decided.set()
        self.equal(len(sink.messages), 1)
        self.equal(s.log_text().count("status=deferred"), 0)
        s.start()
        s.wait_log("removed", 3)
        self.equal(sorted(rcpts for _, [rcpts], _ in sink.messages),
                   [f"RCPT TO:<{bob}>" for bob in bobs])
        self.equal(len(s.messages(ANN)), 1)
        self.equal(s.log_text().count(f"to=<{ANN}>"), 1)
        sink.close()

    def test_a_literal_on_its_way_is_taken_and_kept(self):
        s = self.server()
        c = self.tls(s, s.imaps, f"a LOGIN {ANN} secret: a OK",
                     "b APPEND INBOX {12}: +")
        with self.stopping(s):
            c.say("A: b\r\n\r\nabcd")
            c.until("b OK")
            self.says(c, "* BYE ")
        self.equal(len(s.messages(ANN)), 1)

    def test_without_quit_pop3_deletes_nothing(self):
        s = self.server()
        with s.smtp() as c:
            c.sendmail("x@y.example", [ANN], b"Subject: one\r\n\r\n")
        s.wait_messages(ANN, 1)
        c = self.tls(s, s.pop3s, f"USER {ANN}: +OK", "PASS secret: +OK",
                     "DELE 1: +OK")
        with self.stopping(s):
            self.says(c, "-ERR [SYS/TEMP] ")
        self.equal(len(s.messages(ANN)), 1)

    def test_those_of_an_earlier_reload_hear_it_too(self):
        s = self.server()
        clients = [self.clear(s.port),
                   self.tls(s, s.imaps, f"a LOGIN {ANN} secret: a OK")]
        s.settings["smtpd_banner"] = "$myhostname new"
        s.write()
        s.postern("reload")
        self.contains(self.clear_greeting(s), "new")
        for c, command, answer in ((clients[0], "NOOP", "250 "),
                                   (clients[1], "b NOOP", "b OK")):
            c.say(command)  # a reload sends nobody away
            c.until(answer)
        with self.stopping(s):
            self.says(clients[0], "421 ")
            self.says(clients[1], "* BYE ")

    def clear_greeting(self, s):
        with socket.create_connection(("127.0.0.1", s.port)) as c:
            return Line(c).read()


if __name__ == "__main__":
    suite.main()
