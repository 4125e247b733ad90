# SPDX-License-Identifier: BSD-2-Clause
"""F5 to F9, F23: the system says no. Each system call of the mail path fails
in turn (strace -e inject, from outside), once and for as long as it lasts, with
each error it may have, while a message passes. Then: what was answered 250 is
in the mailbox once, byte for byte; what was not is there at most once; and the
suite serves again."""
import os
import pathlib
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
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


suite.main()
