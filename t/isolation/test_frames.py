# SPDX-License-Identifier: BSD-2-Clause
"""Frames that make no sense on every channel between programs (I13; on public
sockets: H47 in t/hostile), and raw bytes in every logged field (I18)."""
import contextlib
import re
import socket
import subprocess

import drill
import peers
from drill import ANN, DERIVED
from test_matrix import JOINS

import suite

BYTES = bytes(range(256))
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")


class Frames(suite.Case):
    def test_i13_frames(self):
        d = drill.Drill(self.instance("fr").mail().tls("localhost"))
        s = d.s
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        s.settings["dns_servers"] = "127.0.0.1:9"
        s.start()
        drill.add_tenants(s)  # with local to start for them
        s.stop()
        d.take_orders(["imapd"])  # local itself hears what qmgr's probe says
        hubs = {"qmgr", "authd", "keyd", "dnsd", "notify", "logd"}
        for role, joins in JOINS.items():
            if joins and role not in DERIVED:
                d.add(role, "garble", ",".join(joins), name=f"{role}-garbles")
        for n in range(0, 12):
            d.add("notify", "garble-master", n, name=f"notify-{n}-garbles")
        d.start()
        suite.wait_for(lambda: s.postern("user", "list",
                                         check=False).returncode == 0, "authd")
        before = {p[2]: p[0] for p in s.processes() if p[2] in hubs}
        self.equal(set(before), hubs)
        results = d.results()
        results["imapd"] = d.order("imapd", "garble", "notify")
        for name, (how, why) in results.items():
            self.equal(how, "refused", f"{name}: {why} did not hang up")
        after = {p[2]: p[0] for p in s.processes() if p[2] in hubs}
        self.equal(after, before, "programs that were ended by a frame")
        ended = [x for x in s.log_text().splitlines()
                 if re.search(r"service \S+ pid \d+ (killed|exit|was)", x)
                 and "-garbles" not in x]
        self.equal(ended, [], "programs that ended")
        self.true("closing the channel" in s.log_text(), "complaints")

    def send(self, port, *lines):
        """Say all this, whatever the answers are."""
        with socket.create_connection(("127.0.0.1", port),
                                      timeout=suite.DEADLINE) as c, \
                contextlib.suppress(OSError):
            c.recv(1000)
            for line in lines:
                c.sendall(line)
                c.recv(1000)

    def test_i18_no_raw_bytes(self):
        odd = bytes(b for b in BYTES if b not in b"\r\n")
        sink = peers.Sink(replies={"RCPT b@far.example":
                                   "550 5.1.1 \x1b[2J\x07\x9b1m no"})
        s = self.instance("by").mail().tls("localhost")
        s.rows += ["smtp unix - - - - - smtp"]
        s.settings.update({"relayhost": "[127.0.0.1]:" + str(sink.port),
                           "mynetworks": "127.0.0.0/8",
                           "disable_plaintext_auth": "no"})
        s.start()
        s.add_users(ANN)
        quoted = odd.replace(b'"', b"").replace(b"\\", b"").replace(b"\0", b"")
        for part in (quoted, quoted[:40], quoted[120:]):
            self.send(s.port, b"EHLO " + part + b"\r\n",
                      b"MAIL FROM:<\"" + part + b"\"@a.example>\r\n",
                      b"RCPT TO:<\"" + part + b"\"@one.example>\r\n",
                      b"RCPT TO:<" + ANN.encode() + b"> ORCPT=rfc822;" + part
                      + b"\r\n", part + b"\r\n", b"QUIT\r\n")
            self.send(s.port, b"HELO x\r\n", b"MAIL FROM:<x@a.example>\r\n",
                      b"RCPT TO:<" + ANN.encode() + b">\r\n", b"DATA\r\n",
                      b"Message-ID: <" + part + b"@x>\r\nSubject: "
                      + part + b"\r\n\r\n1\r\n.\r\n", b"QUIT\r\n")
            self.send(s.imap, b'a LOGIN "' + part + b'" "x"\r\n',
                      b'b ID ("name" "' + part + b'")\r\n', b"c LOGOUT\r\n")
            self.send(s.pop3, b"USER " + part + b"\r\n", b"PASS x\r\n",
                      b"QUIT\r\n")
        with s.smtp() as c:
            c.sendmail("x@a.example", ["b@far.example"], "Subject: 1\r\n\r\n1")
        s.wait_log("status=bounced")
        said = s.log.read_bytes()
        queue = subprocess.run([s.bin / "postqueue", "-c", s.conf, "-p"],
                               capture_output=True).stdout
        names = set(re.findall(r": ([0-9A-F]{16}): ", s.log_text()))
        traces = b"".join(s.postern("trace", n, check=False).stdout.encode(
            errors="surrogateescape") for n in list(names)[:10])
        for what, text in (("log", said), ("queue", queue),
                           ("trace", traces)):
            self.equal([x for x in text.split(b"\n") if CONTROL.search(x)],
                       [], f"raw bytes in the {what}")
        sink.close()


if __name__ == "__main__":
    suite.main()
