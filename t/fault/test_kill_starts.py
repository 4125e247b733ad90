# SPDX-License-Identifier: BSD-2-Clause
"""Kill -9 at every system call of a program's life, from its first, while a
unit of work passes that needed it to start (F1). Three programs that write;
with POSTERN_LONG all of them, and all kinds of work."""

import kill
import suite
import works

MAIL = ["smtpd", "mapd", "authd", "logd", "keyd"]
SESSIONS = ["login", "keyd", "authd", "notify", "logd", "mapd"]


class KillStarts(suite.Case):
    def survives(self, work, *programs, **settings):
        s = works.server(self, "kb", **settings)
        killing = kill.Killing(s, work)
        self.equal(killing.run(*programs, how=kill.START), [])
        self.true(killing.total >= 300 * len(programs),
                  f"only {killing.total} points")

    def test_mail(self):
        self.survives(works.Mail(), "cleanup", "qmgr", "local")

    if suite.LONG:
        def test_the_others(self):
            self.survives(works.Mail(), *MAIL)

        def test_queued_first(self):
            self.survives(works.Mail(), "cleanup", "qmgr", "local",
                          fast_delivery_time="0")

        def test_relaying(self):
            self.survives(works.Relay(), "smtp", "dnsd", "qmgr")

        def test_bouncing(self):
            self.survives(works.Bounce(), "bounce", "qmgr", "smtp")

        def test_sendmail(self):
            self.survives(works.Submit(), "smtpd", "cleanup")

        def test_imap(self):
            self.survives(works.Imap(), *SESSIONS)

        def test_pop3(self):
            self.survives(works.Pop(), *SESSIONS)


suite.main()
