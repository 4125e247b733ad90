# SPDX-License-Identifier: BSD-2-Clause
"""The system calls that each program's wall lets through, held against those
that it makes in a day of all kinds of work (strace -f from outside): I7, I16.
"""
import contextlib
import imaplib
import os
import pathlib
import poplib
import re
import smtplib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flow"))
import peers  # noqa: E402
import suite  # noqa: E402

ANN, BOB = "ann@one.example", "bob@one.example"
# Why a program may make a call that a day's work does not always need.
SPARE = {
    "the allocator": "brk mmap mprotect munmap mremap madvise",
    "abort() and assert()": "getpid gettid tgkill rt_sigprocmask rt_sigaction "
                            "writev exit_group",
    "the locks of libraries": "futex",
    "a clock that the vDSO has not": "clock_gettime",
    "other machines than this one": "fstat ppoll",
    "going on after a stop": "restart_syscall",
    "a peer that is slow, or speaks by the other call":
        "poll read write recvfrom sendto setsockopt epoll_ctl",
    "random numbers for TLS, ids, hashes": "getrandom",
    "a new configuration at a reload": "pread64 newfstatat",
}
# The same for one program: what did not happen that day.
RARE = {
    "authd": "clock_nanosleep fsync ftruncate getpeername getsockname unlink",
    "bounce": "pwrite64",
    "cleanup": "fdatasync lseek sendfile",
    "dnsd": "getpeername getsockname getsockopt",
    "imapd": "clock_nanosleep fchmod msync openat2 pwritev renameat2 linkat "
             "fdatasync fsync ftruncate utimensat uname sendfile mkdirat "
             "lseek getdents64 unlinkat renameat fcntl statx pwrite64",
    "local": "clock_nanosleep fchmod fdatasync fstatfs ftruncate getdents64 "
             "lseek msync mkdirat openat2 pwrite64 pwritev renameat renameat2 "
             "uname unlinkat utimensat fcntl sendfile",
    "logd": "clock_nanosleep getpeername getsockname getsockopt accept4",
    "login": "clock_nanosleep getsockopt",
    "mapd": "fcntl getdents64 lseek openat pwrite64 "
            "sched_getaffinity flock shutdown",
    "pop3d": "clock_nanosleep fchmod fdatasync fstatfs fsync ftruncate linkat "
             "msync openat2 pwritev renameat renameat2 sendfile utimensat "
             "uname mkdirat lseek getdents64 unlinkat pwrite64",
    "qmgr": "clock_nanosleep fsync getpeername getsockname lseek renameat2 "
            "fchmod getsockopt",
    "smtp": "getpeername getsockname",
    "smtpd": "clock_nanosleep getsockname getsockopt pwrite64",
}
CALL = re.compile(r"(\d+) +(?:\+\+\+|---|<\.\.\. |(\w+)\()(.*)")


