# SPDX-License-Identifier: BSD-2-Clause
"""Power cuts at every system call of a program, while a unit of work passes.

Queue and mail store stand on a small file system in memory, ext4 or XFS, or on
two; at the Nth system call they are shut down without writing their logs,
everything is killed, they are mounted again, and the suite is started."""
import shutil

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

    def dark_with(self, driver):
        self.work.dark = lambda: driver and driver.p.poll() is not None
        return driver

    def watch_running(self, program, n):
        return self.dark_with(super().watch_running(program, n))

    def watch_start(self, program, n):
        return self.dark_with(super().watch_start(program, n))

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


class Failing(Cutting):
    """A disk that fails for good, while all programs go on; the power is cut
    only when the unit has come to its end."""
    what = "disk failures"

    def __init__(self, s, work, disk):
        super().__init__(s, work)
        self.action = ["shut", disk.path]
        self.has_queue = disk.path in s.queue.parents

    def struck(self, program):
        if not self.has_queue:  # else nothing goes on
            suite.wait_for(lambda: works.queue_is_empty(self.s),
                           "the unit's end")
        super().struck(program)


class CutCase(suite.Case):
    Disk = disks.Disk

    def server(self, n_disks, kind="ext4", fault=None, **settings):
        def prepare(s):
            s.disks = [self.Disk(s.dir, f"d{i}", kind) for i in range(n_disks)]
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

    def failures(self, work, program, disk, kind="xfs", fault=None,
                 how=kill.RUNNING, **settings):
        """Complaints, when the disk of the queue (0) or of the store (1) has
        failed at each call of the program."""
        s = self.server(2, kind, fault, **settings)
        return Failing(s, work, s.disks[disk]).run(program, how=how)


plain_remove = suite.Instance.remove


def remove(self):
    plain_remove(self)
    for d in getattr(self, "disks", []):
        d.remove()
    plain_remove(self)


suite.Instance.remove = remove


def main():
    if not disks.can_mount():
        print("power cuts need root and loop devices: skipped")
        print("0 passed, 0 failed, 1 skipped")
    elif shutil.which("mkfs.xfs") is None:
        raise SystemExit("mkfs.xfs is missing (package xfsprogs)")
    else:
        suite.main()
