# SPDX-License-Identifier: BSD-2-Clause
"""postconf and postern check."""
import os
import subprocess

import suite

MAIN = """\
# a comment
myhostname = mail.one.example
smtpd_banner = $myhostname
    ESMTP
  # a comment inside
    hello

mynetworks = 127.0.0.0/8
mynetworks = 10.0.0.0/8
"""

MASTER = """\
smtp inet n - y - - smtpd
587 inet n - - - 20 smtpd -o syslog_name=postfix/submission
    -o smtpd_sasl_auth_enable=yes -v
qmgr unix n - - 300? 1 qmgr
"""


class Postconf(suite.Case):
    def setup(self):
        s = self.instance("pc")
        self.dir = s.conf
        (self.dir / "main.cf").write_text(MAIN)
        (self.dir / "master.cf").write_text(MASTER)

    def run_tool(self, *args, code=0, name="postconf"):
        r = subprocess.run([suite.BUILD / "bin" / name, "-c", self.dir,
                            *map(str, args)], text=True, capture_output=True,
                           timeout=suite.DEADLINE)
        self.equal(r.returncode, code, f"{args}: {r.stderr}")
        self.err = r.stderr
        return r.stdout

    def main_cf(self):
        return (self.dir / "main.cf").read_text()

    def test_what_is_set(self):
        self.equal(self.run_tool("-n"),
                   "myhostname = mail.one.example\n"
                   "mynetworks = 10.0.0.0/8\n"
                   "smtpd_banner = $myhostname    ESMTP    hello\n")
        self.contains(self.err, "mynetworks is set 2 times")

    def test_values(self):
        self.equal(self.run_tool("-h", "myhostname"), "mail.one.example\n")
        self.equal(self.run_tool("-x", "smtpd_banner"),
                   "smtpd_banner = mail.one.example    ESMTP    hello\n")
        self.equal(self.run_tool("-d", "mynetworks"),
                   "mynetworks = 127.0.0.0/8 [::1]/128\n")
        self.equal(self.run_tool("-o", "mydomain=x.example", "mydomain"),
                   "mydomain = x.example\n")
        self.equal(self.run_tool("-H", "mydomain"), "mydomain\n")
        self.equal(self.run_tool("nonsense"), "")
        self.equal(self.err, "postconf: warning: nonsense: unknown "
                   "parameter\n")

    def test_all_parameters_are_there_once_and_in_order(self):
        names = [line.split(" = ")[0]
                 for line in self.run_tool("-d").splitlines()]
        self.equal(names, sorted(set(names)))
        for name in ("message_size_limit", "queue_directory", "mynetworks"):
            self.true(name in names, name)

    def test_services(self):
        self.equal(self.run_tool("-M").splitlines(), [
            "smtp       inet  n       -       y       -       -       smtpd",
            "587        inet  n       -       -       -       20      smtpd "
            "-v -o syslog_name=postfix/submission "
            "-o smtpd_sasl_auth_enable=yes",
            "qmgr       unix  n       -       -       300?    1       qmgr"])
        self.equal(len(self.run_tool("-M", "qmgr/unix").splitlines()), 1)
        self.equal(self.run_tool("-M", "qmgr/inet"), "")
        self.equal(self.run_tool("-P", "587/inet"),
                   "587/inet/syslog_name = postfix/submission\n"
                   "587/inet/smtpd_sasl_auth_enable = yes\n")

    def test_editing_keeps_the_rest(self):
        os.chmod(self.dir / "main.cf", 0o640)
        self.run_tool("-e", "smtpd_banner = $myhostname ready",
                      "mynetworks=127.0.0.1", "mydomain=one.example")
        self.equal(self.main_cf(),
                   "# a comment\n"
                   "myhostname = mail.one.example\n"
                   "smtpd_banner = $myhostname ready\n"
                   "  # a comment inside\n"
                   "\n"
                   "mynetworks = 127.0.0.1\n"
                   "mydomain = one.example\n")
        self.equal((self.dir / "main.cf").stat().st_mode & 0o777, 0o640)
        self.run_tool("-X", "mydomain")
        self.true("mydomain" not in self.main_cf())
        self.run_tool("-#", "mynetworks")
        self.contains(self.main_cf(), "\n#mynetworks = 127.0.0.1\n")
        self.equal(sorted(p.name for p in self.dir.iterdir()),
                   ["main.cf", "master.cf"])

    def test_editing_refuses_nonsense(self):
        before = self.main_cf()
        for setting in ("no equals sign", "=x", "a b\nc=d"):
            self.run_tool("-e", setting, code=64)
        self.equal(self.main_cf(), before)

    def check(self, text, code):
        (self.dir / "main.cf").write_text(
            f"daemon_directory = {suite.BUILD}/libexec\n" + text)
        self.run_tool("check", code=code, name="postern")
        return self.err

    def test_check(self):
        err = self.check("mesage_size_limit = 10\n"
                         "mua_client_restrictions = permit_mynetworks\n"
                         "smtpd_client_restrictions = "
                         "$mua_client_restrictions\n"
                         "biff = no\nsmtpd_milters = inet:localhost:1\n"
                         "mydomain = x.example # ours\n", 0)
        self.contains(err, "main.cf, line 2: mesage_size_limit: unknown "
                      "parameter; did you mean message_size_limit?\n")
        self.contains(err, "smtpd_milters has no effect: there are no "
                      "milters\n")
        self.contains(err, "mydomain: the text behind # is part of the value")
        self.true("biff" not in err and "mua_client" not in err, err)

    def test_check_finds_every_error(self):
        (self.dir / "master.cf").write_text(
            MASTER + "x unix - - - - - nosuch -o smtpd_tmeout=3\n")
        err = self.check("smtpd_timeout = soon\nmessage_size_limit = 1\n"
                         "smtpd_helo_required = perhaps\n"
                         "smtpd_tls_chain_files = /nonexistent.pem\n"
                         "myhostname = $mydomain\nmydomain = $myhostname\n",
                         78)
        for part in ("line 2: smtpd_timeout = soon is not a time",
                     "line 3: message_size_limit = 1 is not between 1024 and",
                     "line 4: smtpd_helo_required = perhaps is neither",
                     "/nonexistent.pem: No such file or directory",
                     "service x: there is no program",
                     "smtpd_tmeout: unknown parameter; did you mean "
                     "smtpd_timeout?"):
            self.contains(err, part)

    def test_a_file_that_makes_no_sense(self):
        (self.dir / "main.cf").write_text("one\n")
        self.run_tool("-n", code=78)
        self.contains(self.err, "main.cf, line 1: missing '=' after \"one\"")


suite.main()
