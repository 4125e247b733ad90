# SPDX-License-Identifier: BSD-2-Clause
"""Kill -9 at every system call of every program, while mail passes (F1)."""
import kill
import suite
import works

LARGE = 100_000  # lines: more than content_memory_limit, so in pieces


class Kill(suite.Case):
    def survives(self, work, *programs, least=1, **settings):
        s = works.server(self, "ki", sessions=False, **settings)
        killing = kill.Killing(s, work)
        self.equal(killing.run(*programs), [])
        self.true(killing.total >= least, f"only {killing.total} points")

    def test_mail_delivered_first(self):
        self.survives(works.Mail(), "smtpd", "cleanup", "mapd", "qmgr",
                      "local", "authd", "logd", least=350)

    def test_mail_queued_first(self):
        self.survives(works.Mail(), "cleanup", "qmgr", "local", least=120,
                      fast_delivery_time="0")

    def test_a_large_message(self):
        self.survives(works.Mail(LARGE), "smtpd", "cleanup", least=350)

    def test_sendmail(self):
        self.survives(works.Submit(), "smtpd", "cleanup", least=100)

    def test_relaying(self):
        self.survives(works.Relay(), "smtp", "qmgr", "dnsd", least=100)

    def test_bouncing(self):
        self.survives(works.Bounce(), "bounce", "qmgr", "smtp", least=100)

    def test_a_planted_double_delivery_is_found(self):
        s = works.server(self, "ki", ("local", "random_name"), sessions=False)
        wrong = kill.Killing(s, works.Mail()).run("local")
        self.true(any("delivered 2 times" in w for w in wrong), wrong)


suite.main()
