# SPDX-License-Identifier: BSD-2-Clause
"""The log: what the tools that read it make of it, and where it may go."""
import contextlib
import imaplib
import os
import poplib
import re
import signal
import smtplib
import socket
import subprocess
import sys

import peers
import suite

ANN, BOB = "ann@one.example", "bob@one.example"
LINE = re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d mail\.test\.example "
                  r"(postfix/[a-z/]+|dovecot)\[\d+\]: \S")


class Log(suite.Case):
    def server(self):
        self.sink = peers.Sink(replies={
            "RCPT no@far.example": "550 5.1.1 no such user",
            "RCPT later@far.example": "450 4.2.0 come back later"})
        s = self.instance("log").mail().tls("localhost")
        s.dns = peers.NameServer({
            ("far.example", "MX"): ["10 mx.far.example"],
            ("mx.far.example", "A"): ["127.0.0.1"]})
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        s.rows = [r.replace("smtpd_tls_security_level=encrypt",
                            "smtpd_tls_security_level=encrypt "
                            "-o syslog_name=postfix/submission")
                  for r in s.rows]
        s.settings.update({
            "dns_servers": f"127.0.0.1:{s.dns.port}", "dns_timeout": "1s",
            "dns_tries": "1", "smtp_tcp_port": self.sink.port,
            "mynetworks": "192.0.2.0/24"})
        return s.start().add_users(ANN, BOB)

    def submit(self, s, password="secret", method="plain"):
        c = smtplib.SMTP("localhost", s.submission, "pc.example",
                         timeout=suite.DEADLINE)
        c.starttls(context=s.context())
        c.ehlo()
        c.user, c.password = ANN, password
        with contextlib.suppress(smtplib.SMTPAuthenticationError):
            c.auth(method.upper(), getattr(c, f"auth_{method}"))
        return c

    def day(self, s):
        """What a day brings: mail in, out and refused, logins good and bad."""
        with s.smtp() as c:
            c.sendmail("x@a.example", [ANN], "Subject: 1\r\n\r\n1")
            c.sendmail("x@a.example", [ANN, BOB], "Subject: 2\r\n\r\n2")
            c.mail("x@a.example")
            c.rcpt("nobody@one.example")
            c.rcpt("x@elsewhere.example")
        self.submit(s, "wrong").close()
        self.submit(s, "wrong", "login").close()
        with self.submit(s) as c:
            c.sendmail(ANN, [BOB], "Subject: 3\r\n\r\n3")
            c.sendmail(ANN, ["yes@far.example", "no@far.example",
                             "later@far.example"], "Subject: 4\r\n\r\n4")
        for password in ("wrong", "secret"):
            i = imaplib.IMAP4_SSL("localhost", s.imaps,
                                  ssl_context=s.context())
            with contextlib.suppress(imaplib.IMAP4.error):
                i.login(ANN, password)
            i.logout()
        p = poplib.POP3_SSL("localhost", s.pop3s, context=s.context())
        p.user("nobody@one.example")
        with contextlib.suppress(poplib.error_proto):
            p.pass_("wrong")
        p.quit()
        subprocess.run([s.bin / "sendmail", "-C", s.conf, "-f", ANN, BOB],
                       input="Subject: 5\n\n5\n", text=True, check=True)
        s.wait_log("sender non-delivery notification: ")
        s.wait_log("status=deferred")
        s.wait_log("status=sent", 7)
        s.wait_log(": removed", 5)
        s.wait_log("disconnect from ", 5)
        s.wait_log("pop3-login: Disconnected")

    def fail2ban(self, s, name):
        out = subprocess.run(["fail2ban-regex", s.log, name],
                             capture_output=True, text=True).stdout
        return int(re.search(r"Failregex: (\d+) total", out)[1])

    def test_tools_that_read_it_count_right(self):
        s = self.server()
        self.day(s)
        for line in s.log_text().splitlines():
            self.true(LINE.match(line), line)
        report = subprocess.run(["pflogsumm", s.log], capture_output=True,
                                text=True, check=True).stdout
        numbers = {k: int(n) for n, k in re.findall(
            r"^ +(\d+)k? +(\w[\w ]*?)(?:  .*| \(.*)?$", report, re.M)}
        for what, count in (("received", 5), ("delivered", 7),
                            ("forwarded", 0), ("deferred", 1), ("bounced", 1),
                            ("rejected", 2), ("senders", 2),
                            ("recipients", 3), ("held", 0)):
            self.equal(numbers[what], count, f"{what} in\n{report}")
        size = sum(int(n) for n in re.findall(
            r"from=<[^>]+>, size=(\d+)", s.log_text()))
        self.equal(numbers["bytes received"], size)
        for part in ("4.2.0 come back later", "5.1.1 no such user",
                     "Relay access denied (total: 1)",
                     "User unknown in virtual mailbox table (total: 1)"):
            self.contains(report, part)
        self.equal(self.fail2ban(s, "postfix"), 2)
        self.equal(self.fail2ban(s, "postfix[mode=auth]"), 2)
        self.equal(self.fail2ban(s, "dovecot"), 4 + 2)
        self.sink.close()

    def test_a_line_of_our_own(self):
        s = self.instance("log").start()

        def postlog(*args, **kw):
            return subprocess.run([s.bin / "postlog", "-c", s.conf, *args],
                                  capture_output=True, text=True, **kw)

        self.equal(postlog("backup", "done").returncode, 0)
        self.equal(postlog("-t", "postfix/script", "-p", "warn", "-i",
                           "disk low").returncode, 0)
        self.equal(postlog("-t", "nightly", input="one\ntwo \x1b[1m\n")
                   .returncode, 0)
        for text in ("postfix/postlog[", "]: backup done",
                     "postfix/script[", "]: warning: disk low", "nightly[",
                     "]: one", "]: two  [1m"):
            s.wait_log(text)
        for args, code in ((("-t", "a b", "x"), 64), (("-p", "odd", "x"), 64),
                           (("-q",), 64)):
            self.equal(postlog(*args).returncode, code, args)
        s.stop()
        done = postlog("x")
        self.equal(done.returncode, 69)
        self.contains(done.stderr, "mail system is down")

    def test_strangers_write_no_lines(self):
        if os.geteuid() != 0:
            return  # then everybody here is the owner
        s = self.instance("log").start()
        done = subprocess.run([s.bin / "postlog", "-c", s.conf, "-t",
                               "postfix/smtpd", "connect from x[192.0.2.1]"],
                              capture_output=True, text=True, user=65534)
        self.equal(done.returncode, 77, done.stderr)
        self.contains(done.stderr, "only root")
        self.true("192.0.2.1" not in s.log_text())

    def test_the_systems_logger(self):
        """With a /dev/log of our own, in a mount namespace of our own."""
        if os.geteuid() != 0:
            return
        s = self.instance("log")
        s.settings["maillog_file"] = "syslog"
        s.settings["syslog_facility"] = "local3"
        s.write()
        program = f"""
import os, socket, subprocess, sys
sys.path.insert(0, {str(suite.pathlib.Path(suite.__file__).parent)!r})
run = ["{s.bin}/postern", "-c", "{s.conf}"]
os.mkdir("{s.dir}/dev")
for name in ("null", "zero", "random", "urandom"):
    open("{s.dir}/dev/" + name, "w").close()
    subprocess.run(["mount", "--bind", "/dev/" + name,
                    "{s.dir}/dev/" + name], check=True)
subprocess.run(["mount", "--bind", "{s.dir}/dev", "/dev"], check=True)

def logger():
    l = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    l.bind("/dev/log")
    l.settimeout({suite.DEADLINE})
    return l

def expect(l, *parts):
    while True:
        text = l.recv(8192).decode()
        if all(p in text for p in parts):
            print(text)
            return

def postlog(text):
    subprocess.run(["{s.bin}/postlog", "-c", "{s.conf}", text], check=True)

l = logger()
subprocess.run(run + ["start"], check=True, stdin=subprocess.DEVNULL)
try:
    expect(l, "<158>", " postfix/master[", "]: daemon started")
    l.close()
    os.unlink("/dev/log")
    for i in range(20):
        postlog("while it was away %d" % i)
    l = logger()
    for i in range(20):
        expect(l, "]: while it was away %d" % i)
finally:
    subprocess.run(run + ["stop"], check=True)
"""
        done = subprocess.run(["unshare", "-m", sys.executable, "-c", program],
                              capture_output=True, text=True)
        self.equal(done.returncode, 0, done.stdout + done.stderr)
        self.true(re.search(r"^<158>[A-Z][a-z]{2} [ \d]\d [\d:]{8} "
                            r"postfix/postlog\[\d+\]: while it was away 7$",
                            done.stdout, re.M), done.stdout)

    def test_in_the_foreground_to_standard_output(self):
        s = self.instance("log")
        s.settings["maillog_file"] = "/dev/stdout"
        s.write()
        with subprocess.Popen([s.bin / "postern", "-c", s.conf, "start-fg"],
                              stdout=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL) as p:
            line = p.stdout.readline()
            self.contains(line, "daemon started -- version")
            self.equal(s.postern("status").returncode, 0)
            p.send_signal(signal.SIGTERM)
            self.contains(p.stdout.read(), "terminating on signal 15")
        self.equal(p.returncode, 0)


suite.main()
