# SPDX-License-Identifier: BSD-2-Clause
"""A soak: POSTERN_SOAK_MINUTES (2) of everything at once, at random. Mail goes
by SMTP, submission, sendmail and APPEND, to our mailboxes and to another
server, and is read by IMAP and POP3, while programs are killed, stopped and go
on, the configuration is reloaded, master is killed and started, the mail store
goes and comes, indexes are damaged, and DNS is dead. Then all is quiet, and the
ledger must be right: the invariant of away.py, with one line that says how many
were sent, acknowledged, found, and found twice where that is allowed."""
import contextlib
import os
import pathlib
import random
import re
import signal
import smtplib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import away  # noqa: E402
import faults  # noqa: E402
import suite  # noqa: E402
import works  # noqa: E402
from away import pids_of  # noqa: E402

SECONDS = 60 * float(os.environ.get("POSTERN_SOAK_MINUTES", "2"))
ROUNDS = 8  # to find a planted fault
SEED = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 30)))
PROGRAMS = ("smtpd", "cleanup", "qmgr", "local", "mapd", "authd", "smtp",
            "bounce", "dnsd", "login", "keyd", "imapd", "pop3d", "notify",
            "logd")
TO_ANN, TO_FAR, BY_APPEND = "ann", "far", "append"
KEPT = "kept"  # where what was read is moved to


