# SPDX-License-Identifier: BSD-2-Clause
"""fetchmail: by POP3 and by IMAP, taken away and kept."""
import mua
import suite
from mua import ANN, PASSWORD


class Fetchmail(mua.ClientCase):
    def fetch(self, s, protocol, port, *options, code=0):
        self.write("mda", "#!/bin/sh\ncat >\"$(mktemp fetched.XXXXXX)\"\n")
        (self.home / "mda").chmod(0o700)
        self.write(".fetchmailrc", f"""
poll localhost protocol {protocol} service {port} {' '.join(options)}
    user "{ANN}" password "{PASSWORD}" ssl sslcertck sslcertfile {s.ca}
    mda "{self.home}/mda" {'keep' if 'uidl' in options else 'nokeep'}
""")
        return self.run_client("fetchmail", "--nosyslog", "-v", code=code)

    def fetched(self):
        return sorted(line[9:].rstrip() for p in self.home.glob("fetched.*")
                      for line in p.read_text().splitlines()
                      if line.startswith("Subject: "))

    def test_pop3(self):
        s = self.server()
        self.deliver(s, ANN, "one", "two")
        self.fetch(s, "pop3", s.pop3s)
        self.equal(self.fetched(), ["one", "two"])
        self.equal(s.messages(ANN), [])
        self.fetch(s, "pop3", s.pop3s, code=1)  # no mail

    def test_kept_mail_is_fetched_once(self):
        s = self.server()
        self.deliver(s, ANN, "one")
        self.fetch(s, "pop3", s.pop3s, "uidl")
        self.deliver(s, ANN, "two")
        self.fetch(s, "pop3", s.pop3s, "uidl")
        self.equal(self.fetched(), ["one", "two"])
        self.equal(self.subjects(s, ANN), ["one", "two"])

    def test_imap(self):
        s = self.server()
        self.deliver(s, ANN, "one", "two")
        self.fetch(s, "imap", s.imaps)
        self.equal(self.fetched(), ["one", "two"])
        self.equal(s.messages(ANN), [])


suite.main()
