# SPDX-License-Identifier: BSD-2-Clause
"""The walls of running processes, seen from outside (I5, I6, I8, I11, I14),
and what happens when they cannot be had (F26)."""
import contextlib
import errno
import os
import pathlib
import re
import smtplib
import socket
import ssl
import subprocess
import sys

import drill
import scan
from drill import ANN, BOB

import suite

CAPABILITIES = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
# The offset of each role's uid; tenants' programs have their tenant's.
UIDS = {"logd": 0, "qmgr": 1, "cleanup": 1, "smtpd": 2, "smtp": 3,
        "bounce": 4, "mapd": 5, "authd": 6, "keyd": 7, "dnsd": 8, "login": 9,
        "notify": 10}
ROLE_BASE, TENANT_BASE = 0x6fff0000, 0x70000000
# Whose root directory is empty and read-only.
FRONT = ["smtpd", "login", "smtp", "dnsd", "keyd", "bounce", "notify", "logd"]

IDLE_MAX = 100 << 10     # bytes of login's for a client that says nothing
ABUSIVE_MAX = 250 << 10  # and for one that says half a command, for ever
SMTPD_MAX = 4 << 20      # of an smtpd's own, which has one client


def status(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines()
                if ":\t" in line)


class Walls(suite.Case):
    def server(self, name="wa"):
        s = self.instance(name).mail().tls("localhost")
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        s.settings.update({"dns_servers": "127.0.0.1:9", "max_idle": "1h",
                           "mynetworks": "127.0.0.0/8"})
        return s

    def busy(self, s):
        """Every program runs, sessions are open."""
        s.start()
        s.add_users(ANN, BOB)
        kept = [drill.imap(s, ANN), drill.pop3(s, BOB), s.smtp()]
        with s.smtp() as c:
            c.sendmail("x@a.example", [ANN], "Subject: 1\r\n\r\n1")
            c.sendmail(ANN, ["x@far.example"], "Subject: 1\r\n\r\n1")
        suite.wait_for(lambda: {p[1] for p in s.processes()}
                       >= set(UIDS) - {"bounce"} | {"local", "imapd"},
                       "all programs")
        suite.wait_for(lambda: "starting" not in {p[3] for p in s.processes()},
                       "their jails")
        return kept

    def test_i6_every_process(self):
        s = self.server()
        kept = self.busy(s)
        roots = []
        for pid in scan.descendants(s.pid):
            name, facts = scan.program(pid), status(pid)
            uids = set(map(int, facts["Uid"].split()))
            if uids == {0}:
                roots.append(name)
                continue
            if name in UIDS:
                self.equal(uids, {ROLE_BASE + UIDS[name]}, f"{name}'s uid")
            else:
                self.true(min(uids) >= TENANT_BASE, f"{name}'s uid")
            self.equal(facts["Groups"].strip(), "", f"{name}'s groups")
            self.equal(facts["Seccomp"], "2", f"{name}'s seccomp")
            self.equal(facts["NoNewPrivs"], "1", name)
            for field in CAPABILITIES:
                self.equal(int(facts[field], 16), 0, f"{name}'s {field}")
            # What is not dumpable is root's in /proc.
            self.equal(os.stat(f"/proc/{pid}/environ").st_uid, 0,
                       f"{name} may be dumped and traced")
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
            self.true(re.search(r"^Max core file size +0 +0 ", limits, re.M),
                      f"{name} may leave a core")
        self.equal(roots, ["master"], "root processes")
        del kept

    def test_i11_front_ends_see_nothing(self):
        s = self.server()
        kept = self.busy(s)
        seen = set()
        for pid, name, _, _ in s.processes():
            if name not in FRONT:
                continue
            seen.add(name)
            root = f"/proc/{pid}/root"
            self.equal(os.listdir(root + "/"), [], f"{name}'s root")
            try:
                os.close(os.open(root + "/x", os.O_CREAT | os.O_WRONLY))
                self.true(False, f"{name}'s root can be written")
            except OSError as e:
                self.equal(e.errno, errno.EROFS, f"{name}'s root")
        self.equal(set(FRONT) - seen, {"bounce"}, "programs not seen")
        del kept

    def test_i5_master_hears_no_client(self):
        s = self.server()
        kept = self.busy(s)
        trace = s.dir / "trace"
        tracer = subprocess.Popen(
            ["strace", "-yy", "-qq", "-e", "trace=%net,read,readv,pread64",
             "-o", trace, "-p", str(s.pid)], stderr=subprocess.PIPE)
        suite.wait_for(lambda: status(s.pid)["TracerPid"] != "0", "strace")
        with s.smtp() as c:
            c.sendmail("x@a.example", [ANN, BOB], "Subject: 2\r\n\r\n2")
        with contextlib.suppress(Exception):
            drill.imap(s, ANN, "wrong")
        for _ in range(3):
            i = drill.imap(s, ANN)
            i.select()
            i.logout()
        tracer.terminate()
        tracer.wait(suite.DEADLINE)
        text = trace.read_text()
        self.true("recvmsg" in text, "master was not traced")
        self.equal(re.findall(r"^\w*accept\w*\(.*", text, re.M), [],
                   "master accepted a connection")
        self.equal(re.findall(r"^\w+\(\d+<(?:TCP|UDP).*", text, re.M), [],
                   "master touched a socket of the Internet")
        del kept

    def test_i8_nothing_lends_rights(self):
        tree = self.instance("in").dir / "tree"
        subprocess.run(["cmake", "--install", suite.BUILD],
                       env={**os.environ, "DESTDIR": str(tree)}, check=True,
                       capture_output=True)
        files = [p for p in tree.rglob("*") if p.is_file()]
        self.true(len(files) > 30, "the tree was installed")
        self.equal([p for p in files if p.stat().st_mode & 0o6000], [],
                   "set-id files")
        caps = subprocess.run(["/usr/sbin/getcap", "-r", tree], text=True,
                              capture_output=True, check=True).stdout
        self.equal(caps, "", "files with capabilities")

    def anonymous(self, pid):
        return int(status(pid)["RssAnon"].split()[0]) << 10

    def idle(self, s):
        """A client of login's that has shaken hands, and its greeting."""
        raw = socket.create_connection(("127.0.0.1", s.imaps),
                                       timeout=suite.DEADLINE)
        c = s.context().wrap_socket(raw, server_hostname="localhost")
        c.recv(1000)
        return c

    def test_i14_memory_of_a_connection(self):
        s = self.server()
        s.start()
        first = self.idle(s)
        ours = {p[0] for p in s.processes()
                if p[2] == f"127.0.0.1:{s.imaps}"}

        def memory():
            return sum(map(self.anonymous, ours))

        empty = memory()
        kept = [self.idle(s) for _ in range(100)]
        self.equal({p[0] for p in s.processes()
                    if p[2] == f"127.0.0.1:{s.imaps}"}, ours, "one login")
        each = (memory() - empty) // 100
        print(f"login: {each} bytes for an idle client")
        self.true(each < IDLE_MAX, f"{each} bytes for an idle client")
        empty = memory()
        for c in kept[:50]:
            with contextlib.suppress(ssl.SSLError, OSError):
                for _ in range(200):
                    c.sendall(b"a" * 5000)
        each = (memory() - empty) // 50
        print(f"login: {each} bytes more for an abusive client")
        self.true(each < ABUSIVE_MAX, f"{each} bytes for an abusive client")

        smtp = [s.smtp() for _ in range(10)]
        for c in smtp:
            with contextlib.suppress(OSError):
                c.sock.sendall(b"x" * 100000)
        for pid, name, _, _ in s.processes():
            if name == "smtpd":
                own = self.anonymous(pid)
                self.true(own < SMTPD_MAX, f"{own} bytes of an smtpd")
        print(f"smtpd: {own} bytes of its own")
        del first

    def test_where_passwords_are_heard_one_client_is_served(self):
        s = self.server()
        s.start()

        def processes():
            return {p[0]: p[3] for p in s.processes()
                    if p[2] == f"127.0.0.1:{s.submission}"}

        for _ in range(3):
            with smtplib.SMTP("127.0.0.1", s.submission,
                              timeout=suite.DEADLINE) as c:
                c.ehlo()
                busy = suite.wait_for(lambda: [p for p, state in
                                               processes().items()
                                               if state == "busy"], "smtpd")
            suite.wait_for(lambda: not set(busy) & set(processes()),
                           "its end with its client")

    # --- F26 ---------------------------------------------------------------

    def start_without(self, s, *lacks):
        s.write()
        s.store.mkdir()
        s.postern("store", "create")
        nosys = pathlib.Path(__file__).with_name("nosys.py")
        with open(s.dir / "stderr", "w") as err:
            return subprocess.run(
                [sys.executable, nosys, ",".join(lacks), s.bin / "postern",
                 "-c", s.conf, "start"], stdin=subprocess.DEVNULL, stdout=err,
                stderr=err, timeout=suite.DEADLINE).returncode

    def test_f26_no_walls_no_service(self):
        for lacks in ("landlock", "seccomp", "mount", "unshare"):
            s = self.server()
            self.true(self.start_without(s, lacks) != 0,
                      f"started without {lacks}")
            said = (s.dir / "stderr").read_text() + s.log_text()
            print(f"without {lacks}: {said.splitlines()[0][:150]}")
            suite.wait_for(lambda: not self.runs(s), f"{lacks}: master's end")

    def runs(self, s):
        pid = s.queue / "pid/master.pid"
        return pid.exists() and \
            pathlib.Path(f"/proc/{pid.read_text().strip()}").exists()

    def test_f26_unless_it_was_allowed(self):
        for lacks in ("landlock", "seccomp", "mount", "unshare"):
            s = self.server()
            s.settings["sandbox_required"] = "no"
            self.equal(self.start_without(s, lacks), 0, f"without {lacks}")
            s.running = True
            s.pid = int((s.queue / "pid/master.pid").read_text())
            s.add_users(ANN)
            with s.smtp() as c:
                c.sendmail("x@a.example", [ANN], "Subject: 1\r\n\r\n1")
            s.wait_messages(ANN, 1)
            said = s.postern("hardening", check=False)
            self.true(said.returncode != 0, f"{lacks}: hardening finds fault")
            if lacks != "seccomp":
                # One wall that is missing takes no other away.
                self.equal({status(p[0])["Seccomp"] for p in s.processes()},
                           {"2"}, f"seccomp without {lacks}")
            s.stop()


if __name__ == "__main__":
    suite.main()
