# SPDX-License-Identifier: BSD-2-Clause
"""The power goes at every system call of acceptance and delivery (F2).

Queue and mail store stand on a small ext4 in memory, or on two; at the Nth
system call of a program the file systems are shut down without writing their
logs, everything is killed, they are mounted again, and the suite is started.
What was answered 250 must be there, whole and once. None is sampled.
"""
import fcntl
import os
import pathlib
import struct
import subprocess
import tempfile

import faults
import suite

FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = struct.pack("I", 2)
POINTS_MAX = 2000


def can_mount():
    return os.geteuid() == 0 and os.path.exists("/dev/loop-control")


class Disk:
    """A small ext4 on a loop device whose file is in memory."""

    def __init__(self, where, name):
        base = "/dev/shm" if os.path.isdir("/dev/shm") else None
        fd, self.image = tempfile.mkstemp(prefix="pst-", dir=base)
        os.ftruncate(fd, 24 << 20)
        os.close(fd)
        self.path = pathlib.Path(where) / name
        self.path.mkdir()
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.path],
                       check=True)
        os.chmod(self.path, 0o755)

    def unmount(self):
        """A helper process of a daemon that was killed may end a moment
        after it."""
        suite.wait_for(lambda: subprocess.run(
            ["umount", self.path], capture_output=True).returncode == 0,
            f"{self.path} to be free")

    def cut(self):
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, FS_IOC_SHUTDOWN, NO_LOG_FLUSH)
        finally:
            os.close(fd)

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=False)
        os.unlink(self.image)


class PowerCut(suite.Case):
    def server(self, n_disks, fault=None, fast="1s"):
        s = self.instance("pc").mail()
        s.disks = [Disk(s.dir, f"d{i}") for i in range(n_disks)]
        s.queue = s.disks[0].path / "q"
        s.store = s.disks[-1].path / "mail"
        s.settings.update({
            "queue_directory": s.queue, "virtual_mailbox_base": s.store,
            "minimal_backoff_time": "1s", "maximal_backoff_time": "1s",
            "service_throttle_time": "0", "fast_delivery_time": fast,
        })
        if fault:
            faults.with_planted(s, *fault)
        s.start().add_users(faults.USER)
        return s

    def power_back(self, s, ledger):
        """Everything off, everything on; then look at the mailbox."""
        faults.kill_everything(s)
        for d in s.disks:
            d.unmount()
        for d in s.disks:
            d.mount()
        s.start()
        faults.drain(s)
        return ledger.check(s.messages(faults.USER))

    def cut_at(self, s, ledger, program, n):
        """Cut at point n while a message passes: the complaints (None: the
        point was not reached) and the driver."""
        pids = suite.wait_for(lambda: faults.ready_pids(s, program), program)
        driver = faults.Driver(pids, n, "cut", *[d.path for d in s.disks])
        if not driver.ready:
            driver.seen = 0
            return None, driver
        ledger.send(s.port)
        suite.wait_for(lambda: driver.p.poll() is not None
                       or not s.queue_files("incoming")
                       and not s.queue_files("active"), "the attempt")
        if not driver.finish():
            return None, driver
        return self.power_back(s, ledger), driver

    def warm_up(self, s, ledger):
        """A first message, so that every program is there to be watched."""
        ledger.send(s.port)
        suite.wait_for(lambda: faults.ready_pids(s, "local"), "local")
        faults.drain(s)

    def every_call(self, n_disks, programs, fast):
        s = self.server(n_disks, fast=fast)
        ledger = faults.Ledger()
        wrong, cuts = [], 0
        for program in programs:
            n, patience = 1, faults.Patience()
            while n < POINTS_MAX:
                self.warm_up(s, ledger)
                found, driver = self.cut_at(s, ledger, program, n)
                if found is None:
                    if patience.is_over(driver, n):
                        break
                    continue
                n += 1
                patience = faults.Patience()
                cuts += 1
                wrong += found
                if found:
                    ledger = faults.Ledger()  # each loss is counted once
                    for path in s.messages(faults.USER):
                        path.unlink()
            print(f"{program}, {n_disks} disk(s): {n - 1} cuts", flush=True)
        print(f"{cuts} power cuts, {len(ledger.sent)} sent, "
              f"{len(ledger.acked)} acknowledged, {len(wrong)} wrong")
        return cuts, wrong

    def after_the_answer(self, n_disks, times, fault=None, fast="1s"):
        s = self.server(n_disks, fault, fast)
        ledger = faults.Ledger()
        wrong = []
        for _ in range(times):
            ledger.send(s.port)
            for d in s.disks:
                d.cut()
            wrong += self.power_back(s, ledger)
        self.equal(len(ledger.acked), times)
        print(f"{times} cuts right after 250, {n_disks} disk(s): "
              f"{len(wrong)} wrong")
        return wrong

    def test_queued_first_one_disk(self):
        cuts, wrong = self.every_call(1, ["cleanup", "local"], "0")
        self.equal(wrong, [])
        self.true(cuts >= 80, cuts)

    def test_queued_first_two_disks(self):
        cuts, wrong = self.every_call(2, ["cleanup", "local", "qmgr"], "0")
        self.equal(wrong, [])
        self.true(cuts >= 100, cuts)

    def test_delivered_first(self):
        cuts, wrong = self.every_call(2, ["cleanup", "local", "qmgr"], "1s")
        self.equal(wrong, [])
        self.true(cuts >= 100, cuts)

    def test_right_after_the_answer(self):
        self.equal(self.after_the_answer(1, 20), [])
        self.equal(self.after_the_answer(2, 20, fast="0"), [])

    def test_a_missing_directory_sync_is_found(self):
        for program, fast in (("cleanup", "0"), ("local", "1s")):
            wrong = self.after_the_answer(2, 5, (program, "no_dir_sync"),
                                          fast)
            self.true(any("is lost" in w for w in wrong), wrong)


_remove = suite.Instance.remove


def remove(self):
    _remove(self)
    for d in getattr(self, "disks", []):
        d.remove()
    _remove(self)


suite.Instance.remove = remove

if can_mount():
    suite.main()
else:
    print("power cuts need root and loop devices: skipped")
    print("0 passed, 0 failed, 5 skipped")
