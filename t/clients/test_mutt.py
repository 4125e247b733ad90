# SPDX-License-Identifier: BSD-2-Clause
"""mutt: sends, reads, flags, saves and deletes, as keys pressed for it."""
import os
import pty
import select
import subprocess

import mua
import suite
from mua import ANN, BOB, PASSWORD


class Mutt(mua.ClientCase):
    def configure(self, s):
        self.write(".muttrc", f"""
set ssl_ca_certificates_file = "{s.ca}"
set imap_user = "{ANN}"
set imap_pass = "{PASSWORD}"
set smtp_pass = "{PASSWORD}"
set smtp_url = "smtps://{ANN}@localhost:{s.submissions}"
set from = "{ANN}"
set realname = "Ann"
set folder = "imaps://localhost:{s.imaps}"
set spoolfile = "+INBOX"
set record = ""
set move = no
set delete = yes
set quit = yes
set confirmappend = no
set confirmcreate = no
set wait_key = no
set sleep_time = 0
set mail_check = 1
unset mark_old
""")

    def press(self, s, keys, mailbox="INBOX"):
        """Open the mailbox, press the keys, quit."""
        master, slave = pty.openpty()
        p = subprocess.Popen(
            ["mutt", "-F", self.home / ".muttrc", "-f",
             f"imaps://localhost:{s.imaps}/{mailbox}", "-e",
             f'push "{keys}<quit>"'], stdin=slave, stdout=slave,
            stderr=slave, cwd=self.home, start_new_session=True,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"],
                 "TERM": "vt100", "LC_ALL": "C.UTF-8"})
        os.close(slave)
        seen = b""
        try:
            while select.select([master], [], [], suite.DEADLINE)[0]:
                seen += os.read(master, 4096)
        except OSError:
            pass  # it closed its terminal: the end
        finally:
            os.close(master)
        try:
            code = p.wait(1)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            raise AssertionError(f"mutt hangs: {seen[-500:]}") from None
        self.equal(code, 0, seen[-500:])
        return seen.decode(errors="replace")

    def test_send(self):
        s = self.server()
        self.configure(s)
        self.write("file.bin", "attached\n" * 1000)
        self.run_client("mutt", "-F", self.home / ".muttrc", "-s", "Grüße",
                        "-a", "file.bin", "--", BOB, input="Hello Bob\n")
        text = s.wait_messages(BOB, 1)[0].read_text()
        self.contains(text, "Subject: =?")
        self.contains(text, 'filename="file.bin"')

    def test_read_flag_and_delete(self):
        s = self.server()
        self.configure(s)
        self.deliver(s, ANN, "one", "two", "three")
        screen = self.press(s, "<first-entry><flag-message><last-entry>"
                               "<delete-message>")
        self.contains(screen, "three")
        self.equal(self.subjects(s, ANN), ["one", "two"])
        flags = {p.read_text().split("Subject: ")[1].split()[0]:
                 p.name.partition(":2,")[2] for p in s.messages(ANN)}
        self.equal(flags["one"], "F")

    def test_save_to_another_folder(self):
        s = self.server()
        self.configure(s)
        self.deliver(s, ANN, "one", "two")
        self.press(s, "<first-entry><save-message>=saved<enter>")
        self.equal(self.subjects(s, ANN), ["two"])
        saved = list((s.maildir(ANN) / ".saved/cur").iterdir())
        self.equal(len(saved), 1)
        self.contains(saved[0].read_text(), "Subject: one")
        self.contains(self.press(s, "", "saved"), "one")


suite.main()
