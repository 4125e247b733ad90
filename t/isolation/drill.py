# SPDX-License-Identifier: BSD-2-Clause
"""Instances whose programs are probes (redteam.c), and one whose programs are
real, as the one that they attack.

The attacked one, the victim, runs with the same uids, so that what parts two
programs of one role is tried as well. It has two tenants with mail, a message
in its queue, accounts, a key, and a session of each kind open.
"""
import atexit
import contextlib
import imaplib
import os
import pathlib
import poplib
import re
import socket
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import suite  # noqa: E402

WALLS = ["root", "landlock", "seccomp", "network", "uid"]
REDTEAM = suite.BUILD / "redteam"
ROLES = sorted(p.name for p in REDTEAM.iterdir()
               if os.access(p, os.X_OK) and p.is_file())
# Programs that are started for one tenant or one session.
DERIVED = ["local", "imapd", "pop3d"]
# Programs of which none waits in a pool: a probe in qmgr's place, which may
# join them, has them started.
ON_DEMAND = {"smtp", "bounce"}
# Programs whose work is to talk to the outside; they may connect.
TALKERS = {"smtp", "dnsd"}
ANN, BOB, EVE = "ann@one.example", "bob@one.example", "eve@two.example"
MESSAGE = "Subject: for one\r\n\r\nnobody else's business\r\n"


def imap(s, who, password="secret"):
    i = imaplib.IMAP4_SSL("localhost", s.imaps, ssl_context=s.context(),
                          timeout=suite.DEADLINE)
    i.login(who, password)
    return i


def pop3(s, who, password="secret"):
    p = poplib.POP3_SSL("localhost", s.pop3s, context=s.context(),
                        timeout=suite.DEADLINE)
    p.user(who)
    p.pass_(password)
    return p


def add_tenants(s):
    s.add_users(ANN, BOB)
    s.add_users(EVE, tenant="globex")


def database(s):
    return next(p for p in (s.dir / "data").iterdir()
                if p.name.endswith(("sqlite", "db")))


class Victim:
    """A running server with everything that somebody could want."""

    def __init__(self):
        s = self.s = suite.Instance("vi").mail().tls("localhost")
        atexit.register(s.remove)
        s.settings["transport_maps"] = "inline:{later.example=local}"
        s.settings["minimal_backoff_time"] = "1h"
        s.rows.append("smtp unix - - - - - smtp")
        s.rows.append("dnsd unix - - - - 1 dnsd")
        s.settings["mynetworks"] = "127.0.0.0/8"
        s.start()
        add_tenants(s)
        with s.smtp() as c:
            for to in (ANN, BOB, EVE):
                c.sendmail("x@a.example", [to], MESSAGE)
        subprocess.run([s.bin / "postsuper", "-c", s.conf, "-h", "ALL"],
                       check=True, capture_output=True)
        self.mail = [s.wait_messages(a, 1, t)[0] for a, t in
                     ((ANN, "acme"), (BOB, "acme"), (EVE, "globex"))]
        self.entry = s.queue / "deferred" / "0123456789ABCDEF"
        self.entry.write_text("x")
        own = (s.queue / "deferred").stat()
        os.chown(self.entry, own.st_uid, own.st_gid)
        os.chmod(self.entry, 0o600)
        self.sessions = [imap(s, ANN), imap(s, EVE), pop3(s, BOB)]
        self.pids = [s.pid] + [p[0] for p in s.processes()]
        self.files = [s.dir / "server.pem", database(s), self.entry,
                      *self.mail]
        self.sockets = [s.queue / "private/master",
                        *(s.queue / "public").iterdir()]
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.listener.accept()[0].close()


def words(things):
    return ",".join(map(str, things))


def overrides(goal, target=""):
    return f"-o redteam_goal={goal} -o redteam_target={target}"