class Ledger:
    """Shared by all threads; a message's number is handed out once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent, self.acked = {}, set()
        self.gone = set()    # numbers whose POP3 deletion was asked for
        self.uids, self.wrong = {}, []

    def next(self, way):
        with self.lock:
            n = len(self.sent) + 1
            text = f"Subject: number {n}\r\n\r\n" + \
                f"body of {n}\r\n" * (1 + n % 50)
            self.sent[n] = (way, text)
        return n, text

    def took(self, n):
        with self.lock:
            self.acked.add(n)

    def uid_is(self, key, n):
        with self.lock:
            had = self.uids.setdefault(key, n)
            if had != n:
                self.wrong.append(f"UID {key} was message {had} and is {n}")


class Soak(suite.Case):
    def server(self, fault=None):
        """With a directory of links, and the store where it can go away."""
        self.chance = random.Random(SEED)
        self.ledger = Ledger()
        self.over = threading.Event()
        self.harms = {}

        def prepare(s):
            faults.with_planted(s, fault)
            s.store = s.dir / "disk/mail"
            s.store.parent.mkdir()
            s.settings["virtual_mailbox_base"] = s.store

        s = works.server(
            self, "so", prepare=prepare, login_mechanisms="PLAIN",
            ipc_timeout="3s", directory_timeout="1s", auth_timeout="2s",
            key_timeout="1s", imap_lock_timeout="1s",
            smtpd_peername_timeout="1s", smtp_connect_timeout="2s",
            smtp_helo_timeout="5s", reload_timeout="2s",
            fast_delivery_time="1s", smtpd_error_sleep_time="0",
            auth_failure_delay="0", queue_run_delay="2s")
        s.postern("user", "add", away.BOB, "--password-stdin",
                  input="secret\n")
        self.s, self.up = s, threading.Lock()
        with contextlib.suppress(works.MISHAPS):
            c = works.imaplib.IMAP4_SSL("localhost", s.imaps,
                                        ssl_context=s.context(), timeout=20)
            c.login(away.ANN, "secret")
            c.create(KEPT)
            c.logout()
        return s

    # --- those who work -----------------------------------------------------

    def worker(self, seed, *does):
        """Do one of these after the other, with a breath between."""
        chance = random.Random(seed)
        while not self.over.wait(chance.uniform(0.02, 0.15) * self.pace):
            with contextlib.suppress(*works.MISHAPS,
                                     works.subprocess.TimeoutExpired):
                chance.choice(does)()

    def smtp(self, to=away.ANN, way=TO_ANN, sender="x@y.example"):
        n, text = self.ledger.next(way)
        with smtplib.SMTP("127.0.0.1", self.s.port, "client.example",
                          timeout=10) as c:
            c.sendmail(sender, [to], text)
            self.ledger.took(n)

    def relayed(self):
        self.smtp(away.FAR, TO_FAR, away.BOB)

    def submitted(self):
        n, text = self.ledger.next(TO_ANN)
        with smtplib.SMTP_SSL("localhost", self.s.submissions,
                              context=self.s.context(), timeout=10) as c:
            c.login(away.BOB, "secret")
            c.sendmail(away.BOB, [away.ANN], text)
            self.ledger.took(n)

    def sendmail(self):
        n, text = self.ledger.next(TO_ANN)
        done = works.subprocess.run(
            [self.s.bin / "sendmail", "-C", self.s.conf, "-f", "x@y.example",
             away.ANN], input=text.encode(), capture_output=True, timeout=20)
        if done.returncode == 0:
            self.ledger.took(n)

    @contextlib.contextmanager
    def imap(self):
        c = works.imaplib.IMAP4_SSL("localhost", self.s.imaps,
                                    ssl_context=self.s.context(), timeout=10)
        try:
            c.login(away.ANN, "secret")
            yield c
        finally:
            c.shutdown()

    def append(self):
        with self.imap() as c:
            n, text = self.ledger.next(BY_APPEND)
            if c.append("INBOX", None, None, text.encode())[0] == "OK":
                self.ledger.took(n)

    def read(self):
        """Look at the newest, and put some away."""
        with self.imap() as c:
            if c.select()[0] != "OK":
                return
            validity = int(c.response("UIDVALIDITY")[1][0])
            _, data = c.uid("SEARCH", "ALL")
            uids = data[0].split()[-20:]
            if not uids:
                return
            _, data = c.uid("FETCH", b",".join(uids).decode(),
                            "(UID BODY.PEEK[])")
            self.seen("INBOX", validity, data)
            c.uid("STORE", uids[0], "+FLAGS", r"(\Seen)")
            c.uid("MOVE", uids[-1], KEPT)

    def seen(self, box, validity, data):
        for item in data:
            if isinstance(item, tuple):
                uid = int(re.search(rb"UID (\d+)", item[0])[1])
                self.ledger.uid_is((box, validity, uid),
                                   works.number(item[1].decode()))

    def pop(self):
        """Fetch the first; it stays."""
        p = works.poplib.POP3_SSL("localhost", self.s.pop3s,
                                  context=self.s.context(), timeout=10)
        try:
            p.user(away.ANN)
            p.pass_("secret")
            if p.stat()[0]:
                p.retr(1)
            p.quit()
        finally:
            p.close()

    # --- those who harm -----------------------------------------------------

    def kill(self):
        pids = pids_of(self.s, self.chance.choice(PROGRAMS))
        away.strike(self.chance.sample(pids, min(len(pids), 2)),
                    signal.SIGKILL)

    def kill_cleanup(self):
        away.strike(pids_of(self.s, "cleanup"), signal.SIGKILL)

    def kill_local(self):
        away.strike(pids_of(self.s, "local"), signal.SIGKILL)

    def stop(self):
        pids = pids_of(self.s, self.chance.choice(PROGRAMS))
        away.strike(pids, signal.SIGSTOP)
        self.over.wait(self.chance.uniform(0.1, 2))
        away.strike(pids, signal.SIGCONT)

    def reload(self):
        good = self.chance.random() < 0.7
        self.s.settings["smtpd_timeout"] = \
            f"{self.chance.randrange(200, 300)}s" if good else "never"
        self.s.write()
        self.s.postern("reload", check=False, timeout=20)
        self.s.settings["smtpd_timeout"] = "300s"
        self.s.write()

    def kill_master(self):
        faults.kill_everything(self.s)
        self.over.wait(self.chance.uniform(0, 1))
        faults.start_again(self.s)

    def restart(self):
        self.s.stop()
        faults.start_again(self.s)

    def store_away(self):
        """The directory where it is mounted is bare meanwhile."""
        disk = self.s.store.parent
        there = disk.with_name("disk.away")
        disk.rename(there)
        disk.mkdir()
        away.strike(pids_of(self.s, "local", "imapd", "pop3d"),
                    signal.SIGKILL)
        self.over.wait(self.chance.uniform(0.2, 2))
        if any(disk.iterdir()):
            self.ledger.wrong.append("mail on the bare mount point")
        disk.rmdir()
        there.rename(disk)

    def harm_index(self):
        data = self.s.maildir(away.ANN) / "index/data.mdb"
        with contextlib.suppress(OSError):
            size = data.stat().st_size
            way = self.chance.randrange(3)
            if way == 0:
                data.unlink()
            elif way == 1:
                os.truncate(data, self.chance.randrange(size))
            else:
                with open(data, "r+b") as f:
                    for _ in range(5):
                        f.seek(self.chance.randrange(size))
                        f.write(self.chance.randbytes(1))

    def dns_dies(self):
        usual = self.s.dns.answer
        self.s.dns.answer = lambda data: None
        self.over.wait(self.chance.uniform(0.5, 4))
        self.s.dns.answer = usual

    def sink_is_cross(self):
        self.s.sink.replies = {
            self.chance.choice(("MAIL", "DATA", ".", "GREETING")):
            self.chance.choice(("451 4.3.0 later", None))}
        self.over.wait(self.chance.uniform(0.5, 2))
        self.s.sink.replies = {}

    HARMS = ((kill, 12), (stop, 4), (reload, 2), (kill_master, 1),
             (restart, 1), (store_away, 1), (harm_index, 2), (dns_dies, 1),
             (sink_is_cross, 1))

    def harm(self, seconds, harms):
        end = time.monotonic() + seconds
        ways, weights = zip(*harms)
        while time.monotonic() < end:
            way = self.chance.choices(ways, weights)[0]
            way(self)
            self.harms[way.__name__] = self.harms.get(way.__name__, 0) + 1
            self.over.wait(self.chance.uniform(0.1, 1.2) * self.pace)

    # --- the end ------------------------------------------------------------

    def found(self):
        """{number: copies} in our mailboxes, by their files."""
        base = self.s.maildir(away.ANN)
        found = {}
        for folder in (base, base / f".{KEPT}"):
            for sub in ("new", "cur"):
                for p in (folder / sub).glob("*"):
                    text = p.read_bytes().decode(errors="replace")
                    n = works.number(text)
                    found[n] = found.get(n, 0) + 1
                    if n not in self.ledger.sent or \
                            not text.endswith(self.ledger.sent[n][1]):
                        self.ledger.wrong.append(f"torn: {p.name}")
        return found

    def hold(self):
        """A list of complaints; prints the line of numbers."""
        l, s = self.ledger, self.s
        wrong = list(l.wrong)
        here = self.found()
        there = {}
        for m in s.sink.messages:
            n = works.number(m[2].decode())
            there[n] = there.get(n, 0) + 1
            if not m[2].decode().endswith(l.sent[n][1]):
                wrong.append(f"message {n} was relayed torn")
        wrong += l.wrong[len(wrong):]
        for n in l.sent:
            far = l.sent[n][0] == TO_FAR
            copies = (there if far else here).get(n, 0)
            if n in l.acked and not copies:
                wrong.append(f"message {n} ({l.sent[n][0]}) was acknowledged "
                             "and is lost")
            if not far and copies > 1:
                wrong.append(f"message {n} ({l.sent[n][0]}) was delivered "
                             f"{copies} times")
        if s.messages(away.BOB):
            wrong.append("bounced for a fault of ours")
        if s.queue_files("corrupt"):
            wrong.append("a queue file was put away")
        twice = sum(c > 1 for c in there.values())
        print(f"soak: {len(l.sent)} sent, {len(l.acked)} acknowledged, "
              f"{len(here) + len(there)} found, {twice} relayed twice, "
              f"{len(wrong)} wrong; {len(l.uids)} UIDs; "
              + ", ".join(f"{n} {k}" for k, n in sorted(self.harms.items())),
              flush=True)
        return wrong

    def served_again(self):
        for do in (self.smtp, self.relayed, self.append, self.submitted):
            before = len(self.ledger.acked)
            with contextlib.suppress(*works.MISHAPS):
                do()
            if len(self.ledger.acked) == before:
                return False
        return True

    def soak(self, seconds, harms, *does):
        """One harm after the other while workers work; the complaints."""
        threads = [threading.Thread(target=self.worker, args=(SEED + i, *does))
                   for i in range(4)]
        for t in threads:
            t.start()
        try:
            self.harm(seconds, harms)
        finally:
            self.over.set()
            for t in threads:
                t.join()
        for pid, _ in faults.children_of(self.s):
            away.strike([pid], signal.SIGCONT)
        if not self.is_planted:
            suite.wait_for(self.served_again, "service after the soak",
                           faults.SERVES_AGAIN)
        faults.drain(self.s)
        return self.hold()

    pace = 1

    @property
    def is_planted(self):
        return len(self.harms) == 1

    def test_soak(self):
        print(f"seed {SEED}, {SECONDS:.0f} s", flush=True)
        self.server()
        wrong = self.soak(SECONDS - 10, self.HARMS, self.smtp, self.smtp,
                          self.relayed, self.submitted, self.sendmail,
                          self.append, self.read, self.pop)
        self.equal(wrong, [])
        self.true(len(self.ledger.acked) > 2 * SECONDS, "too little was done")

    def finds(self, what, *args):
        """A kill must hit the moment that the fault leaves open: by chance, so
        that it is tried more than once."""
        for _ in range(ROUNDS):
            self.over.clear()
            if any(what in w for w in self.soak(5, *args)):
                return
        raise AssertionError(f"no message that {what} was found")

    def test_a_planted_early_answer_is_found(self):
        self.server(("cleanup", "early_250"))
        self.finds("is lost", ((Soak.kill_cleanup, 1),), self.smtp,
                   self.sendmail)

    def test_a_planted_double_delivery_is_found(self):
        self.pace = 0.3
        self.server(("local", "random_name"))
        self.finds("times", ((Soak.kill_local, 1),), self.smtp)


suite.main()
