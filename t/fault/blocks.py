# SPDX-License-Identifier: BSD-2-Clause
"""What a disk may hold when the power goes (F4): all that was written before
it was last told to keep it (a flush), and of the later writes any.

A log of all writes and flushes (blocklog.c) is played onto an empty disk up to
each flush. All parts of what was written between it and the next would be too
many; states() gives none, every second one, the later half, and all with the
last one torn. The kernel then mounts that disk as after any other power cut,
the suite is started, and in the end the file system's own checker is asked.
"""
import bisect
import contextlib
import os
import pathlib
import struct
import subprocess

import crashes
import disks
import suite

RECORD = struct.Struct("=QI")
SECTOR = 4096  # what a disk writes whole or not at all
CHECK = {"ext4": ["e2fsck", "-fn"], "xfs": ["xfs_repair", "-n"],
         "btrfs": ["btrfs", "check", "--readonly"]}


class Logged(disks.Disk):
    """A disk with a log of what is written to it, until close()."""

    def attach(self):
        self.fuse, self.log = f"{self.path}.fuse", f"{self.image}.log"
        self.blank = f"{self.image}.blank"
        copy(self.image, self.blank)
        os.mkdir(self.fuse)
        self.p = subprocess.Popen([suite.BUILD / "fault" / "blocklog",
                                   self.fuse, self.image, self.log])
        disk = f"{self.fuse}/disk"
        suite.wait_for(lambda: os.path.exists(disk), "blocklog")
        return disk

    def close(self):
        """The log is complete; from now on this is a plain disk, unmounted."""
        self.unmount()
        disks.unmount(self.fuse)
        self.p.wait()
        self.device = self.image

    def remove(self):
        super().remove()
        self.p.terminate()
        self.p.wait()
        subprocess.run(["umount", "-l", self.fuse], check=False,
                       capture_output=True)
        for path in (self.log, self.blank):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def why_not(kind):
    """What the kernel lacks for it, or None."""
    if not os.path.exists("/dev/fuse"):
        return "this kernel has no FUSE"
    known = pathlib.Path("/proc/filesystems").read_text().split()
    return None if kind in known else f"this kernel has no {kind}"


def copy(image, to):
    subprocess.run(["cp", "--sparse=always", image, to], check=True)


def read_log(path):
    """[(offset, data)], for a flush (0, b""); and the place of each."""
    records, places, at = [], [], 0
    with open(path, "rb") as f:
        while head := f.read(RECORD.size):
            offset, length = RECORD.unpack(head)
            records.append((offset, f.read(length)))
            places.append(at)
            at += RECORD.size + length
    return records, places


def torn(write):
    offset, data = write
    return offset, data[:len(data) // SECTOR // 2 * SECTOR]


def later(writes):
    """Parts of what was written after a flush, which may be there."""
    yield []
    if len(writes) > 1:
        yield writes[1::2]
        yield writes[len(writes) // 2:]
    if writes:
        yield [*writes[:-1], torn(writes[-1])]


class Cutting(crashes.Crashing):
    """Work done on a Logged disk."""

    def __init__(self, s, work, disk):
        super().__init__(s, work)
        self.disk = disk

    @contextlib.contextmanager
    def recording(self):
        self.start = os.path.getsize(self.disk.log)
        yield

    def when(self, words):
        return os.path.getsize(self.disk.log)

    def recorded(self):
        self.disk.close()
        self.records, places = read_log(self.disk.log)
        # A record may have been half written when the log's length was taken.
        self.made = [(bisect.bisect_left(places, at), what)
                     for at, what in self.made]
        self.start = bisect.bisect_left(places, self.start)
        self.steps, self.played = len(self.records), 0

    def states(self):
        """A state is the flush up to which all is there, and later writes."""
        flushes = [i for i, (_, data) in enumerate(self.records) if not data]
        first = max(i for i in flushes if i < self.start)
        return [(end, (flush, part))
                for flush, end in zip(flushes, [*flushes[1:], self.steps])
                if flush >= first and end > flush + 1
                for part in later(self.records[flush + 1:end])]

    def restore(self, state):
        flush, part = state
        play(self.records[self.played:flush], self.disk.blank)
        self.played = flush
        copy(self.disk.blank, self.disk.image)
        play(part, self.disk.image)
        self.disk.mount()

    def leave(self):
        self.disk.unmount()
        done = subprocess.run([*CHECK[self.disk.kind], self.disk.image],
                              capture_output=True, text=True)
        return [f"{self.disk.kind} is damaged: {done.stdout}{done.stderr}"] \
            if done.returncode else []


def play(writes, image):
    with open(image, "r+b") as f:
        for offset, data in writes:
            f.seek(offset)
            f.write(data)
