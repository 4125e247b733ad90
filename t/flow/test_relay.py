# SPDX-License-Identifier: BSD-2-Clause
"""Mail to other sites: MX, fallbacks, refusals, time-outs, notifications."""
import email
import re
import smtplib
import socket
import ssl

import peers
import suite

TEXT = "Subject: out\r\n\r\n.dot\r\ntext \u00e4\r\n".encode()


class Relay(suite.Case):
    def server(self, sink_port, zone=None, **settings):
        s = self.instance("re").mail()
        zone = zone if zone is not None else {
            ("far.example", "MX"): ["20 mx2.far.example", "10 mx1.far.example"],
            ("mx1.far.example", "A"): ["127.0.0.1"],
            ("mx2.far.example", "A"): ["127.0.0.2"],
        }
        s.dns = peers.NameServer(zone)
        s.rows += ["smtp unix - - - - - smtp", "dnsd unix - - - - 1 dnsd"]
        s.settings.update({
            "dns_servers": f"127.0.0.1:{s.dns.port}",
            "dns_timeout": "1s", "dns_tries": "1",
            "smtp_tcp_port": sink_port,
            "minimal_backoff_time": "1s", "maximal_backoff_time": "1s",
            **settings,
        })
        return s.start().add_users("ann@one.example")

    def send(self, s, *rcpts, sender="ann@one.example", options=()):
        with s.smtp() as c:
            c.sendmail(sender, rcpts, TEXT, mail_options=options)

    def test_mail_goes_to_the_best_mx(self):
        sink = peers.Sink()
        s = self.server(sink.port)
        self.send(s, "bob@far.example", options=["BODY=8BITMIME"])
        suite.wait_for(lambda: sink.messages, "the message")
        sender, rcpts, text = sink.messages[0]
        self.true(sender.startswith("MAIL FROM:<ann@one.example> SIZE="),
                  sender)
        self.contains(sender, "BODY=8BITMIME")
        self.equal(rcpts, ["RCPT TO:<bob@far.example>"])
        self.true(text.endswith(TEXT), text)
        s.wait_log("removed")
        self.true(re.search(
            r"to=<bob@far\.example>, relay=mx1\.far\.example\[127\.0\.0\.1\]:"
            rf"{sink.port}, delay=\S+, delays=\S+, dsn=2\.0\.0, status=sent "
            r"\(250 2\.0\.0 Ok: taken\)", s.log_text()), s.log_text())
        sink.close()

    def test_the_next_mx_is_tried(self):
        sink = peers.Sink(address="127.0.0.2")
        s = self.server(sink.port)
        self.send(s, "bob@far.example")
        suite.wait_for(lambda: sink.messages, "the message at mx2")
        self.contains(s.log_text(), f"connect to mx1.far.example[127.0.0.1]:"
                      f"{sink.port}: Connection refused")
        sink.close()

    def test_the_protocols_take_turns(self):
        sink = peers.Sink(address="::1")
        zone = {("far.example", "MX"): ["10 mx.far.example"],
                ("mx.far.example", "A"): ["127.0.0.3", "127.0.0.4"],
                ("mx.far.example", "AAAA"): ["::1"]}
        s = self.server(sink.port, zone, smtp_address_preference="ipv4")
        self.send(s, "bob@far.example")
        suite.wait_for(lambda: sink.messages, "the message by IPv6")
        line = s.wait_log("status=sent")[0]
        self.contains(line, f"relay=mx.far.example[::1]:{sink.port}")
        self.equal(s.log_text().count("Connection refused"), 1)
        s.stop()
        s.settings["smtp_address_preference"] = "ipv6"
        s.start()
        self.send(s, "bob@far.example")
        suite.wait_for(lambda: len(sink.messages) == 2, "another one")
        self.equal(s.log_text().count("Connection refused"), 1)
        s.stop()
        s.settings["inet_protocols"] = "ipv4"
        s.start()
        s.dns.asked.clear()
        self.send(s, "bob@far.example")
        s.wait_log("status=deferred")
        self.true(("mx.far.example", "AAAA") not in s.dns.asked)
        sink.close()

    def test_a_domain_with_ipv6_alone(self):
        sink = peers.Sink(address="::1")
        s = self.server(sink.port, {("six.example", "AAAA"): ["::1"]})
        self.send(s, "bob@six.example")
        suite.wait_for(lambda: sink.messages, "the message")
        sink.close()

    def test_a_client_has_the_name_that_agrees(self):
        s = self.server(1, {
            ("9.0.0.127.in-addr.arpa", "PTR"): ["good.example"],
            ("good.example", "A"): ["192.0.2.1", "127.0.0.9"],
            ("10.0.0.127.in-addr.arpa", "PTR"): ["bank.example"],
            ("bank.example", "A"): ["192.0.2.1"],
            ("11.0.0.127.in-addr.arpa", "PTR"): ["127.0.0.11"],
            ("12.0.0.127.in-addr.arpa", "PTR"): ["servfail"]})
        for source in ("127.0.0.9", "127.0.0.10", "127.0.0.11", "127.0.0.12",
                       "127.0.0.1"):
            with smtplib.SMTP("127.0.0.1", s.port, "x",
                              source_address=(source, 0)) as c:
                c.sendmail("x@y.example", ["ann@one.example"], "x\r\n")
        s.wait_messages("ann@one.example", 5)
        for text in ("connect from good.example[127.0.0.9]",
                     "client=good.example[127.0.0.9]",
                     "warning: hostname bank.example does not resolve to "
                     "address 127.0.0.10", "connect from unknown[127.0.0.10]",
                     "connect from unknown[127.0.0.11]",
                     "connect from unknown[127.0.0.12]",
                     "connect from localhost[127.0.0.1]"):
            s.wait_log(text)
        self.contains(s.messages("ann@one.example")[0].read_text(),
                      "(good.example [127.0.0.9])")

    def test_each_recipient_has_its_own_fate(self):
        sink = peers.Sink(replies={
            "RCPT bad@far.example": "550 5.1.1 no such user",
            "RCPT late@far.example": "450 4.2.0 later",
        })
        s = self.server(sink.port)
        self.send(s, "bob@far.example", "bad@far.example", "late@far.example")
        suite.wait_for(lambda: sink.messages, "the message")
        s.wait_log("status=deferred (host mx1.far.example[127.0.0.1] said: "
                   "450 4.2.0 later (in reply to RCPT TO command))")
        s.wait_log("status=bounced (host mx1.far.example[127.0.0.1] said: "
                   "550 5.1.1 no such user (in reply to RCPT TO command))")
        text = s.wait_messages("ann@one.example", 1)[0].read_text()
        self.contains(text, "Final-Recipient: rfc822; bad@far.example\n")
        self.contains(text, "Remote-MTA: dns; mx1.far.example\n")
        self.contains(text, "Diagnostic-Code: smtp; 550 5.1.1 no such user\n")
        del sink.replies["RCPT late@far.example"]
        suite.wait_for(lambda: len(sink.messages) == 2, "the retry")
        self.equal(sink.messages[1][1], ["RCPT TO:<late@far.example>"])
        suite.wait_for(lambda: not s.queue_files(), "an empty queue")
        self.equal(len(s.messages("ann@one.example")), 1)
        sink.close()

    def test_a_host_that_is_away_may_take_what_another_refuses(self):
        no = {"GREETING": "554 5.3.2 no mail here"}
        backup = peers.Sink(address="127.0.0.2", replies=no)
        s = self.server(backup.port)
        self.send(s, "bob@far.example")
        s.wait_log("status=deferred (connect to mx1.far.example[127.0.0.1]:"
                   f"{backup.port}: Connection refused)")
        first = peers.Sink(port=backup.port, replies=dict(no))
        s.wait_log("status=bounced (host mx2.far.example[127.0.0.2] said: "
                   "554 5.3.2 no mail here (in reply to initial greeting))")
        self.equal(s.log_text().count("status=bounced"), 1)
        first.close()
        backup.close()

    def test_a_refused_message_comes_back(self):
        sink = peers.Sink(replies={".": "554 5.7.1 spam"})
        s = self.server(sink.port)
        self.send(s, "bob@far.example")
        text = s.wait_messages("ann@one.example", 1)[0].read_text()
        self.contains(" ".join(text.split()), "said: 554 5.7.1 spam (in reply "
                      "to end of DATA command)")
        sink.close()

    def test_a_long_refusal_is_told_in_lines(self):
        """However long it is, and in whatever charset."""
        words = "550 5.7.1 " + "because of this " * 50 + "Stra\xdfe"
        sink = peers.Sink(replies={"RCPT bob@far.example": words,
                                   "RCPT eve@far.example": "550 " + "x" * 990})
        s = self.server(sink.port)
        self.send(s, "bob@far.example", "eve@far.example")
        data = s.wait_messages("ann@one.example", 1)[0].read_bytes()
        m = email.message_from_bytes(data)
        self.equal(max(map(len, data.splitlines())) < 998, True, data)
        text, status = m.get_payload()[0], m.get_payload()[1].get_payload()
        lines = text.get_payload(decode=True).decode().splitlines()
        first = next(i for i, x in enumerate(lines) if "<bob@" in x)
        self.true(all(len(x) <= 80 for x in lines[first:first + 10]), lines)
        self.contains(" ".join(" ".join(lines).split()),
                      "because of this Stra\xdfe")
        said = " ".join(status[1]["Diagnostic-Code"].split())
        self.true(said.startswith("smtp; 550 5.7.1 because of this"), said)
        self.contains(said, "because of this Stra?e")
        sink.close()

    def test_no_line_is_too_long(self):
        """Whatever is broken can be joined again."""
        sink = peers.Sink()
        s = self.server(sink.port)
        lines = [b"Subject: long", b"", b"x" * 998, b"y" * 999, b"." * 3000,
                 "\xfc".encode() * 5000, b"z" * 100000, b"end"]
        with s.smtp() as c:
            c.sendmail("ann@one.example", ["bob@far.example"],
                       b"\r\n".join(lines) + b"\r\n")
        suite.wait_for(lambda: sink.messages, "the message")
        data = sink.messages[0][2]
        self.equal(max(map(len, data.split(b"\r\n"))), 998)
        got = data.split(b"Subject: long\r\n", 1)[1]
        self.equal([x.decode() for x in got.replace(b"\r\n ", b"").split(
            b"\r\n")[1:-1]], [x.decode() for x in lines[2:]])
        self.contains(got, b"\r\n" + b"y" * 998 + b"\r\n y\r\n")
        sink.close()

    def test_an_utf8_message_comes_back_in_utf8(self):
        sink = peers.Sink()
        s = self.server(sink.port)
        with s.smtp() as c:
            c.ehlo("client.example")
            c.sendmail("ann@one.example", ["j\xfcrgen@far.example"],
                       "Subject: Gr\xfc\xdfe\r\n\r\nx\r\n".encode(),
                       mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        m = email.message_from_bytes(
            s.wait_messages("ann@one.example", 1)[0].read_bytes())
        self.equal([p.get_content_type() for p in m.get_payload()],
                   ["text/plain", "message/global-delivery-status",
                    "message/global"])
        self.contains(m.as_bytes(), "Final-Recipient: utf-8; "
                      "j\xfcrgen@far.example\n".encode())
        sink.close()

    def test_the_sender_is_told_of_a_delay_once(self):
        sink = peers.Sink(replies={"RCPT late@far.example": "450 4.2.0 later"})
        s = self.server(sink.port, delay_warning_time="1s",
                        maximal_queue_lifetime="1h")
        self.send(s, "late@far.example")
        text = s.wait_messages("ann@one.example", 1)[0].read_text()
        s.wait_log("sender delay notification: ")
        for part in ("Action: delayed\n", "Status: 4.2.0\n",
                     "Final-Recipient: rfc822; late@far.example\n",
                     "Diagnostic-Code: smtp; 450 4.2.0 later\n",
                     "\nWill-Retry-Until: "):
            self.contains(text, part)
        # It is tried again and no more is said until it goes.
        tries = s.log_text().count("status=deferred")
        s.wait_log("status=deferred", tries + 2)
        del sink.replies["RCPT late@far.example"]
        suite.wait_for(lambda: sink.messages, "the message")
        suite.wait_for(lambda: not s.queue_files(), "an empty queue")
        self.equal(len(sink.messages), 1)
        self.equal(len(s.messages("ann@one.example")), 1)
        sink.close()

    def test_a_forwarding_loop_ends(self):
        # far.example sends everything back, with one more Received line.
        sink = peers.Sink()
        s = self.server(sink.port, hopcount_limit="10")
        s.postern("alias", "add", "loop@one.example", "back@far.example")
        turns = 0
        self.send(s, "loop@one.example")
        while True:
            suite.wait_for(lambda: len(sink.messages) > turns or
                           s.messages("ann@one.example"), "a turn")
            if s.messages("ann@one.example"):
                break
            text = sink.messages[turns][2]
            turns += 1
            try:
                with s.smtp() as c:
                    c.sendmail("ann@one.example", ["loop@one.example"],
                               b"Received: from a by far.example; " + b"now"
                               b"\r\n" + text, ["BODY=8BITMIME"])
            except smtplib.SMTPDataError as e:
                self.equal(e.smtp_code, 554)
                self.contains(e.smtp_error, b"too many hops")
                break
        self.true(3 < turns < 8, turns)
        sink.close()

    def test_a_lost_connection_is_tried_again(self):
        sink = peers.Sink(replies={".": None})
        s = self.server(sink.port)
        self.send(s, "bob@far.example")
        s.wait_log(": lost connection with mx1.far.example[127.0.0.1]:")
        s.wait_log("status=deferred")
        del sink.replies["."]
        suite.wait_for(lambda: sink.messages, "the retry")
        sink.close()

    def test_names_that_do_not_resolve(self):
        s = self.server(1, zone={
            ("null.example", "MX"): ["0 ."],
            ("broken.example", "MX"): ["servfail"],
            ("us.example", "MX"): ["10 mail.test.example"],
        })
        self.send(s, "a@null.example")
        s.wait_log("dsn=5.1.10, status=bounced (Domain null.example does not "
                   "accept mail (nullMX))")
        self.send(s, "a@nowhere.example")
        s.wait_log("dsn=5.4.4, status=bounced (Host or domain name not found.")
        self.send(s, "a@us.example")
        s.wait_log("status=bounced (mail for us.example loops back to myself)")
        self.send(s, "a@broken.example")
        s.wait_log("dsn=4.4.3, status=deferred (Host or domain name not "
                   "found. Name service error for name=broken.example")

    def test_relayhost_takes_everything(self):
        sink = peers.Sink()
        s = self.server(1, zone={},
                        relayhost=f"[127.0.0.1]:{sink.port}")
        self.send(s, "bob@far.example")
        suite.wait_for(lambda: sink.messages, "the message")
        sink.close()

    def test_dsn_parameters_travel(self):
        sink = peers.Sink()
        s = self.server(sink.port)
        with s.smtp() as c:
            c.ehlo()
            c.docmd("MAIL FROM:<ann@one.example> RET=HDRS ENVID=x+2By")
            c.docmd("RCPT TO:<bob@far.example> NOTIFY=FAILURE,DELAY "
                    "ORCPT=rfc822;bob@far.example")
            c.data("Subject: x\r\n\r\nx\r\n")
        suite.wait_for(lambda: sink.messages, "the message")
        self.contains(sink.messages[0][0], " RET=HDRS ENVID=x+2By")
        self.equal(sink.messages[0][1][0],
                   "RCPT TO:<bob@far.example> NOTIFY=FAILURE,DELAY "
                   "ORCPT=rfc822;bob@far.example")
        sink.close()

    def test_hostile_servers_do_no_harm(self):
        for name, reply in {
                "rubbish": "hello there", "huge": "250-" + "x" * 100000,
                "endless": "\r\n".join(["250-x"] * 200),
                "controls": "250 \x1b[2J\x07", "low": "100 go on"}.items():
            sink = peers.Sink(replies={"GREETING": reply})
            s = self.server(sink.port)
            self.send(s, "bob@far.example")
            if name == "controls":
                suite.wait_for(lambda: sink.messages, "the message")
            else:
                s.wait_log("status=deferred")
            self.true("\x1b" not in s.log_text(), name)
            s.stop()
            sink.close()

    # --- TLS ---

    ONE_MX = {("far.example", "MX"): ["10 mx1.far.example"],
              ("mx1.far.example", "A"): ["127.0.0.1"]}

    def tls_sink(self, names, **kw):
        """A sink that offers STARTTLS with a certificate of a CA of ours."""
        certs = suite.Instance("ca")
        self.instances.append(certs)
        sink = peers.Sink(features=("STARTTLS", "SIZE 10000000"), **kw)
        sink.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        sink.tls.load_cert_chain(certs.certify("sink", *names))
        sink.ca = certs.ca_file()
        return sink

    def test_tls_is_used_when_it_is_offered(self):
        sink = self.tls_sink(["whoever.example"])
        s = self.server(sink.port)
        self.send(s, "bob@far.example")
        suite.wait_for(lambda: sink.messages, "the message")
        self.equal(sink.handshakes, 1)
        s.wait_log("Untrusted TLS connection established to mx1.far.example"
                   f"[127.0.0.1]:{sink.port}: TLSv1.3 with cipher")
        sink.close()

    def test_mail_goes_in_clear_when_tls_fails(self):
        sink = peers.Sink(features=("STARTTLS",))
        s = self.server(sink.port)
        self.send(s, "bob@far.example")
        suite.wait_for(lambda: sink.messages, "the message")
        self.contains(s.log_text(), "SSL_connect error to mx1.far.example")
        sink.close()

    def test_mail_waits_when_tls_is_required(self):
        sink = peers.Sink()
        s = self.server(sink.port, zone=self.ONE_MX,
                        smtp_tls_security_level="encrypt")
        self.send(s, "bob@far.example")
        s.wait_log("status=deferred (TLS is required, but was not offered by "
                   "host mx1.far.example[127.0.0.1]")
        sink.features = ("STARTTLS",)
        s.wait_log("dsn=4.7.5, status=deferred (TLS with "
                   "mx1.far.example[127.0.0.1]")
        self.equal(sink.messages, [])
        sink.close()

    def test_verified_means_trusted_and_of_that_name(self):
        good = self.tls_sink(["mx1.far.example"])
        verify = {"zone": self.ONE_MX, "smtp_tls_security_level": "verify",
                  "smtp_tls_CAfile": good.ca}
        s = self.server(good.port, **verify)
        self.send(s, "bob@far.example")
        suite.wait_for(lambda: good.messages, "the message")
        s.wait_log("Verified TLS connection established to mx1.far.example")
        good.close()
        for sink in (self.tls_sink(["other.example"]),
                     self.tls_sink(["mx1.far.example"])):
            s = self.server(sink.port, **verify)
            self.send(s, "bob@far.example")
            s.wait_log("certificate verify failed")
            s.wait_log("status=deferred")
            self.equal(sink.messages, [])
            sink.close()


suite.main()
