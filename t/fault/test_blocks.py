# SPDX-License-Identifier: BSD-2-Clause
"""F4: the power goes at every flush of the disk, on ext4, XFS and btrfs, and
what was written after that flush is there in part. The suite starts on each
such disk with nothing lost that it promised, and nothing twice."""
import itertools

import blocks
import cuts
import suite
import watch
import works

STATES = 1 << 30 if suite.LONG else 60  # of each kind of work
UNITS = 5 if suite.LONG else 1


class Blocks(cuts.CutCase):
    Disk = blocks.Logged

    def crash(self, work, kind, fault=None, **settings):
        if why := blocks.why_not(kind):
            raise watch.Skip(why)
        s = self.server(1, kind, fault, **settings)
        c = blocks.Cutting(s, work, s.disks[0])
        c.record(UNITS)
        return c.run(STATES)

    def test_F4_a_missing_sync_is_found(self):
        self.finds_loss("no_dir_sync", "ext4")
        self.finds_loss("no_file_sync", "btrfs")

    def finds_loss(self, fault, kind):
        """The file system may write what it need not: then again."""
        for _ in range(5):
            wrong = self.crash(works.Mail(), kind, ("cleanup", fault),
                               fast_delivery_time="0")
            if any("is lost" in w for w in wrong):
                return
        raise AssertionError(f"{fault} was not found")


WORKS = {
    "mail_queued_first": (works.Mail, {"fast_delivery_time": "0"}),
    "imap": (works.Imap, {}),
}
if suite.LONG:
    WORKS |= {
        "mail_delivered_first": (works.Mail, {}),
        "bouncing": (works.Bounce, {}),
        "pop3": (works.Pop, {}),
        "accounts": (works.Accounts, {}),
        "folders": (works.Folders, {}),
    }

for kind, name in itertools.product(blocks.CHECK, WORKS):
    def one(self, kind=kind, name=name):
        work, settings = WORKS[name]
        self.equal(self.crash(work(), kind, **settings), [])
    setattr(Blocks, f"test_F4_{name}_{kind}", one)

cuts.main()
