# SPDX-License-Identifier: BSD-2-Clause
"""The power goes at every system call while mail is accepted and delivered
(F2), and right after every acknowledgement; or the disk fails there, and the
programs go on (F11). What was acknowledged must be there, whole and once. None
is sampled."""
import itertools

import cuts
import disks
import kill
import suite
import works


class PowerCut(cuts.CutCase):
    def mail(self, n_disks, kind, fast):
        s = self.server(n_disks, kind, sessions=False,
                        fast_delivery_time=fast)
        self.survives(s, works.Mail(), "cleanup", "local", "qmgr", least=100)

    def after_the_answer(self, n_disks, times, fault=None, fast="1s",
                         kind="ext4"):
        s = self.server(n_disks, kind, fault, sessions=False,
                        fast_delivery_time=fast)
        work = works.Mail()
        cutting = cuts.Cutting(s, work)
        for _ in range(times):
            work.unit(s)
            for d in s.disks:
                d.cut()
            cutting.off_and_on()
        wrong = work.check(s)
        self.equal(len(work.ledger.acked), times)
        print(f"{times} cuts right after 250, {n_disks} disk(s), {kind}: "
              f"{len(wrong)} wrong")
        return wrong

    def test_queued_first_one_disk(self):
        self.mail(1, "ext4", "0")

    def test_queued_first_two_disks(self):
        self.mail(2, "ext4", "0")

    def test_delivered_first(self):
        self.mail(2, "ext4", "1s")

    def test_xfs(self):
        self.mail(2, "xfs", "0")

    def failing(self, program, disk, **how):
        return self.failures(works.Mail(), program, disk, sessions=False,
                             fast_delivery_time="0", **how)

    def test_f11_the_disk_of_the_queue_fails(self):
        self.equal(self.failing("cleanup", 0), [])

    def test_f11_the_disk_of_the_store_fails(self):
        self.equal(self.failing("local", 1), [])

    def test_trust_in_fsync_is_found(self):
        wrong = self.failing("local", 1, fault=("local", "trusts_fsync"))
        self.true(any("is lost" in w for w in wrong), wrong)

    def test_right_after_the_answer(self):
        self.equal(self.after_the_answer(1, 20), [])
        self.equal(self.after_the_answer(2, 20, fast="0"), [])
        self.equal(self.after_the_answer(2, 20, kind="xfs"), [])

    def test_a_missing_directory_sync_is_found(self):
        for program, fast in (("cleanup", "0"), ("local", "1s")):
            wrong = self.after_the_answer(2, 5, (program, "no_dir_sync"),
                                          fast)
            self.true(any("is lost" in w for w in wrong), wrong)


MAIL = ["smtpd", "cleanup", "mapd", "qmgr", "local", "authd", "logd"]
ALONE = {"sessions": False}
EVERYTHING = {
    "delivered_first": (works.Mail, MAIL, ALONE),
    "queued_first": (works.Mail, MAIL, ALONE | {"fast_delivery_time": "0"}),
    "sendmail": (works.Submit, ["smtpd", "cleanup"], ALONE),
    "relaying": (works.Relay, ["smtp", "qmgr", "dnsd", "cleanup"], ALONE),
    "bouncing": (works.Bounce, ["bounce", "qmgr", "smtp", "cleanup"], ALONE),
    "imap": (works.Imap, ["login", "authd", "notify", "logd"], {}),
    "accounts": (works.Accounts, ["authd", "logd"], {}),
}

if suite.LONG:
    for disk, program in enumerate(("cleanup", "local")):
        def fails(self, disk=disk, program=program):
            self.equal(self.failing(program, disk, kind="ext4"), [])
        setattr(PowerCut, f"test_long_ext4_fails_under_{program}", fails)

    # From the programs' first calls too; on both, and on one disk and on two.
    for kind, n, name, how in itertools.product(
            disks.LOSE_POWER, (1, 2), EVERYTHING, (kill.RUNNING, kill.START)):
        def one(self, kind=kind, n=n, name=name, how=how):
            work, programs, settings = EVERYTHING[name]
            self.survives(self.server(n, kind, **settings), work(), *programs,
                          how=how)
        setattr(PowerCut, f"test_long_{name}_{kind}_{n}_{how}", one)

cuts.main()