class Drill:
    """An instance `s` with probes in it: whole rows of them, that try one goal
    each when they start, and those that take orders."""

    def __init__(self, s, walls=WALLS):
        self.s, self.walls = s, walls
        self.made = []  # (service, role, goal)
        self.number = 0
        self.open = {}  # program: a session that takes orders
        programs = s.dir / "libexec"
        programs.mkdir()
        for role in ROLES:
            (programs / role).symlink_to(REDTEAM / role)
        (programs / "master").symlink_to(suite.BUILD / "libexec/master")
        s.libexec = programs
        s.settings.update({
            "daemon_directory": programs, "sandbox_walls": " ".join(walls),
            "max_idle": "1h", "service_throttle_time": "1h",
            "minimal_backoff_time": "1h"})
        if walls != WALLS:
            s.settings["sandbox_required"] = "no"

    def add(self, role, goal, target="", name=None):
        """A probe in the place of one program, for one goal."""
        name = name or f"{role}-{len(self.made)}-{goal}"
        self.made.append((name, role, goal))
        self.s.rows.append(f"{name} unix y - - - 1 {role} "
                           + overrides(goal, target))
        if role in ON_DEMAND:
            self.s.rows.append(f"call-{name} unix y - - - 1 qmgr "
                               + overrides("join", name))

    def take_orders(self, programs=DERIVED):
        """These, of the session programs and local, are probes, started anew
        at once when one was ended."""
        rows, settings = self.s.rows, self.s.settings
        settings["service_throttle_time"] = "0"
        probe, others = overrides("order"), ""
        if {"network", "uid"} <= set(self.walls):
            # What is a program's own wall is taken from the probes alone.
            probe += " -o sandbox_walls=" + ",".join(self.walls)
            settings["sandbox_walls"] = " ".join(WALLS)
        elif "uid" not in self.walls:
            # As root SQLite would give its files away, which no list allows;
            # authd is none of the probes here.
            others = " -o sandbox_walls=root,landlock,network"
        for i, row in enumerate(rows):
            if row.split()[-1] in programs:
                rows[i] = f"{row} {probe}"
            elif row.split()[-1] == "authd":
                rows[i] = row + others

    def start(self):
        s = self.s
        s.write()
        s.store.mkdir(exist_ok=True)
        s.postern("store", "create")
        # Not by "postern start": that gives up when programs end at once.
        with open(s.dir / "stderr", "w") as err:
            s.pid = subprocess.Popen(
                [s.libexec / "master", "-c", s.conf], stdin=subprocess.DEVNULL,
                stdout=err, stderr=err).pid
        s.running = True
        return self

    def results(self):
        """{service: (how it ended, what it said)}, when all have ended."""
        found = {}

        def collect():
            text = self.s.log_text()
            for name, how, why in re.findall(
                    r"redteam service=(\S+) goal=\S+ result=(\w+) \((.*)\)",
                    text):
                found[name] = (how, why)
            for name, how in re.findall(
                    r"service (\S+) pid \d+ (was ended by its seccomp wall|"
                    r"exit status \d+|killed by signal \d+)", text):
                found.setdefault(name, ("refused" if "seccomp" in how
                                        else "died", how))
            return all(name in found for name, _, _ in self.made)

        try:
            suite.wait_for(collect, "every goal's result")
        except AssertionError as e:
            raise AssertionError(f"{e}: " + ", ".join(
                n for n, _, _ in self.made if n not in found)) from None
        return {name: found[name] for name, _, _ in self.made}

    def session(self, program, who=ANN):
        """Where a line is an order to the program in this session's jail."""
        if program not in self.open:
            self.open[program] = (imap if program == "imapd" else pop3)(
                self.s, who)
        c = self.open[program]
        return c.send if program == "imapd" else c.sock.sendall

    def order(self, program, goal, target=""):
        """Have the program's probe try a goal: (how it ended, why)."""
        self.number += 1
        begun = len(self.s.log_text())
        line = f"order {self.number} {goal} {target}\r\n"
        if program == "local":
            with self.s.smtp() as c:
                c.sendmail("x@a.example", [ANN], line)
        else:
            self.session(program)(line.encode())

        def ended():
            text = self.s.log_text()[begun:]
            what = f"redteam order={self.number} "
            if m := re.search(what + r"goal=\S+ result=(\w+) \((.*)\)", text):
                return m.groups()
            for pid in re.findall(r"\[(\d+)\]: " + what, text):
                if f"pid {pid} was ended by its seccomp wall" in text:
                    self.open.pop(program, None)
                    return "refused", "was ended by its seccomp wall"
            return None

        return suite.wait_for(ended, f"{program}'s end of {goal} {target}")
