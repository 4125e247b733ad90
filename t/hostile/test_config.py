# SPDX-License-Identifier: BSD-2-Clause
"""H41: configurations that nothing is to begin with. Each is refused by
`postern check`, by a start and by a reload, with a sentence that names the
file and, of what stands in it, the line; what runs goes on as it was."""
import os
import socket

import hostile
from hostile import ANN, suite

# What is wrong, the line that has it (behind good ones), and words of the
# sentence. "N" is the line's number.
LINES = {
    "a long value": (b"x" * 300000, "main.cf, line N"),
    "a long value in pieces": (b"mydestination = a,\n" + b" b,\n" * 150000,
                               "main.cf, line N"),
    "a loop": (b"mydomain = $myorigin\nmyorigin = ${mydomain}", "mydomain"),
    "a loop of one": (b"mydomain = a$mydomain", "mydomain"),
    "ever more text": (b"\n".join(
        [b"a0 = x"] + [b"a%d = $a%d$a%d" % (n + 1, n, n) for n in range(40)]
        + [b"mydomain = $a40"]), "mydomain"),
    "deep braces": (b"mydomain = " + b"${a?{" * 20000, "mydomain"),
    "NUL": (b"mydomain = a\0b", "main.cf, line N"),
    "NUL in a name": (b"my\0domain = a", "main.cf, line N"),
    "no equals sign": (b"mydomain", "main.cf, line N"),
    "no name": (b"= x", "main.cf, line N"),
    "a time over all units": (b"max_idle = 99999999999999999999d",
                              "main.cf, line N"),
    "a time that wraps": (b"max_idle = 4294967296s", "main.cf, line N"),
    "a time that wraps as days": (b"max_idle = 49711d", "main.cf, line N"),
    "a size that wraps": (b"message_size_limit = 18014398509481984k",
                          "main.cf, line N"),
    "a negative size": (b"message_size_limit = -1", "main.cf, line N"),
    "a number with more": (b"max_use = 1e3", "main.cf, line N"),
    "another unit": (b"max_idle = 3y", "main.cf, line N"),
}