class Calls(suite.Case):
    def server(self):
        self.sink = peers.Sink(replies={
            "RCPT no@far.example": "550 5.1.1 no such user",
            "RCPT later@far.example": "450 4.2.0 later"})
        s = self.instance("ca").mail().tls("localhost")
        s.dns = peers.NameServer({
            ("far.example", "MX"): ["10 mx.far.example"],
            ("mx.far.example", "A"): ["127.0.0.1"],
            ("mx.far.example", "AAAA"): ["::1"]})
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        (s.conf / "virtual").write_text("team@one.example " + ANN + "\n")
        (s.conf / "cidr").write_text("192.0.2.0/24 OK\n")
        s.settings.update({
            "dns_servers": f"127.0.0.1:{s.dns.port}", "dns_timeout": "1s",
            "dns_tries": "1", "smtp_tcp_port": self.sink.port,
            "minimal_backoff_time": "1s", "maximal_backoff_time": "1s",
            "virtual_alias_maps": f"hash:{s.conf}/virtual "
            f"texthash:{s.conf}/virtual", "mynetworks": "127.0.0.0/24",
            "max_idle": "1s"})
        s.write()
        subprocess.run([s.bin / "postmap", "-c", s.conf,
                        f"hash:{s.conf}/virtual"], check=True)
        return s

    def start(self, s):
        """Under strace, which follows master into everything."""
        s.store.mkdir()
        s.postern("store", "create")
        self.trace = s.dir / "trace"
        self.tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-s", "40", "-o", self.trace,
             s.libexec / "master", "-c", s.conf], stdin=subprocess.DEVNULL,
            stderr=open(s.dir / "stderr", "w"))
        suite.wait_for(lambda: (s.queue / "pid/master.pid").exists()
                       and (s.queue / "pid/master.pid").read_text(),
                       "master's start")
        s.pid = int((s.queue / "pid/master.pid").read_text())
        s.running = True
        s.wait_log("daemon started")

    def smtp_in(self, s):
        with s.smtp() as c:
            c.sendmail("x@a.example", [ANN], "Subject: 1\r\n\r\n1")
            c.sendmail("x@a.example", ["team@one.example", BOB],
                       "Subject: 2\r\n\r\n2")
            c.sendmail("x@a.example", [BOB], "Subject: large\r\n\r\n"
                       + 60000 * ("x" * 60 + "\r\n"))
            c.mail("x@a.example")
            c.rcpt("nobody@one.example")
            c.docmd("RSET")
            c.docmd("VRFY x")
            c.docmd("NONSENSE")
            c.mail("x@a.example")
            c.rcpt(ANN)
            c.send(b"BDAT 12 LAST\r\nSubject: 3\r\n")
            c.getreply()
        smtplib.SMTP("127.0.0.1", s.port).close()

    def submit(self, s):
        for password in ("wrong", "secret"):
            c = smtplib.SMTP("localhost", s.submission, "pc.example",
                             timeout=suite.DEADLINE)
            c.starttls(context=s.context())
            with contextlib.suppress(smtplib.SMTPAuthenticationError):
                c.login(ANN, password)
            with contextlib.suppress(smtplib.SMTPSenderRefused):
                c.sendmail(ANN, ["yes@far.example", "no@far.example",
                                 "later@far.example"], "Subject: 4\r\n\r\n4")
            c.close()
        s.wait_log("status=deferred")
        del self.sink.replies["RCPT later@far.example"]
        suite.wait_for(lambda: len(self.sink.messages) > 1, "the retry")

    def read_mail(self, s):
        for password in ("wrong", "secret"):
            i = imaplib.IMAP4_SSL("localhost", s.imaps,
                                  ssl_context=s.context())
            with contextlib.suppress(imaplib.IMAP4.error):
                i.login(ANN, password)
            if password == "wrong":
                i.shutdown()
        i.select()
        i.create("work")
        i.create("work.sub")
        i.rename("work.sub", "work.other")
        i.subscribe("work")
        i.append("work", r"(\Seen $x)", None, b"Subject: a\r\n\r\n"
                 + b"a line\r\n" * 20000)
        i.fetch("1:*", "(UID FLAGS ENVELOPE BODYSTRUCTURE BODY[])")
        i.search(None, "TEXT", "line")
        i.store("1", "+FLAGS", r"(\Deleted \Flagged)")
        i.copy("1", "work")
        i.expunge()
        i.status("work", "(MESSAGES UNSEEN)")
        i.delete("work.other")
        for box in ("nowhere", "work.nowhere"):
            i.copy("1", box)
            i.append(box, None, None, b"Subject: b\r\n\r\n")
            i.status(box, "(MESSAGES)")
        i.send(b"x IDLE\r\n")
        i.readline()
        with s.smtp() as c:
            c.sendmail("x@a.example", [ANN], "Subject: idle\r\n\r\n1")
        while b"EXISTS" not in i.readline():
            pass
        i.send(b"DONE\r\n")
        while not i.readline().startswith(b"x OK"):
            pass
        i.close()
        i.logout()
        p = poplib.POP3_SSL("localhost", s.pop3s, context=s.context())
        p.user(ANN)
        p.pass_("secret")
        p.uidl()
        p.top(1, 2)
        p.retr(1)
        p.dele(1)
        p.quit()

    def manage(self, s):
        s.postern("user", "add", "eve@one.example", "--generate")
        s.postern("user", "set", "eve@one.example", "--quota", "1M")
        s.postern("user", "del", "eve@one.example")
        s.postern("alias", "add", "all@one.example", ANN, BOB)
        s.postern("reload")
        s.postern("logrotate")
        s.wait_log("reload -- version")
        for args in (["postqueue", "-p"], ["postqueue", "-f"],
                     ["postsuper", "-h", "ALL"], ["postsuper", "-H", "ALL"],
                     ["postlog", "a line"]):
            subprocess.run([s.bin / args[0], "-c", s.conf, *args[1:]],
                           check=True, capture_output=True)

    def programs(self, s):
        """{program: the calls it made behind its wall}; self.execs: programs
        that were run from there."""
        self.execs = []
        program, walled, made = {}, set(), {}
        for line in open(self.trace, errors="replace"):
            m = CALL.match(line)
            if not m or m[2] is None:
                if m and (r := re.match(r"clone\w* resumed>.*= (\d+)", m[3])):
                    self.born(program, walled, m[1], r[1])
                continue
            pid, call, rest = m.groups()
            if call == "execve":
                if pid in walled:
                    self.execs.append(line)
                r = re.match(r'"[^"]*/libexec/(\w+)"', rest)
                program[pid] = r[1] if r else None
                walled.discard(pid)
            elif call.startswith("clone") or call in ("fork", "vfork"):
                r = re.search(r"= (\d+)$", rest)
                if r:
                    self.born(program, walled, pid, r[1])
            elif call == "seccomp" and "filter=" in rest:
                walled.add(pid)
            if pid in walled and call not in ("seccomp", "execve"):
                made.setdefault(program[pid], set()).add(call)
        return made

    @staticmethod
    def born(program, walled, parent, child):
        program[child] = program.get(parent)
        if parent in walled:
            walled.add(child)

    def closed_twice(self):
        """Calls that close what is not open: some day that is another's."""
        return [line for line in open(self.trace, errors="replace")
                if re.search(r" close\(\d+\) += -1 EBADF", line)]

    def test_what_is_allowed_is_used(self):
        s = self.server()
        self.start(s)
        s.add_users(ANN, BOB)
        self.smtp_in(s)
        self.submit(s)
        self.read_mail(s)
        self.manage(s)
        s.stop()
        self.tracer.wait(suite.DEADLINE)
        self.equal(self.closed_twice(), [])
        made = self.programs(s)
        spare = set(" ".join(SPARE.values()).split())
        said = s.postern("hardening", "calls").stdout
        for name in sorted(made):
            line, = re.findall(rf"^{name} +(\d+) +(.*)$", said, re.M)
            allowed = set(line[1].split())
            self.true(not allowed & {"execve", "execveat", "ptrace"}, name)
            self.equal(int(line[0]), len(allowed))
            unused = allowed - made[name] - spare
            print(f"{name}: {len(allowed)} allowed, {len(made[name])} made; "
                  f"not made: {' '.join(sorted(unused))}")
            self.equal(made[name] - allowed, set(), f"{name} made calls that "
                       "its wall should have ended it for")
            self.equal(unused - set(RARE.get(name, "").split()), set(),
                       f"{name} may make calls that nobody needs")
        self.equal(len(made), 15, f"programs: {sorted(made)}")
        self.equal(self.execs, [], "programs run from inside a jail (I16)")
        self.sink.close()


suite.main()
