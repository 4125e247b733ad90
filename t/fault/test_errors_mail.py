# SPDX-License-Identifier: BSD-2-Clause
"""F5 to F9: system calls fail while mail is accepted, delivered, relayed and
returned, and while accounts are changed: each of them once, and then all of a
kind. What was acknowledged is so afterwards."""
import errors
from errors import DISK, EVERY, FILES
import suite
import works

ACCOUNTS = {
    "pwrite64": DISK + " EROFS", "fdatasync": DISK, "pread64": "EIO",
    "recvmsg": "EINTR EAGAIN ENOMEM", "sendmsg": "ENOBUFS EINTR EAGAIN",
    "fcntl": "ENOLCK",
    "accept4": "ECONNABORTED", "epoll_ctl": "ENOMEM", "openat": FILES,
}


class ErrorMail(errors.ErrorCase):
    def test_mail(self):
        for program in ("smtpd", "cleanup", "local", "qmgr", "mapd"):
            self.drill(works.Mail(), program, errors.MAIL_PATH[program], 3)

    def test_mail_queued_first(self):
        for program in ("cleanup", "local", "qmgr"):
            self.drill(works.Mail(), program, errors.MAIL_PATH[program], 3,
                       fast_delivery_time="0")

    def test_relaying(self):
        self.drill(works.Relay(), "smtp", EVERY, 10)
        self.drill(works.Relay(), "dnsd", EVERY, 10)

    def test_bouncing(self):
        self.drill(works.Bounce(), "bounce", EVERY, 5)

    def test_accounts(self):
        self.drill(works.Accounts(), "authd", ACCOUNTS, 10)


suite.main()
