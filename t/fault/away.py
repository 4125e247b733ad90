# SPDX-License-Identifier: BSD-2-Clause
"""What the tests share in which something is away, slow or mad: a server, its
clients, and a ledger of what they were told.

The invariant: a message answered 250 (sendmail: exit code 0) is found
afterwards, byte for byte, exactly once in our own mailboxes and at least once
at the server it was relayed to; one that was not, at most once; none is both
bounced and delivered, and none bounced for a fault of ours; and the suite
serves again within five seconds.
"""
import contextlib
import imaplib
import os
import pathlib
import shutil
import signal
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import faults  # noqa: E402
import suite  # noqa: E402
import works  # noqa: E402

ANN, BOB, FAR = "ann@one.example", "bob@one.example", "yes@far.example"
SERVES_AGAIN = faults.SERVES_AGAIN


def cpu(pid):
    """Seconds of processor time that a process has had."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pids_of(s, *programs):
    return [pid for pid, name in faults.children_of(s) if name in programs]


def strike(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def stopped(s, *programs):
    """These programs do not run meanwhile, nor do those that master starts in
    their place at the beginning."""
    pids = pids_of(s, *programs)
    if not pids:
        raise AssertionError(f"there is no {programs} to stop")
    strike(pids, signal.SIGSTOP)
    try:
        yield pids
    finally:
        strike(pids, signal.SIGCONT)


@contextlib.contextmanager
def replaced(s, program, kind):
    """Another file is `program` meanwhile (see planted/rubbish.c for what it
    does); the real one's processes end before and its own after."""
    link = pathlib.Path(s.settings["daemon_directory"]) / program
    place = s.dir / kind
    place.mkdir(exist_ok=True)
    if not (place / program).exists():
        shutil.copy(faults.FAULT / "rubbish" / program, place / program)
    point(link, place / program)
    strike(pids_of(s, program), signal.SIGKILL)
    try:
        yield
    finally:
        point(link, suite.BUILD / "libexec" / program)
        strike(pids_of(s, program), signal.SIGKILL)


def point(link, to):
    new = link.with_name(".new")
    new.symlink_to(to)
    new.rename(link)


class Delays:
    """strace on all processes of these programs: each such call takes so much
    longer, whatever it is that it waits for."""

    def __init__(self, s, programs, calls, milliseconds, step):
        pids = pids_of(s, *programs)
        self.p = subprocess.Popen(
            ["strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-e",
             f"inject={calls}:delay_enter={milliseconds * 1000}:"
             f"when=1+{step}", *[a for p in pids for a in ("-p", str(p))]],
            stderr=subprocess.PIPE, text=True)
        for _ in pids:
            if "attached" not in self.p.stderr.readline():
                break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.terminate()
        self.p.stderr.read()
        self.p.wait()


class Ledger:
    """Who was sent what, and what was answered."""

    def __init__(self):
        self.sent = {}   # number: (sender, recipient, text)
        self.codes = {}  # number: the last reply's code; 0: none came

    def next(self, sender, to):
        n = len(self.sent) + 1
        text = f"Subject: number {n}\r\n\r\n" + f"body of {n}\r\n" * 5
        self.sent[n] = (sender, to, text)
        self.codes[n] = 0
        return n, text

    def counts(self, texts):
        """{number: copies} and what is torn."""
        found, wrong = {}, []
        for text in texts:
            n = works.number(text)
            if n not in self.sent or not text.endswith(self.sent[n][2]):
                wrong.append(f"torn, or nobody's: {text[-200:]!r}")
                continue
            found[n] = found.get(n, 0) + 1
        return found, wrong

    def check(self, ours, relayed=()):
        """A list of complaints about the texts in our mailboxes, and about
        those that others were given."""
        here, wrong = self.counts(ours)
        there, torn = self.counts(relayed)
        wrong += torn
        for n, (_, to, _) in self.sent.items():
            local = to != FAR
            copies = (here if local else there).get(n, 0)
            if self.codes[n] == 250 and copies == 0:
                wrong.append(f"message {n} was acknowledged and is lost")
            if local and copies > 1:
                wrong.append(f"message {n} was delivered {copies} times")
        return wrong


