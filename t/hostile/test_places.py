# SPDX-License-Identifier: BSD-2-Clause
"""H36 to H47: what comes by DNS, the command line, local sockets, and lies on
the disk."""
import array
import ctypes
import os
import random
import resource
import socket
import struct
import subprocess
import threading
import time

import hostile
from hostile import ANN, BOB, suite
import peers

TEXT = "Subject: x\r\n\r\nx\r\n"


class LyingNames(peers.NameServer):
    """Answers that are no answers, the same for each question of a test."""

    def __init__(self, make):
        self.make = make
        super().__init__({})

    def answer(self, data):
        self.asked.append(bytes(data))
        return self.make(data)


def question(data):
    end = data.index(b"\0", 12) + 5
    return data[12:end]


def reply(data, rdata, kind=15, count=1, name=b"\xc0\x0c", length=None):
    return (data[:2] + struct.pack("!HHHHH", 0x8180, 1, count, 0, 0)
            + question(data) + name + struct.pack(
                "!HHIH", kind, 1, 60,
                len(rdata) if length is None else length) + rdata)


class Places(hostile.HostileCase):
    # --- DNS ---

    def test_H36_answers_that_lie(self):
        lies = {
            "truncated": lambda d: reply(d, b"\0\x0a\3mx")[:30],
            "loop": lambda d: reply(d, b"\0\x0a\xc0" + bytes([
                12 + len(question(d)) + 14])),
            "label of 64": lambda d: reply(d, b"\0\x0a\x40" + b"x" * 64
                                           + b"\0"),
            "long name": lambda d: reply(d, b"\0\x0a" + b"\x3f" + b"x" * 63
                                         + (b"\x3f" + b"y" * 63) * 8 + b"\0"),
            "short record": lambda d: reply(d, b"\0\x0a\1a\0", length=60000),
            "NUL in a name": lambda d: reply(d, b"\0\x0a\4a\0b\n\0"),
            "a newline": lambda d: reply(d, b"\0\x0a\4a\nb\r\0"),
            "many": lambda d: reply(d, b"\0\x0a\1a\0", count=65535),
            "another question": lambda d: d[:2] + b"\x81\x80" + d[4:12]
            + b"\5other\0\0\x0f\0\1",
            "nothing": lambda d: d[:2],
            "rubbish": lambda d: d[:2] + os.urandom(400),
        }
        for what, make in lies.items():
            s = self.instance("dn").mail()
            s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
            names = LyingNames(make)
            s.settings.update({"dns_servers": f"127.0.0.1:{names.port}",
                               "dns_timeout": "1s", "dns_tries": "1",
                               "minimal_backoff_time": "1h",
                               "maximal_backoff_time": "1h",
                               "smtp_connect_timeout": "1s"})
            self.s = s.start().add_users(ANN, BOB)
            with s.smtp() as c:
                c.sendmail(ANN, ["x@far.example"], TEXT)
            line = s.wait_log("to=<x@far.example>")[0]
            # Nothing that an off-path liar could say ends the message; a
            # name server that means it may.
            if what not in ("NUL in a name", "a newline"):
                self.true("status=deferred" in line, (what, line))
            self.true(names.asked, what)
            self.still_serves()
            names.close()
            s.remove()

    def test_H36_exchangers_that_are_none(self):
        """An address, nothing, ourselves by another name, a name that leads
        to itself: the mail waits or comes back, and goes round nowhere."""
        s = self.instance("dn").mail()
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        names = peers.NameServer({
            ("address.example", "MX"): ["10 127.0.0.1"],
            ("localhost.example", "MX"): ["10 localhost"],
            ("localhost", "A"): ["127.0.0.1"],
            ("us.example", "MX"): ["10 mail.test.example"],
            ("mail.test.example", "A"): ["127.0.0.1"],
            ("null.example", "MX"): ["0 ."],
            ("both.example", "MX"): ["0 .", "10 nowhere.example"],
            ("nowhere.example", "TXT"): ["x"],
        })
        loop = LyingNames(lambda d: reply(d, question(d)[:-4], kind=5))
        s.settings.update({"dns_servers": f"127.0.0.1:{names.port}",
                           "dns_timeout": "1s", "dns_tries": "1",
                           "smtp_tcp_port": s.port, "hopcount_limit": "10",
                           "minimal_backoff_time": "1h",
                           "maximal_backoff_time": "1h"})
        self.s = s.start().add_users(ANN, BOB)
        for domain, status in (("address", ("deferred",)),
                               ("localhost", ("sent",)),  # to ourselves
                               ("us", ("bounced",)), ("null", ("bounced",)),
                               ("both", ("deferred", "bounced"))):
            with s.smtp() as c:
                c.sendmail(ANN, [f"x@{domain}.example"], TEXT)
            line = s.wait_log(f"to=<x@{domain}.example>")[0]
            self.true(any(f"status={x}" in line for x in status), line)
        self.contains(s.wait_log("to=<x@null.example>")[0], "dsn=5.1.10")
        s.wait_log("too many hops")
        self.true(s.log_text().count("to=<x@localhost.example>") <= 11)
        s.stop()
        s.settings["dns_servers"] = f"127.0.0.1:{loop.port}"
        s.start()
        with s.smtp() as c:
            c.sendmail(ANN, ["x@loop.example"], TEXT)
        line = s.wait_log("to=<x@loop.example>")[0]
        self.true("status=deferred" in line or "status=bounced" in line, line)
        self.true(0 < len(loop.asked) < 50, len(loop.asked))
        self.still_serves()
        names.close()
        loop.close()

    def test_H37_answers_of_others(self):
        """Of another number, and from another port: not heard."""
        s = self.instance("dn").mail()
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        sink = peers.Sink()

        def wrong_number(data):
            return reply(bytes([data[0] ^ 1]) + data[1:],
                         b"\0\x0a\4evil\7example\0")

        names = LyingNames(wrong_number)
        s.settings.update({"dns_servers": f"127.0.0.1:{names.port}",
                           "dns_timeout": "1s", "dns_tries": "1",
                           "smtp_tcp_port": sink.port})
        self.s = s.start().add_users(ANN, BOB)
        with s.smtp() as c:
            c.sendmail(ANN, ["x@far.example"], TEXT)
        line = s.wait_log("to=<x@far.example>")[0]
        self.contains(line, "status=deferred")
        self.true("evil" not in s.log_text())
        self.equal(sink.messages, [])
        self.still_serves()
        names.close()
        sink.close()

    # --- the command line ---

    def test_H42_commands_in_odd_places(self):
        s = self.server()

        def run(*command, **kw):
            return subprocess.run(
                [s.bin / command[0], *command[1:]], capture_output=True,
                timeout=suite.DEADLINE, **kw)

        big = "x" * 120000
        for command in (("sendmail", "-C", s.conf, "-f", big, ANN),
                        ("sendmail", "-C", s.conf, big),
                        ("postqueue", "-c", s.conf, "-i", big),
                        ("postconf", "-c", s.conf, big),
                        ("postsuper", "-c", s.conf, "-d", big),
                        ("postern", "-c", s.conf, big),
                        ("postern", "-c", s.conf, "user", "add", big),
                        ("postmap", "-c", s.conf, "-q", big, "hash:" + big),
                        ("postlog", "-c", s.conf, "-t", big, "x"),
                        ("mailq", "-C", big), ("postcat", "-c", s.conf, big)):
            done = run(*command, input=b"Subject: x\n\nx\n")
            self.true(0 <= done.returncode < 128, (command[0], done))
        env = {**os.environ, "LD_PRELOAD": "/nowhere.so", "TZ": big,
               "POSTERN_CONFIG": big, "LANG": "\xff"}
        self.true(0 <= run("mailq", "-C", s.conf, env=env).returncode < 128)
        for closed in ((0,), (1,), (2,), (0, 1, 2)):
            done = subprocess.run(
                [s.bin / "sendmail", "-C", s.conf, BOB],
                timeout=suite.DEADLINE,
                preexec_fn=lambda: [os.close(fd) for fd in closed])
            self.true(0 <= done.returncode < 128, closed)
        done = run("sendmail", "-C", s.conf, "-f", ANN, BOB,
                   input=b"Subject: few\n\nx\n", umask=0o777,
                   preexec_fn=lambda: resource.setrlimit(
                       resource.RLIMIT_FSIZE, (0, 0)))
        self.equal(done.returncode, 0, done.stderr)
        gone = s.dir / "gone"
        gone.mkdir()
        done = run("mailq", "-C", s.conf,
                   preexec_fn=lambda: (os.chdir(gone), gone.rmdir()))
        self.equal(done.returncode, 0, done.stderr)
        self.still_serves()

    def test_H43_names_that_move_the_cursor(self):
        s = self.server(minimal_backoff_time="1h", maximal_backoff_time="1h",
                        smtpd_error_sleep_time="0")
        (s.store / ".postern-store").rename(s.dir / "aside")
        c = self.open(s.port)
        c.reply()
        c.ask(b"EHLO \x1b[2Jx\r\n")
        c.ask(b"EHLO [\x1b]52;c;eA==\x07]\r\n")
        c.ask("EHLO x")
        for sender in (b'"\x1b[31m"@h.example', b"\xe2\x80\xaex@h.example",
                       b'"a\x07b"@h.example', b'"\xc2\x9b"@h.example'):
            c.ask(b"MAIL FROM:<" + sender + b"> SMTPUTF8\r\n")
            c.ask(b"RCPT TO:<\x1b[1m@one.example>\r\n")
            c.ask(f"RCPT TO:<{ANN}>")
            c.ask("DATA")
            c.ask(b"Subject: \x1b]0;title\x07 \xe2\x80\xae\r\n"
                  b"Message-ID: <\x1b[2J@x>\r\n\r\n\x1b[2J\r\n.\r\n")
            c.ask("RSET")
        c.ask(b"\x1b[2J\x07\x9b\r\n")
        c.close()
        out = b"".join(
            subprocess.run([s.bin / a[0], *a[1:], s.conf],
                           capture_output=True).stdout
            for a in (["mailq", "-C"], ["postqueue", "-j", "-c"],
                      *(["postcat", "-q", p.name, "-c"]
                        for p in s.queue_files())))
        for where in (out, s.log.read_bytes()):
            bad = [b for b in where if b < 0x20 and b not in (9, 10)
                   or b == 0x7f]
            self.equal(bad, [])
            self.true(b"\xe2\x80\xae" not in where and b"\xc2\x9b" not in where)
        (s.dir / "aside").rename(s.store / ".postern-store")
        self.still_serves()

    def test_H43_what_commands_repeat(self):
        """What is wrong is said, in letters that only show."""
        s = self.server()
        odd = "a\x1b[2J\x07\u202eb\x7f"
        alone = s.dir / "odd"
        alone.mkdir()
        (alone / "main.cf").write_text((s.conf / "main.cf").read_text()
                                       + f"maillog_file = {odd}\n"
                                       f"virtual_mailbox_base = /{odd}\n")
        (alone / "master.cf").write_text(f"{odd} unix - - - - - {odd}\n"
                                         f" -o {odd}=1\n")
        for conf, *args in (
                (alone, "postern", "check"), (s.conf, "postern", odd),
                (s.conf, "postern", "user", "add", ANN, "--quota", odd),
                (s.conf, "postern", "trace", "0" * 16, s.dir / odd),
                (s.dir / odd, "postern", "status"),
                (s.dir / odd, "postconf"), (s.conf, "postconf", odd),
                (s.conf, "postconf", "-e", odd),
                (s.conf, "postqueue", "-i", odd),
                (s.conf, "postcat", "-q", odd),
                (s.conf, "sendmail", "-R", odd)):
            where = "-C" if args[0] == "sendmail" else "-c"
            done = subprocess.run([s.bin / args[0], where, conf, *args[1:]],
                                  input=b"", capture_output=True)
            self.true(b"\\x1b" in done.stderr, (args, done))
            self.true(not set(done.stderr) & {0x1b, 7, 0x7f}
                      and b"\xe2\x80\xae" not in done.stderr, (args, done))

    # --- the disk ---

    def test_H44_a_maildir_with_traps(self):
        s = self.server()
        with s.smtp() as c:
            c.sendmail("x@y.example", [ANN, BOB], TEXT)
        box = s.wait_messages(ANN, 1)[0].parents[1]
        other = s.wait_messages(BOB, 1)[0]
        secret = s.dir / "secret"
        secret.write_text("Subject: secret\n\nsecret\n")
        cur = box / "cur"
        (cur / "1.link:2,").symlink_to(secret)
        (cur / "2.link:2,S").symlink_to(other)
        (cur / "3.dangling:2,").symlink_to("/nowhere")
        os.mkfifo(cur / "4.fifo:2,")
        (cur / "5.directory:2,").mkdir()
        with socket.socket(socket.AF_UNIX) as u:
            u.bind(str(cur / "6.socket:2,"))
        (cur / "7.empty:2,").write_bytes(b"")
        (box / "new" / "8.link").symlink_to(secret)
        (box / ".evil").symlink_to(s.dir)
        c = self.open_tls(s.imaps)
        c.line()
        answers = b""
        for text in (f"a LOGIN {ANN} secret", 'b LIST "" *', "c SELECT INBOX",
                     "d FETCH 1:* (FLAGS BODY.PEEK[])", "e SEARCH TEXT secret",
                     "f SELECT evil", "g SELECT INBOX", "h STORE 1:* +FLAGS "
                     "(\\Deleted)", "i EXPUNGE", "j STATUS INBOX (MESSAGES)"):
            tag = text[:2].encode()
            c.send(text.encode() + b"\r\n")
            while (line := c.line()) is not None:
                answers += line + b"\n"
                if line.startswith(tag):
                    break
            self.true(line is not None, text)
        self.true(b"secret\n" not in answers, answers)
        c.close()
        self.true(secret.exists() and other.exists())
        with s.smtp() as m:
            m.sendmail("x@y.example", [ANN], TEXT)
        self.still_serves()

    def test_H44_a_directory_that_is_full(self):
        """Of what is no message: 20,000 files, or a million at length."""
        s = self.server()
        with s.smtp() as c:
            c.sendmail("x@y.example", [ANN], TEXT)
        box = s.wait_messages(ANN, 1)[0].parents[1]
        owner = box.stat()
        for i in range(1000000 if suite.LONG else 20000):
            os.symlink("/etc/passwd", box / "cur" / f"{i}.link:2,")
        for name in ("x" * 255, "9.x:2,\xff", ".hidden", "9.y:2,:2,S:2,"):
            path = box / "cur" / name
            path.write_text(TEXT)
            os.chown(path, owner.st_uid, owner.st_gid)
        begin = time.monotonic()
        c = self.open_tls(s.imaps)
        c.line()
        for text in (f"a LOGIN {ANN} secret", "b SELECT INBOX",
                     "c FETCH 1:* (FLAGS RFC822.SIZE)"):
            c.send(text.encode() + b"\r\n")
            while (line := c.line()) is not None:
                self.true(b"passwd" not in line and b"root:" not in line)
                if line.startswith(text[:2].encode()):
                    break
            self.true(line is not None and b" OK" in line, (text, line))
        self.true(time.monotonic() - begin < 20, "too slow")
        self.true(self.memory("imapd") < hostile.MEMORY,
                  self.memory("imapd"))
        c.close()
        with s.smtp() as m:
            m.sendmail("x@y.example", [ANN], TEXT)
        self.still_serves()

    def test_H45_a_directory_that_becomes_a_link(self):
        if os.geteuid() != 0:
            return  # all is one user's then: nobody is kept from anything
        s = self.server()
        with s.smtp() as c:
            c.sendmail("x@y.example", [ANN], TEXT)
        box = s.wait_messages(ANN, 1)[0].parents[1]
        trap = s.dir / "trap"
        for d in (trap, trap / "new", trap / "cur", trap / "tmp"):
            d.mkdir()
            os.chown(d, *os.stat(box)[4:6])
        link = box / "tmp" / "link"
        link.symlink_to(trap / "new")
        stop = threading.Event()
        exchange = ctypes.CDLL(None).renameat2
        names = [str(p).encode() for p in (box / "new", link)]

        def swap():
            while not stop.is_set():
                exchange(-100, names[0], -100, names[1], 2)

        t = threading.Thread(target=swap)
        t.start()
        with s.smtp() as c:
            for _ in range(300):
                c.sendmail("x@y.example", [ANN], TEXT)
        stop.set()
        t.join()
        if (box / "new").is_symlink():
            exchange(-100, names[0], -100, names[1], 2)

        def all_there():
            subprocess.run([s.bin / "postqueue", "-c", s.conf, "-f"])
            return len(s.messages(ANN)) >= 301

        suite.wait_for(all_there, "all of them")
        self.equal(list((trap / "new").iterdir()), [])
        self.equal(len(s.messages(ANN)), 301)

    def test_H46_queue_files_made_by_hand(self):
        s = self.server(fast_delivery_time="0", minimal_backoff_time="1h",
                        maximal_backoff_time="1h")
        (s.store / ".postern-store").rename(s.dir / "aside")
        with s.smtp() as c:
            for to in (ANN, BOB):
                c.sendmail("x@y.example", [to], TEXT)
        suite.wait_for(lambda: len(s.queue_files("deferred")) == 2, "deferral")
        s.stop()
        first, good = sorted(s.queue_files("deferred"))
        data, owner = first.read_bytes(), first.stat()
        first.unlink()
        bad = {
            "empty": b"", "short": data[:30],
            "no content": data[:len(data) // 2],
            "future": data[:4] + b"\xff\xff\xff\xff" + data[8:],
            "text": b"Subject: by hand\n\nx\n", "zeros": bytes(4096),
        }
        rng = random.Random(46)
        for i in rng.sample(range(len(data)), min(150, len(data))):
            bad[f"bit {i}"] = (data[:i]
                               + bytes([data[i] ^ 1 << rng.randrange(8)])
                               + data[i + 1:])
        number = int(first.name, 16)
        end = data.index(TEXT.encode()) + len(TEXT)  # statuses follow
        expected = set()
        for what, text in bad.items():
            number += 1 << 12
            if not what.startswith("bit ") or int(what[4:]) < end:
                expected.add(f"{number:016X}")
            p = first.with_name(f"{number:016X}")
            p.write_bytes(text)
            os.chown(p, owner.st_uid, owner.st_gid)
            os.utime(p, (0, 0))
        (first.parent / "0123456789ABCDEF").symlink_to(good)
        (first.parent / "1123456789ABCDEF").mkdir()
        (first.parent / "not-an-id").write_text("x")
        (s.dir / "aside").rename(s.store / ".postern-store")
        s.start()
        subprocess.run([s.bin / "postqueue", "-c", s.conf, "-f"], check=True)
        s.wait_messages(BOB, 1)
        suite.wait_for(lambda: not s.queue_files("deferred")[3:] and
                       not s.queue_files("active"), "the end of all")
        found = {p.name for p in s.queue_files("corrupt")}
        self.equal(expected - found, set(), "not put away")
        # A torn status is as if it had not been written.
        for p in s.messages(ANN):
            self.true(p.read_bytes().endswith(TEXT.encode()), p.read_bytes())
        self.still_serves()

    # --- sockets ---

    def test_H47_rubbish_on_local_sockets(self):
        s = self.server()
        kept = []
        for name, kind in (("qmgr", socket.SOCK_SEQPACKET),
                           ("log", socket.SOCK_SEQPACKET),
                           ("accounts", socket.SOCK_SEQPACKET),
                           ("master", socket.SOCK_SEQPACKET),
                           ("showq", socket.SOCK_STREAM),
                           ("submit", socket.SOCK_STREAM)):
            path = str(s.queue / "public" / name)
            if not os.path.exists(path):
                path = str(s.queue / "private" / name)
            self.true(os.path.exists(path), name)
            for data in (b"", b"x", os.urandom(3000), b"\0" * 8,
                         b"\1\7" + b"\xff" * 60, b"\x11\7\0\0",
                         bytes(range(256)) * 200):
                u = socket.socket(socket.AF_UNIX, kind)
                u.settimeout(suite.DEADLINE)
                u.connect(path)
                try:
                    u.send(data)
                    # Descriptors that nobody asked for are closed.
                    u.sendmsg([b"xy"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                         array.array("i", [0] * 30))])
                except OSError:
                    pass
                kept.append(u)
            for _ in range(100):
                u = socket.socket(socket.AF_UNIX, kind)
                u.setblocking(False)
                try:
                    u.connect(path)
                except OSError:
                    pass
                kept.append(u)
        for u in kept:
            u.close()
        for pid, name, _, _ in s.processes():
            try:
                count = len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                continue
            self.true(count < 200, (name, count))
        self.equal(subprocess.run([s.bin / "mailq", "-C", s.conf],
                                  capture_output=True).returncode, 0)
        s.postern("user", "list")
        self.still_serves()


suite.main()
