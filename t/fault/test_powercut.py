# SPDX-License-Identifier: BSD-2-Clause
"""The power goes at every system call while mail is accepted and delivered,
and while mailboxes and accounts are changed (F2).

Queue and mail store stand on a small file system in memory, ext4 or XFS, or on
two; at the Nth system call of a program they are shut down without writing
their logs, everything is killed, they are mounted again, and the suite is
started. What was acknowledged must be there, whole and once. None is sampled.
"""
import itertools
import os
import shutil
import subprocess

import disks
import faults
import kill
import suite
import works


class Cutting(kill.Killing):
    """Power cuts instead of kills."""
    what = "power cuts"

    def __init__(self, s, work):
        super().__init__(s, work)
        self.action = ["cut", *(d.path for d in s.disks)]

    def watch_running(self, program, n):
        driver = super().watch_running(program, n)
        self.work.dark = lambda: driver and driver.p.poll() is not None
        return driver

    def struck(self, program):
        self.work.dark = lambda: False
        self.off_and_on()
        self.work.settle(self.s)

    def off_and_on(self):
        faults.kill_everything(self.s)
        for d in self.s.disks:
            d.unmount()
        for d in self.s.disks:
            d.mount()
        faults.start_again(self.s)


class PowerCut(suite.Case):
    def server(self, n_disks, kind="ext4", fault=None, **settings):
        def prepare(s):
            s.disks = [disks.Disk(s.dir, f"d{i}", kind) for i in range(n_disks)]
            s.queue = s.disks[0].path / "q"
            s.store = s.disks[-1].path / "mail"
            s.settings.update({
                "queue_directory": s.queue, "virtual_mailbox_base": s.store,
                "data_directory": s.disks[0].path / "data"})
        return works.server(self, "pc", fault, prepare, **settings)

    def survives(self, s, work, *programs, how=kill.RUNNING, least=1):
        cutting = Cutting(s, work)
        self.equal(cutting.run(*programs, how=how), [])
        self.true(cutting.total >= least, f"only {cutting.total} cuts")

    def mail(self, n_disks, kind, fast):
        self.survives(self.server(n_disks, kind, fast_delivery_time=fast),
                      works.Mail(), "cleanup", "local", "qmgr", least=100)

    def after_the_answer(self, n_disks, times, fault=None, fast="1s",
                         kind="ext4"):
        s = self.server(n_disks, kind, fault, fast_delivery_time=fast)
        work = works.Mail()
        cutting = Cutting(s, work)
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

    def test_imap(self):
        self.survives(self.server(1), works.Imap(), "imapd",
                      how=kill.SESSION, least=200)

    def test_imap_xfs(self):
        self.survives(self.server(1, "xfs"), works.Imap(), "imapd",
                      how=kill.SESSION, least=200)

    def test_pop3(self):
        self.survives(self.server(1), works.Pop(), "pop3d",
                      how=kill.SESSION, least=50)

    def test_accounts(self):
        self.survives(self.server(1), works.Accounts(), "authd", least=50)

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
EVERYTHING = {
    "delivered_first": (works.Mail, MAIL, {}),
    "queued_first": (works.Mail, MAIL, {"fast_delivery_time": "0"}),
    "sendmail": (works.Submit, ["smtpd", "cleanup"], {}),
    "relaying": (works.Relay, ["smtp", "qmgr", "dnsd", "cleanup"], {}),
    "bouncing": (works.Bounce, ["bounce", "qmgr", "smtp", "cleanup"], {}),
    "imap": (works.Imap, ["login", "authd", "notify", "logd"], {}),
    "accounts": (works.Accounts, ["authd", "logd"], {}),
}

if "POSTERN_LONG" in os.environ:
    # From the programs' first calls too; on both, and on one disk and on two.
    for kind, n, name, how in itertools.product(
            disks.SIZE, (1, 2), EVERYTHING, (kill.RUNNING, kill.START)):
        def one(self, kind=kind, n=n, name=name, how=how):
            work, programs, settings = EVERYTHING[name]
            self.survives(self.server(n, kind, **settings), work(), *programs,
                          how=how)
        setattr(PowerCut, f"test_long_{name}_{kind}_{n}_{how}", one)

_remove = suite.Instance.remove


def remove(self):
    _remove(self)
    for d in getattr(self, "disks", []):
        d.remove()
    _remove(self)


suite.Instance.remove = remove

if not disks.can_mount():
    print("power cuts need root and loop devices: skipped")
    print("0 passed, 0 failed, 10 skipped")
elif shutil.which("mkfs.xfs") is None:
    raise SystemExit("mkfs.xfs is missing (package xfsprogs)")
else:
    suite.main()
