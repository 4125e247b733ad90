# SPDX-License-Identifier: BSD-2-Clause
"""Kill -9 at every system call of every program, while clients log in, read,
append, flag, move and delete (F1)."""
import kill
import suite
import works


class KillSessions(suite.Case):
    def survives(self, work, *programs, how=kill.RUNNING, least=1):
        s = works.server(self, "ks")
        killing = kill.Killing(s, work)
        self.equal(killing.run(*programs, how=how), [])
        self.true(killing.total >= least, f"only {killing.total} points")

    def test_imap(self):
        self.survives(works.Imap(), "login", "keyd", "authd", "notify",
                      "logd", least=200)

    def test_imap_itself(self):
        self.survives(works.Imap(), "imapd", how=kill.START, least=500)

    if suite.LONG:
        def test_folders(self):
            self.survives(works.Folders(), "imapd", how=kill.SESSION,
                          least=300)

    def test_pop3_itself(self):
        self.survives(works.Pop(), "pop3d", how=kill.START, least=300)

    def test_master(self):
        self.survives(works.Imap(), "master", least=20)
        self.survives(works.Mail(), "master")


suite.main()
