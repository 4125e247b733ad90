# SPDX-License-Identifier: BSD-2-Clause
"""Master is killed, and told to use another configuration, while everybody is
in the middle of something (F20, F21)."""
import contextlib
import os
import pathlib
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import faults  # noqa: E402
import suite  # noqa: E402
from away import pids_of, stopped  # noqa: E402


class Master(away.AwayCase):
    def half(self):
        """A transaction that stands in the middle of its message: its number
        and a function that says the rest."""
        n, text = self.ledger.next("x@y.example", away.ANN)
        c = socket.create_connection(("127.0.0.1", self.s.port), timeout=20)
        f = c.makefile("rb")
        f.readline()
        for line in ("HELO c\r\n", "MAIL FROM:<x@y.example>\r\n",
                     "RCPT TO:<ann@one.example>\r\n", "DATA\r\n"):
            c.send(line.encode())
            f.readline()
        c.send(text[:40].encode())

        def rest():
            with contextlib.suppress(OSError):
                c.send((text[40:] + ".\r\n").encode())
                self.ledger.codes[n] = int(f.readline()[:3] or 0)
            c.close()
            return self.ledger.codes[n]

        return rest

    def is_open(self, port):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            return False
        return True

    def test_F20_master_is_killed(self):
        """All its programs end, also those that are stopped; nothing listens
        any more; the next master takes the queue."""
        s = self.server("am", fast_delivery_time="0")
        self.serves_again("the start")
        ports = (s.port, s.submission, s.submissions, s.imap, s.imaps,
                 s.pop3, s.pop3s)
        for i in range(3):
            idle = self.imap()
            idle.select()
            idle.send(b"x IDLE\r\n")
            rest = self.half()
            with stopped(s, "smtp", "local"):
                for _ in range(5):
                    self.equal(self.send(), 250)
                    self.equal(self.relay(), 250)
                children = [pid for pid, _ in faults.children_of(s)]
                os.kill(s.master_pid(), signal.SIGKILL)
                s.running = False
                suite.wait_for(
                    lambda: not any(map(suite.running, children)),
                    "the end of all", 1)
            self.equal(rest(), 0)
            idle.shutdown()
            suite.wait_for(lambda: not any(map(self.is_open, ports)),
                           "the end of all listeners", 1)
            faults.start_again(s)
            self.serves_again("a killed master")
        self.done("F20")

    # --- F21 ----------------------------------------------------------------

    def reload(self, good, **change):
        """Change main.cf, and see that it is taken, or refused."""
        s = self.s
        before = dict(s.settings)
        s.settings.update(change)
        s.write()
        done = s.postern("reload", check=False)
        self.equal(done.returncode == 0, good, done.stderr + done.stdout)
        if not good:
            s.settings = before
            s.write()
        return done

    BAD = ({"qmgr_message_active_limit": "many"}, {"mynetworks": "nonsense/99"},
           {"sandbox_walls": "chinese"}, {"minimal_backoff_time": "0s"})

    def test_F21_reload_in_the_middle(self):
        s = self.server("am")
        session = self.imap()
        session.select()
        session.send(b"x IDLE\r\n")
        self.equal(session.readline()[:1], b"+")
        for change in self.BAD[:1] + self.BAD[3:]:
            rest = self.half()
            self.reload(False, **change)
            self.equal(rest(), 250)
            self.serves_again("a refused reload")
        rest = self.half()
        self.reload(True, smtpd_banner="$myhostname ESMTP other")
        self.equal(rest(), 250)
        with s.smtp() as c:
            self.contains(c.ehlo()[1].decode(), "PIPELINING")
        # The session was there all the time, and heard of all the mail.
        session.send(b"DONE\r\n")
        self.contains(session.readline(), b"EXISTS")
        while not session.readline().startswith(b"x OK"):
            pass
        self.equal(session.noop()[0], "OK")
        session.logout()
        self.done("F21 in the middle")

    def test_F21_reload_under_load(self):
        """Nobody is refused anything, however often it is told."""
        s = self.server("am")
        over = threading.Event()
        wrong, n = [], 0

        def reloads():
            nonlocal n
            while not over.wait(0.2):
                self.reload(True, smtpd_timeout=f"{250 + n % 9}s")
                self.reload(False, **self.BAD[0])
                n += 1

        def guarded():
            try:
                reloads()
            except AssertionError as e:
                wrong.append(e)

        thread = threading.Thread(target=guarded)
        thread.start()
        try:
            end = time.monotonic() + 4
            while time.monotonic() < end:
                self.equal(self.send(), 250)
                self.equal(self.relay(), 250)
                code = self.submit()
                self.equal(code, 0, self.said)
                self.equal(self.login_refusal(), "")
                self.equal(self.auth(), 235)
        finally:
            over.set()
            thread.join()
        self.equal(wrong, [])
        print(f"{n} good reloads and as many bad ones")
        self.true(n > 5, n)
        self.done("F21 under load")

    def test_F21_a_program_that_hangs(self):
        """It keeps the others from a new configuration for a moment only, and
        what it says too late is not taken for its word on the next one."""
        s = self.server("am", reload_timeout="1s")
        for program in ("qmgr", "keyd", "notify"):
            with stopped(s, program):
                for _ in range(2):
                    done = self.reload(False, smtpd_timeout="99s")
                    self.contains(done.stderr, f"{program} did not answer")
                self.equal(self.send(), 250)
            self.reload(False, **self.BAD[0])
            self.reload(True, smtpd_timeout="100s")
            self.serves_again(f"a stopped {program}")
        self.done("F21 hangs")

    def test_F20_a_stop_ends_what_hangs(self):
        """Programs that do not run do not keep master from stopping."""
        s = self.server("am", stop_timeout="1s")
        self.serves_again("the start")
        pids = pids_of(s, "qmgr", "authd", "login", "local")
        away.strike(pids, signal.SIGSTOP)
        begin = time.monotonic()
        s.stop()
        self.true(time.monotonic() - begin < 8, "the stop takes long")
        suite.wait_for(lambda: not any(map(suite.running, pids)),
                       "the end of all", 1)
        faults.start_again(s)
        self.serves_again("a stop")
        self.done("F20 stop")


suite.main()
