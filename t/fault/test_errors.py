# SPDX-License-Identifier: BSD-2-Clause
"""F5 to F9, F23: the system says no. Each system call of the mail path fails
in turn (strace -e inject, from outside), once and for as long as it lasts, with
each error it may have, while a message passes. Then: what was answered 250 is
in the mailbox once, byte for byte; what was not is there at most once; and the
suite serves again."""
import concurrent.futures
import contextlib
import os
import pathlib
import smtplib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import errors  # noqa: E402
import faults  # noqa: E402
import suite  # noqa: E402

ANN = "ann@one.example"
# A call fails once, or for as long as it lasts. POSTERN_LONG=1: each way in
# each test, and the first call is spared too.
LONG = ("1", "1+", "2", "2+") if suite.LONG else None


class Errors(suite.Case):
    def send(self, s, number):
        """The last reply's code; 0 when the connection was lost."""
        try:
            with smtplib.SMTP("127.0.0.1", s.port, "c.example",
                              timeout=3) as c:
                c.sendmail("out@x.example", [ANN], self.text(number))
            return 250
        except smtplib.SMTPRecipientsRefused as e:
            return e.recipients[ANN][0]
        except smtplib.SMTPResponseException as e:
            return e.smtp_code
        except (OSError, smtplib.SMTPException):
            return 0

    @staticmethod
    def text(number):
        return (f"Subject: fault {number}\r\n\r\n" + 40 * f"{number:070d}\r\n"
                + "end\r\n")

    def copies(self, s, number):
        """How many there are; each must be whole."""
        mark = f"Subject: fault {number}\r\n".encode()
        found = [p.read_bytes() for p in s.messages(ANN)]
        found = [t for t in found if mark in t]
        for t in found:
            self.true(t.endswith(self.text(number).encode()), t[-200:])
        return len(found)

    def serves(self, s, number):
        """Within five seconds a message is accepted again and arrives."""
        end = time.monotonic() + 5
        while self.send(s, number) != 250:
            self.true(time.monotonic() < end, "no service after 5 s")
        suite.wait_for(lambda: self.copies(s, number), "the next message")

    def settle(self, s):
        def empty():
            subprocess.run([s.bin / "postqueue", "-c", s.conf, "-f"],
                           capture_output=True)
            return not s.queue_files()

        suite.wait_for(empty, "an empty queue")

    def run_all(self, s, counts, programs, whens):
        number = 0
        for program, calls in programs.items():
            for call, names in calls.items():
                for error in names.split():
                    for when in dict.fromkeys(
                            w.rstrip("+") if error in errors.PASSING else w
                            for w in LONG or whens):
                        number += 1
                        what = f"{program} {call} {error} when={when}"
                        try:
                            counts.append((what, self.one(
                                s, number, program, call, error, when)))
                        except AssertionError as e:
                            raise AssertionError(f"{what}: {e}") from e

    def one(self, s, number, program, call, error, when):
        injector = errors.Injector(
            s, call, error, when,
            [p for p, name, _, _ in s.processes() if name == program])
        try:
            code = self.send(s, number)
        finally:
            injected = injector.stop()
        if program == "cleanup" and call in ("fsync", "linkat") and \
                when == "1+" and injected:
            self.true(code in (451, 452), f"acknowledged with {code}, and not "
                      "durable")
        self.serves(s, 100000 + number)
        self.settle(s)
        copies = self.copies(s, number)
        self.true(copies == 1 or (code != 250 and copies == 0),
                  f"answered {code}, found {copies}")
        for p in s.messages(ANN):
            p.unlink()
        return injected

    def drill(self, whens, programs=errors.MAIL_PATH, planted=None, least=50,
              **settings):
        s = self.instance("er").mail()
        if planted:
            faults.with_planted(s, planted)
        s.settings.update({
            "minimal_backoff_time": "1s", "maximal_backoff_time": "1s",
            "service_throttle_time": "1s", "smtpd_error_sleep_time": "0",
            **errors.SETTINGS, **settings})
        s.start().add_users(ANN)
        self.serves(s, 0)
        counts = []
        self.run_all(s, counts, programs, whens)
        hit = [c for c in counts if c[1] > 0]
        print(f"{len(counts)} faults, {len(hit)} of them met a call, "
              f"{sum(c[1] for c in counts)} calls failed")
        self.true(len(hit) >= least, len(hit))
        for line in s.log_text().splitlines():
            self.true("kept as corrupt" not in line, line)

    def test_a_planted_deafness_is_found(self):
        found = False
        try:
            self.drill(("1+",), {"cleanup": {"fsync": "EIO"}},
                       ("cleanup", "deaf_sync"), 1, fast_delivery_time="0")
        except AssertionError as e:
            self.contains(str(e), "cleanup fsync EIO when=1+: "
                          "acknowledged with 250, and not durable")
            found = True
        self.true(found, "an answer before the disk's was not seen")

    def test_F5_delivered_first(self):
        self.drill(("1",))

    def test_F5_queued_first(self):
        self.drill(("1+",), fast_delivery_time="0")

    def greeted(self, port):
        with socket.create_connection(("127.0.0.1", port),
                                      suite.DEADLINE) as c:
            return c.recv(100) != b""

    def test_F8_no_descriptor_is_left(self):
        """Who cannot accept looks for the connection again, but not all the
        time, and takes it when there is room."""
        s = self.instance("er").mail().tls()
        s.settings.update(errors.SETTINGS)
        s.start().add_users(ANN)

        def command(*args):
            return lambda: subprocess.run(
                [s.bin / args[0], "-c", s.conf, *args[1:]], check=True,
                capture_output=True, timeout=suite.DEADLINE)

        asks = {
            "smtpd": lambda: self.greeted(s.port),
            "login": lambda: self.greeted(s.imap),
            "qmgr": command("postqueue", "-p"),
            "authd": command("postern", "user", "list"),
            "logd": command("postlog", "text"),
            "master": command("postern", "status"),
        }
        for program, ask in asks.items():
            pids = [p for p, name in faults.children_of(s)
                    if name == program] or [s.master_pid()]
            self.spares(s, program, pids, ask)

    def spares(self, s, program, pids, ask):
        def tries():
            return [line for line in s.log_text().splitlines()
                    if line.endswith("cannot accept a connection: "
                                     "Too many open files")
                    and any(f"[{pid}]" in line for pid in pids)]

        injector = errors.Injector(s, "accept4", "EMFILE", "1+", pids)
        with (concurrent.futures.ThreadPoolExecutor() as pool,
              contextlib.ExitStack() as stack):
            stack.callback(injector.stop)
            answer = pool.submit(ask)
            suite.wait_for(tries, f"{program} to try")
            begin, had = time.monotonic(), sum(map(away.cpu, pids))
            suite.wait_for(lambda: len(tries()) > 1, f"{program} to try again")
            spent = time.monotonic() - begin
            used = sum(map(away.cpu, pids)) - had
            self.true(len(tries()) <= 2 + spent * len(pids),
                      f"{program}: {len(tries())} tries in {spent:.1f} s")
            self.true(used <= 0.05 * spent + 0.01,
                      f"{program}: {used:.2f} s in {spent:.1f} s")
        self.true(answer.result(), program)


suite.main()
