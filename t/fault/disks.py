# SPDX-License-Identifier: BSD-2-Clause
"""Small file systems whose power can be cut."""
import fcntl
import os
import pathlib
import struct
import subprocess
import tempfile

import faults  # noqa: F401, it shows the way to suite
import suite

FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = struct.pack("I", 2)
SIZE = {"ext4": 24 << 20, "xfs": 310 << 20,  # the least that mkfs takes
        "btrfs": 128 << 20}
LOSE_POWER = ("ext4", "xfs")  # that FS_IOC_SHUTDOWN knows


def can_mount():
    return os.geteuid() == 0 and os.path.exists("/dev/loop-control")


def unmount(path):
    suite.wait_for(lambda: subprocess.run(
        ["umount", path], capture_output=True).returncode == 0,
        f"{path} to be free")


class Disk:
    """A small file system on a loop device whose file is in memory."""

    def __init__(self, where, name, kind):
        base = "/dev/shm" if os.path.isdir("/dev/shm") else None
        fd, self.image = tempfile.mkstemp(prefix="pst-", dir=base)
        os.ftruncate(fd, SIZE[kind])
        os.close(fd)
        self.path = pathlib.Path(where) / name
        self.path.mkdir(exist_ok=True)
        self.kind = kind
        force = {"ext4": "-F", "xfs": "-f", "btrfs": "-f"}[kind]
        subprocess.run([f"mkfs.{kind}", "-q", force, self.image], check=True,
                       stdout=subprocess.DEVNULL)
        self.device = self.attach()
        self.mount()
        os.chmod(self.path, 0o755)

    def attach(self):
        """The file that the loop device is on."""
        return self.image

    def mount(self):
        options = "loop" + ",errors=remount-ro" * (self.kind == "ext4")
        subprocess.run(["mount", "-o", options, self.device, self.path],
                       check=True)

    def unmount(self):
        """A helper process of a daemon that was killed may end a moment
        after it; and the file system that was shut down be in use, with its
        loop device, a moment longer than its place."""
        unmount(self.path)
        suite.wait_for(lambda: not subprocess.run(
            ["losetup", "--associated", self.device], check=True,
            capture_output=True).stdout, f"the end of {self.path}")

    def fail(self):
        """As an error in its own data: the kernel makes it read-only, for
        those too who write already, until it is mounted again. ext4."""
        device = pathlib.Path(subprocess.run(
            ["losetup", "--noheadings", "--output", "NAME", "--associated",
             self.image], check=True, capture_output=True,
            text=True).stdout.strip())
        pathlib.Path("/sys/fs/ext4", device.name,
                     "trigger_fs_error").write_text("1")

    def cut(self):
        fd = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, FS_IOC_SHUTDOWN, NO_LOG_FLUSH)
        finally:
            os.close(fd)

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=False,
                       capture_output=True)
        os.unlink(self.image)
