# SPDX-License-Identifier: BSD-2-Clause
"""Each program that others need is stopped, hangs, is killed again and again
or by the want of memory, and DNS, the log and the ways between programs fail
(F10, F13 to F16, F23). What is told to clients meanwhile is asserted: what
cannot be looked up is put off, never refused; nothing is sent in clear for want
of a key; and the invariant of away.py holds."""
import contextlib
import imaplib
import os
import pathlib
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import faults  # noqa: E402
import suite  # noqa: E402
from away import pids_of, stopped  # noqa: E402

MEMORY = pathlib.Path("/sys/fs/cgroup/memory")


class Away(away.AwayCase):
    def within(self, seconds, what):
        self.true(self.took < seconds, f"{what} took {self.took:.1f} s")

    # --- F14: authd ---------------------------------------------------------

    def hangs(self):
        """authd does not answer: everybody is told to come later, within the
        times of the parameters; who comes next need not wait for it."""
        with stopped(self.s, "authd"):
            self.equal(self.send(), 451)
            self.within(4, "the first answer without authd")
            for _ in range(3):
                self.equal(self.send(), 451)
                self.equal(self.relay(), 451)
            self.within(0.9, "the next answer without authd")
            self.equal(self.auth(), 454)
            self.contains(self.login_refusal(), "UNAVAILABLE")
            self.equal(self.submit(), 75)

    def test_F14_authd_hangs(self):
        self.server()
        session = self.imap()
        self.hangs()
        self.serves_again("a stopped authd")
        self.equal(session.noop()[0], "OK")
        session.logout()
        self.done("F14 hangs")

    def test_F14_authd_hangs_while_mail_is_queued(self):
        """What was accepted before waits, though its route is asked for
        again; nobody is told that the recipient is unknown."""
        s = self.server(fast_delivery_time="0")
        with stopped(s, "qmgr"):
            self.equal(self.send(), 250)
        suite.wait_for(lambda: s.messages(away.ANN), "the first message")
        with stopped(s, "local", "smtp"):
            self.equal(self.relay(), 250)
            self.equal(self.send(), 250)
            with stopped(s, "authd", "mapd"):
                away.strike(pids_of(s, "qmgr"), signal.SIGKILL)
                suite.wait_for(lambda: pids_of(s, "qmgr"), "another qmgr")
                subprocess.run([s.bin / "postqueue", "-c", s.conf, "-f"],
                               capture_output=True)
                s.wait_log("using the old routes")
        self.serves_again("authd and mapd")
        self.done("F14 hangs with a queue")

    def test_F14_authd_is_killed_in_a_loop(self):
        s = self.server()
        over = threading.Event()

        def killer():
            while not over.wait(0.02):
                away.strike(pids_of(s, "authd"), signal.SIGKILL)

        thread = threading.Thread(target=killer)
        thread.start()
        try:
            codes = {self.send() for _ in range(40)}
            codes |= {self.relay() for _ in range(10)}
            auth = {self.auth() for _ in range(5)}
        finally:
            over.set()
            thread.join()
        self.true(codes <= {250, 451}, codes)
        self.true(auth <= {235, 454}, auth)
        self.serves_again("authd was killed in a loop")
        self.done("F14 killed")

    # --- F15: keyd ----------------------------------------------------------

    def refuses_tls(self):
        """A new client gets no TLS, and none gets on without it."""
        with contextlib.suppress(OSError, ssl.SSLError):
            self.s.connect_tls(self.s.imaps, "localhost").close()
            raise AssertionError("IMAPS without keyd")
        with smtplib.SMTP("127.0.0.1", self.s.submission, "c.example",
                          timeout=20) as c:
            c.ehlo()
            code = c.docmd("STARTTLS")[0]
            self.true(code in (220, 454), code)
            if code == 454:
                self.equal(c.docmd("AUTH", "PLAIN AGEAYg==")[0], 530)
                self.equal(c.docmd("MAIL", "FROM:<ann@one.example>")[0], 530)
                return
            with contextlib.suppress(OSError, ssl.SSLError):
                self.s.context().wrap_socket(c.sock,
                                             server_hostname="localhost")
                raise AssertionError("STARTTLS without keyd")

    def test_F15_keyd_hangs(self):
        s = self.server()
        session = self.imap()
        with stopped(s, "keyd"):
            for _ in range(3):
                self.refuses_tls()
            begin = time.monotonic()
            for _ in range(20):
                self.equal(session.noop()[0], "OK")
            self.true(time.monotonic() - begin < 1.5, "the session stalls")
            self.equal(self.send(), 250)
        self.serves_again("a stopped keyd")
        away.strike(pids_of(s, "keyd"), signal.SIGKILL)
        self.serves_again("a killed keyd")
        session.logout()
        self.done("F15")

    def test_F15_login_notices_a_new_keyd(self):
        """Its end is seen by login, not by the next client: who is offered
        TLS gets it."""
        s = self.server()
        self.equal(self.login_refusal(), "")
        for i in range(3):
            away.strike(pids_of(s, "keyd"), signal.SIGKILL)
            s.wait_log("service keyd pid", i + 1)
            suite.wait_for(self.offers_tls, "STARTTLS")
            c = imaplib.IMAP4("127.0.0.1", s.imap, timeout=20)
            c.host = "localhost"
            self.equal(c.starttls(s.context())[0], "OK")
            c.logout()

    def offers_tls(self):
        with socket.create_connection(("127.0.0.1", self.s.imap),
                                      timeout=20) as c:
            return b"STARTTLS" in c.recv(1000)

    # --- the others ---------------------------------------------------------

    def test_each_of_the_others_hangs(self):
        """What a client is told while one program does not run: (to a local
        recipient, to another site)."""
        expected = {"mapd": ({451}, {451}), "qmgr": ({250}, {250}),
                    "cleanup": ({250, 451}, {250, 451}),
                    "local": ({250}, {250}), "smtp": ({250}, {250}),
                    "notify": ({250}, {250}), "dnsd": ({250}, {250})}
        s = self.server()
        self.serves_again("the start")
        for program, (local, far) in expected.items():
            with stopped(s, program):
                for _ in range(2):
                    code = self.send()
                    self.true(code in local, f"{program}: {code}")
                    self.within(5, program)
                    code = self.relay()
                    self.true(code in far, f"{program}: {code}")
                    self.within(5, program)
                self.equal(self.auth(), 235, program)
                self.equal(self.login_refusal(), "", program)
            self.serves_again(f"a stopped {program}")
            self.settled()
        self.done("each hangs")

    def test_bounce_hangs(self):
        """The sender is told when it can be done: later, and not never."""
        s = self.server()
        with smtplib.SMTP("127.0.0.1", s.port) as c:
            c.sendmail(away.ANN, ["no@far.example"], "Subject: a\r\n\r\na\r\n")
        s.wait_messages(away.ANN, 1)
        with stopped(s, "bounce"):
            with smtplib.SMTP("127.0.0.1", s.port) as c:
                c.sendmail(away.ANN, ["no@far.example"],
                           "Subject: b\r\n\r\nb\r\n")
            s.wait_log("bounce did not answer for 4 seconds")
        faults.drain(s)
        s.wait_messages(away.ANN, 2)

    # --- F10: memory --------------------------------------------------------

    def ends_for_want_of_memory(self, group, program):
        """How it ended: by the kernel's hand when it wants memory that its
        group has not, or by ours when its work needed none."""
        s = self.s
        pids = pids_of(s, program)
        for pid in pids:
            (group / "cgroup.procs").write_text(str(pid))
        before = set(pids)
        for _ in range(5):
            self.send()
            self.relay()
            if any(not suite.running(p) for p in before):
                return "memory"
        away.strike(before, signal.SIGKILL)
        return "a signal"

    def outage(self):
        begin = time.monotonic()
        while self.send() != 250:
            self.true(time.monotonic() - begin < faults.SERVES_AGAIN,
                      "no service")
        return time.monotonic() - begin

    def test_F10_memory_runs_out(self):
        programs = ("smtpd", "cleanup", "qmgr", "local", "mapd", "authd",
                    "logd", "smtp", "dnsd", "notify", "login", "keyd")
        s = self.server(service_throttle_time="60s")
        self.serves_again("the start")
        group = MEMORY / f"postern-{os.getpid()}"
        can = os.access(MEMORY, os.W_OK) and os.geteuid() == 0
        if can:
            group.mkdir()
            (group / "memory.limit_in_bytes").write_text("4096")
        else:
            print("memory groups need root and cgroup v1: SIGKILL instead")
        try:
            how = {}
            for program in programs:
                self.true(pids_of(s, program), f"no {program}")
                if can:
                    how[program] = self.ends_for_want_of_memory(group, program)
                else:
                    away.strike(pids_of(s, program), signal.SIGKILL)
                seconds = self.outage()
                self.true(seconds < 1, f"{program}: away {seconds:.2f} s")
                self.serves_again(f"the end of {program}")
        finally:
            if can:
                for pid in (group / "cgroup.procs").read_text().split():
                    away.strike([int(pid)], signal.SIGKILL)
                suite.wait_for(
                    lambda: not (group / "cgroup.procs").read_text(),
                    "an empty group")
                group.rmdir()
        by = list(how.values()).count("memory")
        self.true(not can or by >= 3, how)
        print(f"{by} of {len(programs)} ended by the want of memory")
        self.done("F10")

    # --- F13: DNS -----------------------------------------------------------

    def deferred(self, reason):
        """A message to another site waits, and it is said why."""
        s = self.s
        self.equal(self.relay(), 250)
        text = suite.wait_for(lambda: self.mailq(reason), f"{reason} in mailq")
        self.contains(text, "yes@far.example")

    def mailq(self, word):
        out = subprocess.run([self.s.bin / "postqueue", "-c", self.s.conf,
                              "-p"], capture_output=True, text=True).stdout
        return out if word in out else None

    def test_F13_dns_fails(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h")
        right = s.dns.answer
        late = []

        def slow(data):
            late.append(1)
            time.sleep(1.5)
            return right(data)

        ways = {
            "silent": lambda data: None,
            "servfail": lambda data: data[:2] + b"\x81\x82" + data[4:],
            "refused": lambda data: data[:2] + b"\x81\x85" + data[4:],
            "another id": lambda data: bytes([data[0] ^ 1]) + right(data)[1:],
            "cut short": lambda data: right(data)[:20],
            "rubbish": lambda data: data[:2] + os.urandom(60),
            "another question": lambda data: right(data).replace(
                b"far", b"fax"),
            "slow": slow,
        }
        for way, answer in ways.items():
            s.dns.answer = answer
            self.deferred("far.example")
            s.dns.answer = right
            self.settled()
        for how in ("hang", "die"):
            with stopped(s, "dnsd"):
                if how == "hang":
                    self.deferred("far.example")
                else:
                    self.equal(self.relay(), 250)
                    away.strike(pids_of(s, "dnsd"), signal.SIGKILL)
            self.settled()
        for line in s.log_text().splitlines():
            self.true("status=bounced" not in line, line)
        self.done("F13")

    # --- F16: the log -------------------------------------------------------

    def test_F16_logd_hangs(self):
        """Mail flows; what the log lost is counted in it."""
        s = self.server()
        with stopped(s, "logd"):
            for _ in range(150):
                self.equal(self.send(), 250)
                self.within(2, "mail without a log")
        self.serves_again("a stopped logd")
        for _ in range(5):  # whoever lost lines says so with his next one
            self.equal(self.send(), 250)
        s.wait_log("log lines were lost")
        self.done("F16 logd hangs")

    def test_F16_the_log_cannot_be_written(self):
        if os.geteuid() != 0:
            print("a full disk needs root: skipped")
            return
        place = None

        def prepare(s):
            nonlocal place
            place = s.dir / "small"
            place.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755",
                            "none", place], check=True)
            s.log = place / "log"
            s.settings["maillog_file"] = s.log

        try:
            s = self.server(prepare=prepare)
            with open(place / "big", "wb", buffering=0) as f:
                with contextlib.suppress(OSError):
                    while True:
                        f.write(b"x" * 4096)
            for _ in range(30):
                self.equal(self.send(), 250)
                self.within(2, "mail with a full log")
            (place / "big").unlink()
            self.serves_again("a full log")
            s.wait_log("status=sent", 30)  # they were held
            s.log.rename(place / "old")
            s.log.mkdir()
            s.postern("reload", check=False)
            self.serves_again("a log that is a directory")
            s.log.rmdir()
            s.postern("reload")
            self.serves_again("a log that is none")
            self.done("F16 unwritable")
        finally:
            self.s.stop()
            subprocess.run(["umount", "-l", place], check=False)

    # --- F23: slow ways -----------------------------------------------------

    def test_F23_each_way_is_slow(self):
        """Every third message between programs takes 120 ms longer, in one
        program after the other and in all: slower, and nothing else."""
        if subprocess.run(["strace", "-V"], capture_output=True).returncode:
            raise AssertionError("strace is missing")
        s = self.server(ipc_timeout="20s", fast_delivery_time="5s")
        self.serves_again("the start")
        every = ("smtpd", "cleanup", "qmgr", "local", "mapd", "authd",
                 "smtp", "dnsd", "login", "keyd", "logd")
        for programs in [(p,) for p in every[:5]] + [every]:
            with away.Delays(s, programs, "sendmsg,recvmsg", 120, 3):
                self.equal(self.send(), 250, programs)
                self.equal(self.relay(), 250, programs)
                self.true(self.took < 10, "a hang")
                self.equal(self.auth(), 235, programs)
                self.equal(self.login_refusal(), "", programs)
        self.serves_again("delays")
        self.done("F23")

    # --- does it see anything? ----------------------------------------------

    def test_a_planted_refusal_is_found(self):
        """A mapd that takes a silent authd's answer for "unknown"."""
        self.server(fault=("mapd", "silence_is_no"))
        try:
            self.hangs()
        except AssertionError as e:
            self.contains(str(e), "550 is not 451")
            return
        raise AssertionError("a refusal for want of an answer was not seen")


suite.main()