class AwayCase(suite.Case):
    """One server with everything, whose waits are short."""

    def server(self, name="aw", prepare=None, fault=None, **settings):
        self.ledger = Ledger()

        def also(s):
            faults.with_planted(s, fault)
            if prepare:
                prepare(s)

        s = works.server(self, name, prepare=also, **{
            "ipc_timeout": "4s", "fast_delivery_time": "1s",
            "directory_timeout": "1s", "auth_timeout": "4s",
            "key_timeout": "1s", "smtpd_peername_timeout": "1s",
            "login_mechanisms": "PLAIN SCRAM-SHA-256",
            "dns_timeout": "1s", "smtp_connect_timeout": "2s",
            "smtpd_error_sleep_time": "0"} | settings)
        s.postern("user", "add", BOB, "--password-stdin", input="secret\n")
        self.s = s
        return s

    # --- clients ----------------------------------------------------------

    def send(self, to=ANN, sender="x@y.example", timeout=20):
        """The last reply's code; 0: the connection was lost."""
        n, text = self.ledger.next(sender, to)
        begin = time.monotonic()
        try:
            with smtplib.SMTP("127.0.0.1", self.s.port, "client.example",
                              timeout=timeout) as c:
                code = self.transaction(c, sender, to, text)
        except smtplib.SMTPResponseException as e:
            code = e.smtp_code
        except (OSError, smtplib.SMTPException):
            code = 0
        self.ledger.codes[n] = code
        self.took = time.monotonic() - begin
        return code

    @staticmethod
    def transaction(c, sender, to, text):
        """The code that ended it."""
        for say in (c.ehlo, lambda: c.mail(sender), lambda: c.rcpt(to),
                    lambda: c.data(text)):
            code = say()[0]
            if code != 250:
                return code
        return code

    def relay(self):
        return self.send(FAR, BOB)

    def submit(self):
        """sendmail's exit code; 0 counts as 250."""
        n, text = self.ledger.next("x@y.example", ANN)
        done = subprocess.run(
            [self.s.bin / "sendmail", "-C", self.s.conf, "-f", "x@y.example",
             ANN], input=text.encode(), capture_output=True,
            timeout=suite.DEADLINE)
        code = done.returncode
        self.ledger.codes[n] = 250 if code == 0 else code
        self.said = done.stderr.decode()
        return code

    def auth(self):
        """What a submission client is told to its AUTH."""
        with smtplib.SMTP_SSL("localhost", self.s.submissions,
                              context=self.s.context(), timeout=20) as c:
            c.ehlo()
            return c.docmd("AUTH PLAIN AGFubkBvbmUuZXhhbXBsZQBzZWNyZXQ=")[0]

    def imap(self, account=ANN):
        """A session that has logged in."""
        c = imaplib.IMAP4_SSL("localhost", self.s.imaps,
                              ssl_context=self.s.context(), timeout=20)
        try:
            c.login(account, "secret")
        except imaplib.IMAP4.error:
            c.shutdown()
            raise
        return c

    def login_refusal(self):
        """What an IMAP client is told to its LOGIN; "" when it gets in."""
        try:
            self.imap().logout()
        except imaplib.IMAP4.error as e:
            return str(e)
        return ""

    # --- holding what was said against what is ----------------------------

    def serves_again(self, what=""):
        """Within five seconds mail comes and goes, and somebody logs in."""
        begin = time.monotonic()
        end = begin + SERVES_AGAIN

        def until(good, which):
            while not good():
                self.true(time.monotonic() < end,
                          f"no {which} {SERVES_AGAIN} s after {what}")
                time.sleep(0.02)

        def logs_in():
            try:
                return self.login_refusal() == ""
            except OSError:
                return False

        until(lambda: self.send() == 250, "mail")
        until(lambda: self.relay() == 250, "relaying")
        until(logs_in, "login")
        return time.monotonic() - begin

    def texts(self, *addresses):
        return [p.read_bytes().decode(errors="replace")
                for a in addresses for p in self.s.messages(a)]

    def settled(self):
        """Nothing waits any more; the ledger is right."""
        faults.drain(self.s)
        bounced = self.texts(BOB)
        self.equal([t[-300:] for t in bounced], [], "bounces")
        relayed = [m[2].decode() for m in self.s.sink.messages]
        self.equal(self.ledger.check(self.texts(ANN), relayed), [])

    def done(self, what):
        self.settled()
        codes = list(self.ledger.codes.values())
        print(f"{what}: {len(codes)} sent, {codes.count(250)} acknowledged",
              flush=True)
