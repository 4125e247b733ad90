# SPDX-License-Identifier: BSD-2-Clause
"""F5 to F9: system calls fail in sessions, each of them once, and then all of a
kind. What was answered OK is so afterwards, and only that; and an index is not
given up for what the system refused, for it holds what no file does: UIDs and
keywords."""
import errors
from errors import DISK, EVERY, FILES
import suite
import works

SESSION = {
    "openat": FILES + " ENOSPC", "newfstatat": "EIO", "fcntl": "ENOLCK EMFILE",
    "pwrite64": DISK + " EROFS", "writev": DISK + " EROFS", "write": "ENOSPC",
    "fdatasync": DISK + " EROFS", "fsync": DISK, "lseek": "EIO",
    "getdents64": "EIO", "renameat": DISK + " EROFS", "renameat2": "EIO",
    "linkat": "EIO EROFS EMLINK", "unlinkat": "EIO EROFS", "utimensat": "EIO",
    "sendfile": DISK, "pread64": "EIO", "memfd_create": "EMFILE ENOMEM",
    "mmap": "ENOMEM", "sendto": "EPIPE EINTR EAGAIN",
    "recvfrom": "ECONNRESET EINTR EAGAIN", "sendmsg": "ENOBUFS EINTR EAGAIN",
    "recvmsg": "EINTR EAGAIN ENOMEM", "poll": "ENOMEM",
}


class ErrorSessions(errors.ErrorCase):
    def test_a_planted_loss_is_found(self):
        """Lost only if it is the move's commit that fails: then again."""
        found = ""
        for _ in range(3):
            try:
                self.drill(works.Imap(), "imapd", {"fdatasync": "EIO"}, 1,
                           at_login=True, fault=("imapd", "no_way_back"))
            except AssertionError as e:
                found += str(e)
        self.contains(found, "was appended and is lost")

    def test_imap(self):
        self.drill(works.Imap(), "imapd", SESSION, 60, at_login=True)

    def test_folders(self):
        self.drill(works.Folders(), "imapd", SESSION, 60, at_login=True)

    def test_pop3(self):
        self.drill(works.Pop(), "pop3d", SESSION, 30, at_login=True)

    def test_logins(self):
        most = errors.EACH_MOST // 6
        self.drill(works.Imap(), "login", EVERY, 10, most=most)
        local = {call: EVERY[call] for call in
                 ("recvmsg", "sendmsg", "epoll_wait", "epoll_ctl", "accept4")}
        self.drill(works.Imap(), "keyd", local, 3, most=most)
        self.drill(works.Imap(), "notify", local, 3, most=most)


suite.main()