class Config(hostile.HostileCase):
    def refused(self, s, what, *words, runs=True):
        """By all three, with these words; it still runs as it was."""
        check = s.postern("check", check=False, timeout=suite.DEADLINE)
        self.true(check.returncode != 0, (what, "check"))
        reload = s.postern("reload", check=False, timeout=suite.DEADLINE)
        self.true(reload.returncode != 0, (what, "reload"))
        for word in words:
            self.true(word in check.stderr, (what, word, check.stderr[:500]))
        self.true(len(check.stderr) < 5000, (what, len(check.stderr)))
        self.true(all(c == "\n" or c.isprintable() for c in check.stderr),
                  what)
        with socket.create_connection(("127.0.0.1", s.port),
                                      timeout=suite.DEADLINE) as sock:
            self.equal(hostile.Raw(sock).reply(), 220)

    def not_started(self, s, what, *words):
        done = s.postern("start", check=False, timeout=suite.DEADLINE)
        self.true(done.returncode != 0, (what, "start"))
        said = done.stderr + s.log_text()
        for word in words:
            self.true(word in said, (what, word, said[-500:]))

    def test_H41_lines_that_are_refused(self):
        s = self.server()
        main = s.conf / "main.cf"
        good = main.read_bytes()
        number = str(good.count(b"\n") + 1)
        refused = {what: (good + text + b"\n", words.replace("N", number))
                   for what, (text, words) in LINES.items()}
        refused["10 MB in a line"] = (b"mydomain = " + b"x" * (10 << 20),
                                      "main.cf")
        for what, (text, words) in refused.items():
            main.write_bytes(text)
            self.refused(s, what, words)
        s.stop()
        for what, (text, words) in refused.items():
            main.write_bytes(text)
            self.not_started(s, what, words)
        main.write_bytes(good)
        s.start()
        self.still_serves()

    def test_H41_services_that_are_refused(self):
        s = self.server()
        file = s.conf / "master.cf"
        good = file.read_bytes()
        number = str(good.count(b"\n") + 1)
        for what, text in {
                "NUL": b"x\0 unix - - - - - mapd", "few words": b"x unix -",
                "another type": b"x udp - - - - - mapd",
                "a number that wraps": b"x unix - - - - 4294967296 mapd",
                "no program": b"x unix - - - - - ../../bin/sh"}.items():
            file.write_bytes(good + text + b"\n")
            check = s.postern("check", check=False)
            self.true(check.returncode != 0, what)
            self.contains(check.stderr, f"master.cf, line {number}")
        file.write_bytes(b"x" * (10 << 20))
        check = s.postern("check", check=False)
        self.true(check.returncode != 0)
        self.contains(check.stderr, "master.cf")
        s.stop()
        self.not_started(s, "10 MB", "master.cf")
        file.write_bytes(good)
        s.start()
        self.still_serves()

    def test_H41_what_is_odd_is_said_with_its_line(self):
        """Unknown names and names set twice are no reason to stay down."""
        s = self.server()
        main = s.conf / "main.cf"
        good = main.read_bytes()
        number = good.count(b"\n") + 1
        main.write_bytes(good + b"max_idel = 10s\nmax_idle = 10s\n"
                         b"max_idle = 20s\n")
        check = s.postern("check")
        self.contains(check.stderr, f"main.cf, line {number}: max_idel: "
                                    "unknown parameter")
        self.contains(check.stderr, "max_idle")
        self.contains(check.stderr, f"line {number + 2}")
        s.postern("reload")
        s.wait_log("max_idel: unknown parameter")
        self.still_serves()

    # --- who may write it ---

    def test_H41_files_that_others_may_write(self):
        s = self.server()
        for path in (s.conf / "main.cf", s.conf / "master.cf", s.conf):
            mode = path.stat().st_mode & 0o7777
            path.chmod(mode | 0o002)
            words = (str(path), "can be changed by everybody", "chmod o-w")
            check = s.postern("check", check=False)
            self.true(check.returncode != 0, path)
            for word in words:
                self.contains(check.stderr, word)
            if path.name != "master.cf":  # which a reload does not read
                self.refused(s, path, *words)
            s.stop()
            self.not_started(s, path, *words)
            path.chmod(mode)
            s.start()
        if os.geteuid() == 0:
            self.files_of_others(s)
        self.still_serves()

    def files_of_others(self, s):
        main = s.conf / "main.cf"
        os.chown(main, 65534, 0)
        self.refused(s, "owner", f"{main} belongs to a user who can change it",
                     "chown root")
        s.stop()
        self.not_started(s, "owner", "belongs to a user")
        os.chown(main, 0, 65534)
        main.chmod(0o664)
        check = s.postern("check")
        self.contains(check.stderr, f"warning: {main} can be changed by a "
                                    "group")
        s.start()
        self.contains((s.dir / "stderr").read_text(),
                      f"warning: {main} can be changed by a group")
        s.postern("reload")
        s.wait_log(f"warning: {main} can be changed by a group")
        os.chown(main, 0, 0)
        main.chmod(0o644)

    def test_H41_links(self):
        """It counts what the file is that is read, and who may write that."""
        s = self.server()
        main = s.conf / "main.cf"
        real = s.dir / "real.cf"
        main.rename(real)
        main.symlink_to(real)
        s.postern("check")
        s.postern("reload")
        real.chmod(0o666)
        self.refused(s, "a link", "can be changed by everybody")
        main.unlink()
        main.symlink_to("main.cf")
        self.refused(s, "a loop of links", "main.cf")
        main.unlink()
        os.mkfifo(main)
        self.refused(s, "a FIFO", "main.cf")
        main.unlink()
        main.mkdir()
        self.refused(s, "a directory", "main.cf")
        main.rmdir()
        real.chmod(0o644)
        real.rename(main)
        self.still_serves()

    def test_H41_keys_that_others_may_write(self):
        s = self.server()
        pem = s.dir / "server.pem"
        pem.chmod(0o602)
        check = s.postern("check", check=False)
        self.true(check.returncode != 0)
        self.contains(check.stderr, f"{pem} can be changed by everybody; run: "
                                    f"chmod o-w {pem}")
        s.stop()
        s.start()
        s.wait_log(f"the key file is not used: {pem} can be changed by "
                   "everybody")
        c = self.open(s.port)
        c.reply()
        c.send(b"EHLO x\r\n")
        features = b""
        while not features.endswith(b"250 "):
            line = c.line()
            features += line + b"\n"
            if line.startswith(b"250 "):
                break
        self.true(b"STARTTLS" not in features, features)
        c.close()
        pem.chmod(0o600)
        s.postern("reload")
        with s.smtp() as m:
            m.sendmail("x@y.example", [ANN], "Subject: x\r\n\r\nx")
        s.wait_messages(ANN, 1)
        self.still_serves()


suite.main()
