# SPDX-License-Identifier: BSD-2-Clause
"""TLS: STARTTLS and submission, with the keys in keyd."""
import os
import signal
import smtplib
import socket
import ssl

import suite

NAME = "mail.test.example"
MESSAGE = "Subject: tls\r\n\r\ntext\r\n"


class Tls(suite.Case):
    def server(self, **kw):
        s = self.instance("tl").mail().tls(**kw)
        return s

    def context(self, s, version=None):
        c = ssl.create_default_context(cafile=s.ca)
        if version:
            c.minimum_version = c.maximum_version = version
        return c

    def connect(self, s, port):
        """To the port, under the name that the certificate has."""
        return smtplib.SMTP("127.0.0.1", port, "client.example",
                            timeout=suite.DEADLINE)

    def starttls(self, c, context, name=NAME):
        c._host = name  # what smtplib checks and sends as SNI
        return c.starttls(context=context)

    def both_versions(self, kind):
        s = self.server(kind=kind)
        s.start().add_users("ann@one.example")
        for version, word in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
                              (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with self.connect(s, s.port) as c:
                c.ehlo()
                self.true(c.has_extn("starttls"))
                self.equal(self.starttls(c, self.context(s, version))[0], 220)
                c.ehlo()
                self.true(not c.has_extn("starttls"), "offered again")
                c.sendmail("x@y.example", ["ann@one.example"], MESSAGE)
            s.wait_log(f"TLS connection established from localhost[127.0.0.1]:"
                       f" {word} with cipher")
        texts = [p.read_text() for p in s.wait_messages("ann@one.example", 2)]
        for word in ("TLSv1.2", "TLSv1.3"):
            self.true(any(f"(using {word} with cipher" in t for t in texts))
        self.contains(texts[0], " with ESMTPS id ")

    def test_starttls_with_an_elliptic_key(self):
        self.both_versions("EC")

    def test_starttls_with_an_rsa_key(self):
        self.both_versions("RSA")

    def test_old_versions_are_refused(self):
        s = self.server().start()
        context = self.context(s)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.connect(s, s.port) as c:
            c.ehlo()
            try:
                self.starttls(c, context)
                raise AssertionError("TLS 1.1 was accepted")
            except (ssl.SSLError, OSError):
                c.close()
        s.wait_log("SSL_accept error from localhost[127.0.0.1]")

    def test_submission_demands_tls_then_a_login(self):
        s = self.server()
        s.start().add_users("ann@one.example", "bob@one.example")
        with self.connect(s, s.submission) as c:
            c.ehlo()
            self.true(not c.has_extn("auth"), "AUTH in clear")
            self.equal(c.docmd("MAIL FROM:<ann@one.example>"),
                       (530, b"5.7.0 Must issue a STARTTLS command first"))
            self.equal(c.docmd("AUTH PLAIN AGFubgBz")[0], 530)
            self.starttls(c, self.context(s))
            c.ehlo()
            self.equal(c.mail("ann@one.example")[0], 530)
            c.login("ann@one.example", "secret")
            c.sendmail("ann@one.example", ["bob@one.example"], MESSAGE)
        text = s.wait_messages("bob@one.example", 1)[0].read_text()
        self.contains(text, " with ESMTPSA id ")
        s.wait_log("sasl_method=PLAIN, sasl_username=ann@one.example")

    def test_submission_with_tls_from_the_start(self):
        s = self.server()
        s.start().add_users("ann@one.example", "bob@one.example")
        raw = socket.create_connection(("127.0.0.1", s.submissions),
                                       timeout=suite.DEADLINE)
        with self.context(s).wrap_socket(raw, server_hostname=NAME) as t:
            c = smtplib.SMTP()
            c.sock = t
            self.equal(c.getreply()[0], 220)
            c.ehlo("client.example")
            c.login("ann@one.example", "secret")
            c.sendmail("ann@one.example", ["bob@one.example"], MESSAGE)
            c.quit()
        s.wait_messages("bob@one.example", 1)

    def test_the_certificate_is_chosen_by_name(self):
        s = self.server()
        other = s.certify("other", "smtp.other.example", "*.wild.example",
                          kind="RSA")
        s.settings["smtpd_tls_chain_files"] = \
            f"{s.dir / 'server.pem'}, {other}"
        s.start()
        for name in (NAME, "smtp.other.example", "a.wild.example"):
            with self.connect(s, s.port) as c:
                c.ehlo()
                self.starttls(c, self.context(s), name)
        with self.connect(s, s.port) as c:
            c.ehlo()
            try:
                self.starttls(c, self.context(s), "nobody.example")
                raise AssertionError("a name that no certificate has")
            except ssl.SSLCertVerificationError:
                c.close()

    def test_nothing_said_in_clear_survives(self):
        s = self.server().start()
        with socket.create_connection(("127.0.0.1", s.port)) as c:
            c.settimeout(suite.DEADLINE)
            c.recv(1000)
            c.sendall(b"EHLO x\r\n")
            c.recv(1000)
            c.sendall(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n")
            reply = c.recv(1000)
            self.true(reply.startswith(b"554 5.5.0"), reply)
            self.equal(c.recv(1000), b"")

    def test_a_client_for_another_protocol_is_sent_away(self):
        s = self.server().start()
        context = self.context(s)
        context.set_alpn_protocols(["http/1.1"])
        with self.connect(s, s.port) as c:
            c.ehlo()
            try:
                self.starttls(c, context)
                raise AssertionError("a web browser was served")
            except ssl.SSLError:
                c.close()

    def test_a_new_certificate_comes_with_a_reload(self):
        s = self.server().start()
        with self.connect(s, s.port) as old:
            old.ehlo()
            self.starttls(old, self.context(s))
            s.certify("server", "new.example")
            s.postern("reload")
            with self.connect(s, s.port) as c:
                c.ehlo()
                self.starttls(c, self.context(s), "new.example")
            self.equal(old.noop()[0], 250, "the session went on")

    def test_a_bad_certificate_keeps_the_old_one(self):
        s = self.server().start()
        (s.dir / "server.pem").write_text("rubbish\n")
        s.postern("reload")
        s.wait_log("the old keys stay")
        with self.connect(s, s.port) as c:
            c.ehlo()
            self.starttls(c, self.context(s))

    def test_keyd_may_die(self):
        s = self.server().start()
        for _ in range(2):
            with self.connect(s, s.port) as c:
                c.ehlo()
                self.starttls(c, self.context(s))
            pid = s.pid_of("keyd")
            os.kill(pid, signal.SIGKILL)
            suite.wait_for(lambda: s.pid_of("keyd") not in (pid, None),
                           "another keyd")

            def again():
                with self.connect(s, s.port) as c:
                    c.ehlo()
                    try:
                        return self.starttls(c, self.context(s))[0] == 220
                    except (ssl.SSLError, OSError,
                            smtplib.SMTPNotSupportedError):
                        c.close()
            suite.wait_for(again, "TLS")

    def test_without_a_certificate_there_is_no_tls(self):
        s = self.instance("tl").mail().start()
        with self.connect(s, s.port) as c:
            c.ehlo()
            self.true(not c.has_extn("starttls"))
            self.equal(c.docmd("STARTTLS")[0], 454)


suite.main()
