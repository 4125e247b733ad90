# SPDX-License-Identifier: BSD-2-Clause
"""The power goes at every system call while mailboxes and accounts are changed
(F2), or the disk fails there, and all go on (F11). What was answered OK must be
so. None is sampled."""
import cuts
import kill
import suite
import works


class PowerCutSessions(cuts.CutCase):
    def test_imap(self):
        self.survives(self.server(1), works.Imap(), "imapd",
                      how=kill.SESSION, least=200)

    def test_imap_xfs(self):
        self.survives(self.server(1, "xfs"), works.Imap(), "imapd",
                      how=kill.SESSION, least=200)

    if suite.LONG:
        def test_folders(self):
            self.survives(self.server(1), works.Folders(), "imapd",
                          how=kill.SESSION, least=300)

        def test_f11_imap_and_xfs_fails(self):
            self.equal(self.failures(works.Imap(), "imapd", 1,
                                     how=kill.SESSION), [])

        def test_f11_imap_and_ext4_fails(self):
            self.equal(self.failures(works.Imap(), "imapd", 1, kind="ext4",
                                     how=kill.SESSION), [])

        def test_f11_pop3_and_xfs_fails(self):
            self.equal(self.failures(works.Pop(), "pop3d", 1,
                                     how=kill.SESSION), [])

        def test_f11_accounts_and_xfs_fails(self):
            self.equal(self.failures(works.Accounts(), "authd", 0), [])

    def test_pop3(self):
        self.survives(self.server(1), works.Pop(), "pop3d",
                      how=kill.SESSION, least=50)

    def test_accounts(self):
        self.survives(self.server(1), works.Accounts(), "authd", least=50)


cuts.main()
