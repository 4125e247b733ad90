# SPDX-License-Identifier: BSD-2-Clause
"""mbsync (isync): two-way synchronisation of all folders."""
import mua
import suite
from mua import ANN, PASSWORD


class Mbsync(mua.ClientCase):
    def configure(self, s):
        self.write(".mbsyncrc", f"""
IMAPAccount server
Host localhost
Port {s.imaps}
User {ANN}
Pass {PASSWORD}
SSLType IMAPS
CertificateFile {s.ca}

IMAPStore far
Account server

MaildirStore near
Path {self.home}/mail/
Inbox {self.home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
""")
        (self.home / "mail").mkdir()

    def sync(self):
        return self.run_client("mbsync", "-a", "-V")

    def near(self, folder="INBOX"):
        """{subject: flags} of the client's copy."""
        found = {}
        for part in ("new", "cur"):
            for p in (self.home / "mail" / folder / part).glob("*"):
                subject = next(x for x in p.read_text().splitlines()
                               if x.startswith("Subject: "))[9:]
                found[subject] = (p, p.name.partition(":2,")[2])
        return found

    def far(self, s, folder="."):
        found = {}
        for part in ("new", "cur"):
            for p in (s.maildir(ANN) / folder / part).glob("*"):
                subject = next(x for x in p.read_text().splitlines()
                               if x.startswith("Subject: "))[9:]
                found[subject] = p.name.partition(":2,")[2]
        return found

    def add(self, folder, subject):
        box = self.home / "mail" / folder
        for part in ("cur", "new", "tmp"):
            (box / part).mkdir(parents=True, exist_ok=True)
        (box / "cur" / f"1.{subject}.client:2,S").write_text(
            f"From: {ANN}\nSubject: {subject}\n\ntext\n")

    def test_new_mail_both_ways(self):
        s = self.server()
        self.configure(s)
        self.deliver(s, ANN, "one", "two")
        self.sync()
        self.equal(sorted(self.near()), ["one", "two"])
        self.add("INBOX", "three")
        self.add("Entw&APw-rfe", "draft")
        self.deliver(s, ANN, "four")
        self.sync()
        self.equal(sorted(self.near()), ["four", "one", "three", "two"])
        self.equal(sorted(self.far(s)), ["four", "one", "three", "two"])
        self.equal(sorted(self.far(s, ".Entw&APw-rfe")), ["draft"])

    def test_flags_and_deletions_both_ways(self):
        s = self.server()
        self.configure(s)
        self.deliver(s, ANN, "one", "two", "three")
        self.sync()
        path, _ = self.near()["one"]
        path.rename(self.home / "mail/INBOX/cur"
                    / (path.name.partition(":2,")[0] + ":2,FS"))
        path, _ = self.near()["two"]
        path.unlink()
        self.sync()
        self.equal(self.far(s)["one"], "FS")
        self.true("two" not in self.far(s))
        for p in s.messages(ANN):
            if "Subject: three" in p.read_text():
                p.rename(s.maildir(ANN) / "cur"
                         / (p.name.partition(":2,")[0] + ":2,RS"))
        self.sync()
        self.equal(self.near()["three"][1], "RS")

    def test_a_second_run_changes_nothing(self):
        s = self.server()
        self.configure(s)
        self.deliver(s, ANN, *(f"m{i}" for i in range(20)))
        self.sync()
        before = sorted(self.near()), self.far(s)
        stamp = (self.home / "mail/INBOX/cur").stat().st_mtime_ns
        self.sync()
        self.equal((sorted(self.near()), self.far(s)), before)
        self.equal((self.home / "mail/INBOX/cur").stat().st_mtime_ns, stamp)


suite.main()
