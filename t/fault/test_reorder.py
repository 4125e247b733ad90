# SPDX-License-Identifier: BSD-2-Clause
"""F3: the states that POSIX allows after a crash, of queue, Maildir, index and
accounts. Real file systems keep more than they must: what no fsync(2) was
waited for may be gone, in any combination, and the suite has to start on all
of that with nothing lost that it promised, and nothing twice."""
import os
import pathlib
import subprocess

import reorder
import suite
import works

STATES = 1 << 30 if suite.LONG else 40  # of each kind of work
UNITS = 5 if suite.LONG else 1

# Whatever else is planted: to them the files of a state are old.
AS_LEFT = (("imapd", "as_left"), ("pop3d", "as_left"))


class Reorder(suite.Case):
    def crash(self, work, fault=None, most=STATES, units=UNITS, **settings):
        def prepare(s):
            s.disk = s.dir / "disk"
            s.disk.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", s.disk],
                           check=True)
            os.chmod(s.disk, 0o755)
            s.queue, s.store = s.disk / "q", s.disk / "mail"
            s.settings.update({
                "queue_directory": s.queue, "virtual_mailbox_base": s.store,
                "data_directory": s.disk / "data"})
        s = works.server(self, "re", fault, prepare, AS_LEFT, **settings)
        c = reorder.Reordering(s, work, pathlib.Path(s.disk))
        c.record(units)
        return c.run(most)

    def test_F3_mail_delivered_first(self):
        self.equal(self.crash(works.Mail()), [])

    def test_F3_mail_queued_first(self):
        self.equal(self.crash(works.Mail(), fast_delivery_time="0"), [])

    def test_F3_bouncing(self):
        self.equal(self.crash(works.Bounce()), [])

    def test_F3_imap(self):
        self.equal(self.crash(works.Imap()), [])

    def test_F3_pop3(self):
        self.equal(self.crash(works.Pop()), [])

    def test_F3_accounts(self):
        self.equal(self.crash(works.Accounts()), [])

    def test_F3_a_missing_sync_is_found(self):
        self.finds_loss(("local", "no_dir_sync"), "1s")
        self.finds_loss(("cleanup", "no_dir_sync"), "0")
        self.finds_loss(("cleanup", "no_file_sync"), "0")

    def finds_loss(self, fault, fast):
        """A queued message is lost only if it is not delivered before its
        answer comes, which may be the faster."""
        for _ in range(5):
            wrong = self.crash(works.Mail(), fault, units=4,
                               fast_delivery_time=fast)
            if any("is lost" in w for w in wrong):
                return
        raise AssertionError(f"{fault} was not found")


def remove(self):
    suite.Instance.stop(self)
    if hasattr(self, "disk"):
        subprocess.run(["umount", "-l", self.disk], check=False)
    plain_remove(self)


plain_remove = suite.Instance.remove
suite.Instance.remove = remove

if os.geteuid() == 0:
    suite.main()
else:
    print("the recorder needs root: skipped")
    print("0 passed, 0 failed, 7 skipped")
