# SPDX-License-Identifier: BSD-2-Clause
"""In place of each program in turn there is one that answers rubbish, closes
its channels, or ends as soon as it is started (F10, F14); and programs are
killed, or started again and again, while the others work."""
import contextlib
import pathlib
import signal
import smtplib
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import suite  # noqa: E402
from away import pids_of, replaced  # noqa: E402

KINDS = ("closes", "babbles", "echoes", "halves", "exits")
LATER = {451}
TAKEN = {250}
NO_TLS = (OSError, ssl.SSLError, smtplib.SMTPException)


class Mad(away.AwayCase):
    def probe(self, program, kind, mail=TAKEN, auth=235):
        """What clients are told while `program` is mad."""
        what = f"{program} {kind}"
        with replaced(self.s, program, kind):
            for send in (self.send, self.relay):
                code = send()
                self.true(code in mail, f"{what}: {code}")
                self.true(self.took < 5, f"{what}: {self.took:.1f} s")
            if auth is None:
                self.no_tls(what)
            else:
                self.equal(self.auth(), auth, what)
                refusal = self.login_refusal()
                self.true(("UNAVAILABLE" in refusal) == (auth != 235),
                          f"{what}: {refusal}")
            self.equal(self.submit(), 0 if mail is TAKEN else 75, what)
        self.serves_again(what)
        self.settled()

    def no_tls(self, what):
        for use in (self.auth, self.login_refusal):
            try:
                use()
            except NO_TLS:
                continue
            raise AssertionError(f"{what}: TLS without a key")

    def go_mad(self, *programs, **expected):
        self.server("am")
        self.serves_again("the start")
        for program in programs:
            for kind in KINDS:
                self.probe(program, kind, **expected)
        self.done(", ".join(programs))

    def test_F14_authd(self):
        self.go_mad("authd", mail=LATER, auth=454)

    def test_F15_keyd(self):
        self.go_mad("keyd", auth=None)

    def test_those_that_mail_needs(self):
        self.go_mad("mapd", "cleanup", mail=LATER)

    def test_those_that_mail_can_do_without(self):
        self.go_mad("qmgr", "local", "smtp", "dnsd", "notify", "logd")

    def test_bounce(self):
        """A sender is told once it answers, however mad it was before."""
        s = self.server("am")
        told = 0
        for kind in KINDS:
            with replaced(s, "bounce", kind):
                with smtplib.SMTP("127.0.0.1", s.port) as c:
                    c.sendmail(away.ANN, ["no@far.example"],
                               f"Subject: {kind}\r\n\r\nx\r\n")
                self.serves_again(f"bounce {kind}")
            suite.wait_for(self.flushed, "an empty queue")
            told += 1
            notes = [t for t in self.texts(away.ANN) if "Undelivered" in t]
            self.equal(len(notes), told, kind)

    def flushed(self):
        with contextlib.suppress(AssertionError):
            away.faults.drain(self.s)
            return True
        return False

    def test_a_restart_loop_costs_little(self):
        """Programs that end at once are held back, and what does not need
        them goes on; the first that is there again is taken."""
        s = self.server("am", service_throttle_time="4s")
        self.serves_again("the start")
        with contextlib.ExitStack() as stack:
            for program in ("smtp", "notify", "dnsd", "keyd"):
                stack.enter_context(replaced(s, program, "exits"))
            self.relay()
            s.wait_log("throttling", 2)
            begin, had = time.monotonic(), away.cpu(s.master_pid())
            starts = s.log_text().count("exit status 3")
            while time.monotonic() < begin + 3:
                self.equal(self.send(), 250)
                self.true(self.took < 2, "mail waits for the others")
                time.sleep(0.1)
            spent = time.monotonic() - begin
            used = away.cpu(s.master_pid()) - had
            starts = s.log_text().count("exit status 3") - starts
            self.true(used < 0.3 * spent, f"master used {used:.2f} s")
            self.true(starts < 4 * spent, f"{starts} starts")
        # Those that are held back come when their time is over.
        suite.wait_for(self.all_there, "all programs", 6)
        self.serves_again("a restart loop")
        self.done("restart loop")

    def test_nobody_waits_for_what_does_not_start(self):
        """Clients are told so, and not left to wait for ipc_timeout."""
        s = self.server("am", service_throttle_time="4s", ipc_timeout="300s",
                        auth_timeout="300s", fast_delivery_time="60s")
        self.serves_again("the start")
        for program, mail, auth in (("cleanup", 451, 235), ("mapd", 451, 235),
                                    ("qmgr", 250, 235), ("local", 250, 235),
                                    ("smtp", 250, 235), ("authd", 451, 454)):
            with replaced(s, program, "exits"):
                sends = self.relay if program == "smtp" else self.send
                for n in range(6):  # the first wait for the next start
                    begin = time.monotonic()
                    self.equal((sends(), self.auth()), (mail, auth), program)
                    took = time.monotonic() - begin
                    self.true(took < (6 if n < 3 else 1),
                              f"{program}, {n}: {took:.1f} s")
            suite.wait_for(lambda: self.send() == 250, "mail", 6)
            self.serves_again(program)
        self.done("what does not start")

    def test_a_reload_ends_the_pause(self):
        """What a program lacked may be there now."""
        s = self.server("am", service_throttle_time="1h")
        with replaced(s, "cleanup", "exits"):
            self.equal([self.send() for _ in range(3)], [451] * 3)
        self.equal(self.send(), 451)
        s.postern("reload")
        self.equal(self.send(), 250)
        self.true(self.took < 1, f"{self.took:.1f} s")
        self.done("a reload")

    def all_there(self):
        return all(pids_of(self.s, p) for p in ("notify", "dnsd", "keyd"))

    def test_a_session_outlives_another_login(self):
        """login passes on the bytes of sessions: those of one must not end
        because another one did."""
        s = self.server("am", login_client_limit="2")
        sessions = [self.imap() for _ in range(3)]
        full, other = self.login_of(sessions[0]), self.login_of(sessions[2])
        self.equal(self.login_of(sessions[1]), full)
        self.true(other != full, "one login for all")
        away.strike([full], signal.SIGKILL)
        s.wait_log(f"pid {full} killed by signal 9")
        self.serves_again("a killed login")
        self.equal(sessions[2].noop()[0], "OK")
        sessions[2].logout()
        for c in sessions[:2]:
            c.shutdown()

    def login_of(self, session):
        """The process at the other end of an IMAPS connection."""
        port = session.sock.getsockname()[1]
        inodes = {line.split()[9] for line in open("/proc/net/tcp")
                  if line.split()[2].endswith(f":{port:04X}")}
        for pid in pids_of(self.s, "login"):
            for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    name = str(fd.readlink())
                    if name.startswith("socket:[") and name[8:-1] in inodes:
                        return pid
        raise AssertionError("no login has the connection")

    def test_F10_each_is_killed_at_work(self):
        """Once, and at once twice: it is there again within a second."""
        s = self.server("am", service_throttle_time="60s")
        self.serves_again("the start")
        for program in ("smtpd", "cleanup", "qmgr", "local", "mapd", "authd",
                        "smtp", "logd", "login", "keyd", "notify", "dnsd"):
            away.strike(pids_of(s, program), signal.SIGKILL)
            begin = time.monotonic()
            while self.send() != 250 or self.relay() != 250:
                took = time.monotonic() - begin
                self.true(took < 1, f"{program}: AUTH took {took:.1f} s")
            self.serves_again(program)
        self.done("F10 killed")


suite.main()
