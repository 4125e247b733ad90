# SPDX-License-Identifier: BSD-2-Clause
"""System calls that fail, by strace's hand, from outside."""
import re
import subprocess

DISK = "EIO ENOSPC EDQUOT"
FILES = "EMFILE ENFILE ENOMEM EROFS"

# What the programs that a message passes call, and the errors it may have.
MAIL_PATH = {
    "cleanup": {"openat": FILES + " ENOSPC", "write": DISK, "pwrite64": DISK,
                "fsync": DISK, "linkat": DISK + " EROFS",
                "memfd_create": "EMFILE ENFILE ENOMEM", "fcntl": "EPERM EINVAL",
                "recvmsg": "EINTR ENOMEM EMFILE", "sendmsg": "ENOBUFS EINTR",
                "mmap": "ENOMEM", "brk": "ENOMEM"},
    "qmgr": {"openat": FILES, "pread64": "EIO", "renameat": DISK + " EROFS",
             "unlinkat": "EIO EROFS", "utimensat": "EIO EROFS",
             "fchmod": "EIO EROFS", "pwrite64": DISK, "fdatasync": DISK,
             "recvmsg": "EINTR ENOMEM", "sendmsg": "ENOBUFS EINTR",
             "epoll_ctl": "ENOMEM ENOSPC", "mmap": "ENOMEM"},
    "local": {"openat2": FILES, "openat": FILES + " ENOSPC", "write": DISK,
              "sendfile": DISK, "fsync": DISK, "linkat": DISK + " EROFS EMLINK",
              "utimensat": "EIO", "recvmsg": "EINTR ENOMEM",
              "sendmsg": "ENOBUFS EINTR", "pread64": "EIO"},
    "smtpd": {"accept4": "EMFILE ENFILE ENOMEM ECONNABORTED EINTR",
              "memfd_create": "EMFILE ENFILE ENOMEM", "write": "ENOSPC ENOMEM",
              "fcntl": "EPERM", "recvfrom": "EINTR ECONNRESET",
              "sendto": "EINTR EPIPE", "recvmsg": "EINTR ENOMEM",
              "sendmsg": "ENOBUFS EINTR"},
    "mapd": {"recvmsg": "EINTR ENOMEM", "sendmsg": "ENOBUFS EINTR"},
    # EPERM: what nobody foresees; who asked must not wait for ever.
    "authd": {"pread64": "EIO", "recvmsg": "EINTR ENOMEM",
              "sendmsg": "ENOBUFS EINTR EPERM"},
    "logd": {"write": "ENOSPC EIO", "recvmsg": "EINTR ENOMEM"},
}

# strace makes a call fail by making it none; that wall would end the program
# for it.
SETTINGS = {"sandbox_walls": "root landlock network uid",
            "sandbox_required": "no"}


class Injector:
    """strace on these processes; ready when it has them all."""

    def __init__(self, s, pids, call, error, when):
        self.out = s.dir / "injected"
        self.p = subprocess.Popen(
            ["strace", "-f", "-o", self.out, "-e", f"trace={call},close",
             "-e", f"inject={call}:error={error}:when={when}",
             *[a for p in pids for a in ("-p", str(p))]],
            stderr=subprocess.PIPE, text=True)
        for _ in pids:
            if "attached" not in self.p.stderr.readline():
                break

    def stop(self):
        """How many calls failed by our hand. Whoever closes on its way out
        what was not open closes another's file some day."""
        self.p.terminate()
        self.p.stderr.read()
        self.p.wait()
        text = self.out.read_text()
        if re.search(r"close\(\d+\) += -1 EBADF", text):
            raise AssertionError(f"closed what was not open: {text}")
        return text.count("(INJECTED)")
