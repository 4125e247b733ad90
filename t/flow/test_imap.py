# SPDX-License-Identifier: BSD-2-Clause
"""IMAP sessions, as a client library speaks them, through login."""
import contextlib
import ctypes
import imaplib
import os
import re
import socket
import struct
import subprocess
import time

import suite

ANN, BOB = "ann@one.example", "bob@one.example"
TEXT = b"From: a@b\r\nSubject: hello\r\n\r\nline one\r\n"


class Imap(suite.Case):
    def server(self, **settings):
        s = self.instance("im").mail().tls()
        s.settings.update(settings)
        return s.start().add_users(ANN, BOB)

    def client(self, s, user=ANN):
        c = self.open(s)
        c.login(user, "secret")
        return c

    def open(self, s):
        context = s.context()

        class Client(imaplib.IMAP4):
            """To the instance's port, with the name of its certificate."""

            def _create_socket(self, timeout=None):
                sock = socket.create_connection(("127.0.0.1", s.imaps),
                                                timeout=suite.DEADLINE)
                return context.wrap_socket(
                    sock, server_hostname="mail.test.example")

        return Client()

    def ok(self, answer):
        self.equal(answer[0], "OK", answer)
        return answer[1]

    def test_a_session(self):
        s = self.server()
        c = self.client(s)
        self.contains(c.capabilities, "IDLE")
        self.equal(self.ok(c.select("INBOX")), [b"0"])
        self.ok(c.create("work"))
        self.ok(c.append("work", r"(\Seen)", None, TEXT))
        self.ok(c.append("INBOX", None, time.time() - 86400, TEXT))
        self.ok(c.noop())
        data = self.ok(c.fetch("1", "(UID FLAGS BODY.PEEK[])"))
        self.equal(data[0][1], TEXT)
        self.equal(self.ok(c.search(None, "SUBJECT", "HELLO")), [b"1"])
        self.ok(c.copy("1", "work"))
        self.ok(c.store("1", "+FLAGS", r"(\Deleted)"))
        self.equal(self.ok(c.expunge()), [b"1"])
        self.contains(self.ok(c.status("work", "(MESSAGES UNSEEN)"))[0],
                      b"(MESSAGES 2 UNSEEN 1)")
        self.ok(c.close())
        names = [x.split(b'"')[-2] for x in self.ok(c.list())]
        self.true(b"INBOX" in names and b"work" in names, names)
        self.equal(c.logout()[0], "BYE")
        s.wait_log(f"imap({ANN})<")
        line = [x for x in s.log_text().splitlines() if f"imap({ANN})" in x][0]
        self.true(re.search(r" dovecot\S*: imap\(ann@one\.example\)<\d+><\S+>"
                            r": Disconnected: Logged out in=\d+ out=\d+ "
                            r"deleted=1 expunged=1 ", line), line)

    def test_a_message_is_restored(self):
        """From a backup, under its name, while its account is in use."""
        s = self.server()
        c = self.client(s)
        self.ok(c.append("INBOX", None, None, TEXT))
        self.ok(c.select("INBOX"))
        file, = (s.maildir(ANN) / "cur").iterdir()
        copy = s.dir / file.name
        subprocess.run(["cp", "-a", file, copy], check=True)
        self.ok(c.store("1", "+FLAGS", r"(\Deleted)"))
        self.equal(self.ok(c.expunge()), [b"1"])
        second = int(time.time())
        suite.wait_for(lambda: int(time.time()) > second, "the clock")
        subprocess.run(["cp", "-a", copy, file], check=True)
        self.ok(c.noop())
        data = self.ok(c.fetch("1", "(UID BODY.PEEK[])"))
        self.equal(data[0][1], TEXT)
        self.contains(data[0][0], b"UID 2 ")

    def test_mail_that_comes_is_told_at_once(self):
        s = self.server(imap_idle_poll="1h")
        c = self.client(s)
        self.ok(c.select("INBOX"))
        c.send(b"x IDLE\r\n")
        while not c.readline().startswith(b"+"):
            pass
        with s.smtp() as smtp:
            smtp.sendmail("out@other.example", [ANN], TEXT.decode())
        self.equal(c.readline(), b"* 1 EXISTS\r\n")
        c.send(b"DONE\r\n")
        while not c.readline().startswith(b"x OK"):
            pass
        data = self.ok(c.fetch("1", "(RFC822)"))
        self.true(data[0][1].startswith(b"Return-Path: <out@other.example>"),
                  data)
        c.logout()

    def test_a_reload_drops_no_session(self):
        s = self.server(imap_idle_poll="1h")
        reader, idler = self.client(s), self.client(s)
        for c in (reader, idler):
            self.ok(c.select("INBOX"))
        idler.send(b"x IDLE\r\n")
        while not idler.readline().startswith(b"+"):
            pass
        sender = s.smtp()
        sender.ehlo()
        sender.mail("x@y.example")
        sender.rcpt(ANN)
        waiting = self.open(s)  # connected, not logged in
        s.settings["message_size_limit"] = "2000"
        s.write()
        for i in range(2):
            s.postern("reload")
            s.wait_log("reload -- version", i + 1)
        self.equal(sender.data(TEXT)[0], 250)
        self.equal(idler.readline(), b"* 1 EXISTS\r\n")
        self.ok(reader.noop())
        self.true(self.ok(reader.fetch("1", "(RFC822)"))[0][1]
                  .startswith(b"Return-Path: <x@y.example>"))
        self.equal(waiting.login(ANN, "secret")[0], "OK")
        self.equal(sender.quit()[0], 221)
        with s.smtp() as c:  # a new one has the new limit
            c.ehlo()
            self.equal(c.esmtp_features["size"], "2000")

    def opened(self, watch):
        """The names of files opened in a directory watched by inotify."""
        names, data = [], os.read(watch, 1 << 20)
        while data:
            _, mask, _, size = struct.unpack_from("iIII", data)
            if not mask & 0x40000000:  # not the directory itself
                names.append(data[16:16 + size].rstrip(b"\0"))
            data = data[16 + size:]
        return names

    def test_a_second_select_opens_no_message(self):
        s = self.server()
        with s.smtp() as c:
            c.sendmail("x@y.example", [ANN], TEXT.decode())
        cur = s.wait_messages(ANN, 1)[0].parents[1] / "cur"
        for i in range(2000):
            (cur / f"{1700000000 + i}.M{i}.host:2,S").write_bytes(TEXT)
        if os.geteuid() == 0:
            st = cur.stat()
            for f in cur.iterdir():
                os.chown(f, st.st_uid, st.st_gid)
        c = self.client(s)
        self.equal(self.ok(c.select("INBOX")), [b"2001"])
        self.ok(c.fetch("1:*", "(ENVELOPE)"))
        c.logout()
        libc = ctypes.CDLL(None)
        watch = libc.inotify_init1(os.O_NONBLOCK)
        for folder in (cur, cur.parent / "new"):
            libc.inotify_add_watch(watch, str(folder).encode(), 0x20)  # open
        c = self.client(s)
        self.equal(self.ok(c.select("INBOX")), [b"2001"])
        for command in (lambda: c.fetch("1:*", "(UID FLAGS ENVELOPE)"),
                        lambda: c.search(None, "UNSEEN", "LARGER", "10"),
                        lambda: c.status("INBOX", "(MESSAGES UNSEEN)")):
            self.ok(command())
            with contextlib.suppress(BlockingIOError):
                self.equal(self.opened(watch), [])
        self.ok(c.fetch("7", "(BODY.PEEK[])"))
        self.equal(len(self.opened(watch)), 1)  # the watch sees
        os.close(watch)

    def switches(self, pids):
        """How often these processes have been given a processor: a process
        that makes a system call and waits again has been."""
        found = []
        for pid in pids:
            with open(f"/proc/{pid}/status") as f:
                found += [line.split()[1] for line in f
                          if "voluntary_ctxt_switches" in line]
        return found

    def test_an_idle_session_does_nothing(self):
        s = self.server()
        c = self.client(s)
        c.select("INBOX")
        c.send(b"x IDLE\r\n")
        self.true(c.readline().startswith(b"+"))
        pids = [pid for pid, name, _, _ in s.processes()
                if name in ("imapd", "login", "notify", "authd")]
        # It has gone to sleep when nothing happened for a moment.
        seen = [None, self.switches(pids)]

        def is_quiet():
            time.sleep(0.2)
            seen[:] = [seen[1], self.switches(pids)]
            return seen[0] == seen[1]
        suite.wait_for(is_quiet, "the session to rest")
        time.sleep(10)  # this is about time; its own look is every 30 s
        self.equal(self.switches(pids), seen[1])

    def test_two_sessions_see_each_other(self):
        s = self.server(imap_idle_poll="1h")
        c, d = self.client(s), self.client(s)
        self.ok(c.select("INBOX"))
        self.ok(d.append("INBOX", None, None, TEXT))
        self.ok(c.noop())
        self.equal(c.response("EXISTS")[1][-1], b"1")
        self.ok(d.select("INBOX"))
        self.ok(d.store("1", "+FLAGS", r"(\Flagged)"))
        self.contains(self.ok(c.fetch("1", "FLAGS"))[-1], rb"\Flagged")
        c.send(b"x IDLE\r\n")
        while not c.readline().startswith(b"+"):
            pass
        self.ok(d.store("1", "+FLAGS", r"(\Deleted)"))
        self.contains(c.readline(), rb"\Deleted")
        self.ok(d.expunge())
        self.equal(c.readline(), b"* 1 EXPUNGE\r\n")
        c.send(b"DONE\r\n")
        while not c.readline().startswith(b"x OK"):
            pass
        c.logout()
        d.logout()

    def test_accounts_are_apart(self):
        s = self.server()
        c, d = self.client(s), self.client(s, BOB)
        self.ok(c.append("INBOX", None, None, TEXT))
        self.equal(self.ok(c.select("INBOX")), [b"1"])
        self.equal(self.ok(d.select("INBOX")), [b"0"])
        self.equal(d.select("../ann/INBOX")[0], "NO")
        c.logout()
        d.logout()

    def test_large_messages_go_through(self):
        s = self.server(message_size_limit="5M")
        c = self.client(s)
        big = TEXT + b"0123456789abcdef\r\n" * 200000
        self.ok(c.append("INBOX", None, None, big))
        self.ok(c.select("INBOX"))
        self.equal(self.ok(c.fetch("1", "(BODY.PEEK[])"))[0][1], big)
        self.equal(c.append("INBOX", None, None, big * 2)[0], "NO")
        self.ok(c.noop())
        c.logout()


suite.main()
